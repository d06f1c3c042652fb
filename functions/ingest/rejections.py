"""What could not become a reference, kept with its text and reason in `rejected_killmails`."""

import hashlib
from collections.abc import Sequence

from battlescope.database import Database
from ingest.feeds import Rejected


def keep_rejected(connection: Database, feed: str, rejected: Sequence[Rejected]) -> None:
    """Keep these; the same rejection is kept once."""
    if not rejected:
        return
    connection.execute(
        """
        INSERT INTO rejected_killmails (digest, feed, killmail_id, reason, raw)
        SELECT digest, %s, killmail_id, reason, raw
        FROM unnest(%s::bytea[], %s::bigint[], %s::text[], %s::text[]) AS r (digest, killmail_id, reason, raw)
        ON CONFLICT (digest) DO NOTHING
        """,
        (
            feed,
            [hashlib.sha256(f"{feed}\n{one.reason}\n{one.raw}".encode()).digest() for one in rejected],
            [one.killmail_id for one in rejected],
            [one.reason for one in rejected],
            [one.raw for one in rejected],
        ),
    )
