"""The rules of battles, pure: no database, no AWS, no clock.

Read in this order: `rules`, `linking` (which killmails belong together), `battle` (what a component amounts to), `whole` (a set of
killmails at once); then `evidence` (who shot whom, and who shot together), `affinity`, `blocs`, `sides` (who was on
which side) and `assignment` (why).
"""
