"""What a dump leaves to do once it was restored into another server.

The change feed is ordered by transactions (docs/api.md). Stamps of a dump are those of the server that it was taken from. In
a server that has had fewer transactions they lie ahead, and the feed would tell of nothing that was restored. So they are
renewed: whoever follows the feed is told of all of it again. A copy of the server's files (a snapshot, point-in-time
recovery) brings its transactions with it, and leaves nothing to do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from battlescope.database import LazyConnection
from battlescope.telemetry import logger
from cluster.maintenance.store import stamps

ROWS_AT_ONCE = 10_000


@dataclass(slots=True)
class Tally:
    """What was done."""

    renewed: int = 0
    is_done: bool = False


def renew_stamps(connection: LazyConnection, remaining_s: Callable[[], float]) -> Tally:
    """Renew stamps that lie ahead of this server's transactions, battles before aliases, for as long as there is time."""
    tally = Tally()
    for table in stamps.TABLES:
        renewed = ROWS_AT_ONCE
        while renewed == ROWS_AT_ONCE:
            if remaining_s() <= 0:
                return tally
            renewed = connection.run(partial(stamps.renew, table=table, limit=ROWS_AT_ONCE))
            tally.renewed += renewed
    if tally.renewed:
        logger.info("a restored dump is in the change feed", extra={"rows": tally.renewed})
    tally.is_done = True
    return tally
