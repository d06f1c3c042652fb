"""Statistics and indexes: ANALYZE where a table has changed, REINDEX CONCURRENTLY where an index is bloated.

Autovacuum does the rest; it analyses at a tenth of a table, which is late for one that grows at its newest end, and
gives no page of an index back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Timer

import psycopg

from battlescope.database import Database, LazyConnection
from battlescope.telemetry import logger
from cluster.maintenance.store import catalog
from cluster.maintenance.store.catalog import Index

STALE_ROWS = 1000
STALE_SHARE = 0.02

BLOATED = 1.6
"""An index of so many times the pages that it needs is built anew; a b-tree in balance is near 1.3 times."""

WASTED_PAGES_MIN = 1280
"""10 MiB: to win less does not pay."""

PAGES_PER_S = 2500
"""A rebuild is begun where there is time for it at 20 MiB/s, a modest volume's rate."""

CANCEL_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Tally:
    """What was done."""

    analyzed: list[str] = field(default_factory=list)
    rebuilt: list[str] = field(default_factory=list)
    is_done: bool = False


def keep_up(connection: LazyConnection, remaining_s: Callable[[], float]) -> Tally:
    """Analyse what has changed, and rebuild what is bloated, for as long as there is time."""
    tally = Tally()
    for table in connection.run(partial(catalog.stale_tables, rows=STALE_ROWS, share=STALE_SHARE)):
        if not _within(connection, remaining_s, partial(catalog.analyze, table=table)):
            return tally
        tally.analyzed.append(table)
    for index in connection.run(catalog.abandoned_indexes):
        if not _within(connection, remaining_s, partial(catalog.drop_index, index=index)):
            return tally
    for bloated in filter(is_bloated, connection.run(catalog.indexes)):
        if bloated.pages / PAGES_PER_S > remaining_s():
            logger.info("an index waits for an invocation with more time", extra={"index": bloated.name})
            continue
        if not _within(connection, remaining_s, partial(catalog.rebuild_index, index=bloated.name)):
            return tally
        logger.info(
            "index rebuilt",
            extra={"index": bloated.name, "pages": bloated.pages, "expected_pages": bloated.expected_pages},
        )
        tally.rebuilt.append(bloated.name)
    tally.is_done = True
    return tally


def is_bloated(index: Index) -> bool:
    """Whether building an index anew would win much."""
    wasted = index.pages - index.expected_pages
    return wasted >= WASTED_PAGES_MIN and index.pages >= BLOATED * index.expected_pages


def _within(
    connection: LazyConnection, remaining_s: Callable[[], float], work: Callable[[Database], None]
) -> bool:
    """Do it, unless time is up or runs out over it; what is broken off leaves nothing, or an abandoned index."""
    left_s = remaining_s()
    if left_s <= 0:
        return False
    database = connection.get()
    timer = Timer(left_s, lambda: database.cancel_safe(timeout=CANCEL_TIMEOUT_S))
    timer.start()
    try:
        connection.run(work)
    except psycopg.errors.QueryCanceled:
        logger.warning("broken off: it took longer than there is time")
        return False
    finally:
        timer.cancel()
    return True
