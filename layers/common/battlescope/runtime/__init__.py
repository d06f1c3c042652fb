"""Drives the handlers outside Lambda as Lambda drives them: in pods and on a laptop.

The event shapes, the context, long polling, partial batch responses and visibility are Lambda's; the handlers cannot
tell where they run.
"""
