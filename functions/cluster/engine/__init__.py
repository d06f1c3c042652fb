"""The rules of battles, pure: no database, no AWS, no clock.

Read in this order: `rules`, `linking` (which killmails belong together), `battle` (what a component amounts to).
"""
