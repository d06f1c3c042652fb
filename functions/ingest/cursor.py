"""Where a feed was read to, under a lease: two pollers never both own a cursor.

The position moves only together with what was found on the way (rejected killmails, holes), in one transaction, and
only for the owner of the lease.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from battlescope.database import Database, LazyConnection
from ingest.feeds import Batch, Hole, Position, Rejected
from ingest.rejections import keep_rejected


@dataclass(frozen=True, slots=True)
class Lease:
    """A cursor that is ours for now."""

    feed: str
    owner: str
    position: Position | None
    retry_in_s: float


class Cursors:
    """The table `feed_cursors` and what moves with it."""

    def __init__(self, connection: LazyConnection) -> None:
        self._connection = connection

    def acquire(self, feed: str, owner: str, lease_s: float) -> Lease | None:
        """Take the lease on a feed's cursor for `lease_s` seconds; None where somebody else holds it."""
        row = self._connection.run(
            lambda connection: connection.execute(
                """
                INSERT INTO feed_cursors AS c (feed, lease_owner, lease_expires_at)
                VALUES (%(feed)s, %(owner)s, now() + make_interval(secs => %(lease_s)s))
                ON CONFLICT (feed) DO UPDATE
                    SET lease_owner = excluded.lease_owner, lease_expires_at = excluded.lease_expires_at
                    WHERE c.lease_owner IS NULL OR c.lease_owner = excluded.lease_owner OR c.lease_expires_at < now()
                RETURNING position, greatest(extract(epoch FROM retry_at - now()), 0)::float8
                """,
                {"feed": feed, "owner": owner, "lease_s": lease_s},
            ).fetchone()
        )
        return None if row is None else Lease(feed, owner, row[0], row[1] or 0.0)

    def advance(self, lease: Lease, batch: Batch, lease_s: float) -> bool:
        """Move the cursor past a batch that is safe, and renew the lease; False where the lease was lost."""
        newest = max((killmail.killmail_time for killmail in batch.killmails), default=None)
        params = {
            "feed": lease.feed,
            "owner": lease.owner,
            "position": json.dumps(batch.position),
            "killmails": len(batch.killmails),
            "newest": None if newest is None else datetime.fromtimestamp(newest, UTC),
            "retry_in_s": batch.wait_s if batch.backed_off else None,
            "error": batch.error,
            "lease_s": lease_s,
        }
        return self._connection.run(
            lambda connection: self._advance(connection, lease.feed, params, batch.rejected, batch.holes)
        )

    def release(self, lease: Lease) -> None:
        """Give the lease back."""
        self._connection.run(
            lambda connection: connection.execute(
                """
                UPDATE feed_cursors SET lease_owner = NULL, lease_expires_at = NULL
                WHERE feed = %s AND lease_owner = %s
                """,
                (lease.feed, lease.owner),
            )
        )

    @staticmethod
    def _advance(
        connection: Database,
        feed: str,
        params: dict[str, object],
        rejected: Sequence[Rejected],
        holes: Sequence[Hole],
    ) -> bool:
        with connection.transaction():
            moved = connection.execute(
                """
                UPDATE feed_cursors SET
                    moved_at = CASE WHEN position IS DISTINCT FROM %(position)s::jsonb THEN now() ELSE moved_at END,
                    position = %(position)s,
                    drained_position = CASE  -- nothing was ever sent, so all of it is through
                        WHEN drained_position IS NULL AND killmails + %(killmails)s = 0 THEN %(position)s::jsonb
                        ELSE drained_position END,
                    killmails = killmails + %(killmails)s,
                    newest_killmail = greatest(newest_killmail, %(newest)s),
                    retry_at = now() + make_interval(secs => %(retry_in_s)s),
                    last_error = coalesce(%(error)s, last_error),
                    last_error_at = CASE WHEN %(error)s::text IS NULL THEN last_error_at ELSE now() END,
                    lease_expires_at = now() + make_interval(secs => %(lease_s)s)
                WHERE feed = %(feed)s AND lease_owner = %(owner)s
                """,
                params,
            ).rowcount
            if not moved:
                return False
            keep_rejected(connection, feed, rejected)
            if holes:
                _note_holes(connection, feed, holes)
        return True


def _note_holes(connection: Database, feed: str, holes: Sequence[Hole]) -> None:
    connection.execute(
        """
        INSERT INTO feed_holes (feed, first_sequence, last_sequence)
        SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[])
        ON CONFLICT (feed, first_sequence) DO UPDATE
            SET last_sequence = greatest(feed_holes.last_sequence, excluded.last_sequence)
        """,
        (feed, [hole.first_sequence for hole in holes], [hole.last_sequence for hole in holes]),
    )
