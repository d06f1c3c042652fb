"""Leases: of jobs that are called by schedules and by hand, one of a name runs at a time.

A lease is a row with an end, not a lock of a session: it outlives a broken connection, and needs no pinned one.
"""

from battlescope.database import LazyConnection


class Leases:
    """The table `leases`."""

    def __init__(self, connection: LazyConnection) -> None:
        self._connection = connection

    def acquire(self, name: str, owner: str, lease_s: float) -> bool:
        """Take the lease for `lease_s` seconds, or renew it; False where it is another's, or not to be had yet."""
        return self._connection.run(
            lambda connection: (
                connection.execute(
                    """
                INSERT INTO leases AS l (name, owner, expires_at)
                VALUES (%(name)s, %(owner)s, now() + make_interval(secs => %(lease_s)s))
                ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
                    WHERE (l.owner IS NULL OR l.owner = excluded.owner OR l.expires_at < now())
                        AND (l.not_before IS NULL OR l.not_before <= now())
                """,
                    {"name": name, "owner": owner, "lease_s": lease_s},
                ).rowcount
                == 1
            )
        )

    def release(self, name: str, owner: str, *, not_before_s: float = 0.0) -> None:
        """Give the lease back; nobody gets it within `not_before_s` seconds."""
        self._connection.run(
            lambda connection: connection.execute(
                """
                UPDATE leases SET owner = NULL, expires_at = NULL, not_before = now() + make_interval(secs => %s)
                WHERE name = %s AND owner = %s
                """,
                (not_before_s, name, owner),
            )
        )
