"""Killmails and battles in PostgreSQL: every statement of the clusterer.

All of it runs inside the caller's transaction, under the locks of its solar systems (`reading.look_around` takes them).
Statements are set-based, and are sent without waiting for answers that nobody needs yet: the connection is in
pipeline mode. `reading` asks, `killmails` and `battles` write.
"""
