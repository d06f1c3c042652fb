"""A database of very many battles: its size, what growing costs it, and what VACUUM and a migration do to it.

The live path is timed in turns against a database of few battles and this one, on hours of the same make, in events of ten
messages as the poller packs them:
- with the large database's files read before, so that the system has them in memory, and with none of them there;
- in one go, which catches up after an outage, and with a checkpoint before each event. At the feed's own pace an event's
  killmails take some five minutes to happen, and so often a server with PostgreSQL's defaults makes a checkpoint, after which
  the first change of each page writes the whole page to the log.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import batched, product
from pathlib import Path
from statistics import median

from battlescope.database import Database, connect
from battlescope.message import pack, unpack
from battlescope.migrate import migrate
from bench.building import Built, built, count, simulated
from bench.copying import TABLES
from bench.support import forget, machine, remember
from cluster.clusterer import cluster
from cluster.engine.rules import Rules

LIVE_HOURS = 12
"""Of which the live path is timed, each time."""


def main(argv: Sequence[str]) -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(prog="bench battles", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the many are kept, to be built once")
    parser.add_argument("--build-only", action="store_true")
    options = parser.parse_args(argv)
    print(machine())
    with ExitStack() as stack:
        many = stack.enter_context(built(options.battles, options.folder, options.workers))
        if options.build_only:
            return
        few = stack.enter_context(built(options.few, workers=options.workers))
        _maintain(few)
        _maintain(many)
        with connect(many.url) as connection:
            _sizes(connection)
        for in_memory, paced in product((True, False), (False, True)):
            with connect(many.url) as connection:
                connection.execute("CHECKPOINT")
            (remember if in_memory else forget)(many.files)
            print(
                f"live path, {'files in memory' if in_memory else 'files on disk'}, "
                f"{'a checkpoint before each event' if paced else 'in one go'}: {_live(few, many, paced=paced)}",
                flush=True,
            )


def _maintain(database: Built) -> None:
    with connect(database.url) as connection:
        started = time.perf_counter()
        connection.execute("VACUUM ANALYZE")
        vacuumed_s = time.perf_counter() - started
        started = time.perf_counter()
        migrate(connection)
        migrated_s = time.perf_counter() - started
        print(
            f"{database.battles:,} battles of {count(connection, 'killmails'):,} killmails: VACUUM ANALYZE {vacuumed_s:.1f} s; "
            f"migrate, with nothing to do, {migrated_s:.3f} s",
            flush=True,
        )


def _live(few: Built, many: Built, *, paced: bool) -> str:
    """Milliseconds per killmail in both, the medians over the events, an event here and one there; and the pages they took."""
    with connect(few.url) as one, connect(many.url) as other:
        before = [_pages(connection) for connection in (one, other)]
        timed = zip(_events_ms(one, paced=paced), _events_ms(other, paced=paced), strict=False)
        few_times, many_times = zip(*timed, strict=True)
        few_ms, many_ms = median(few_times), median(many_times)
        few_pages, many_pages = (
            [(after - first) / len(few_times) for after, first in zip(_pages(connection), held, strict=True)]
            for connection, held in zip((one, other), before, strict=True)
        )
    return (
        f"{few_ms:.3f} ms per killmail, then {many_ms:.3f} ms: {many_ms / few_ms:.2f} times; an event reads "
        f"{few_pages[0]:.0f} pages, then {many_pages[0]:.0f}, and logs {few_pages[1]:.0f} whole, then {many_pages[1]:.0f}"
    )


def _pages(connection: Database) -> tuple[int, int]:
    """Pages that connections had to read as the shared buffers did not hold them, and pages written whole to the log."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    row = connection.execute(
        """
        SELECT (SELECT sum(reads)::bigint FROM pg_stat_io WHERE backend_type = 'client backend' AND object = 'relation'),
            (SELECT wal_fpi FROM pg_stat_wal)
        """
    ).fetchone()
    assert row is not None
    return row


def _events_ms(connection: Database, *, paced: bool) -> Iterator[float]:
    for some in simulated(_next_hour(connection), LIVE_HOURS):
        for messages in batched(pack(some), 10, strict=False):
            killmails = [one for _, body in messages for one in unpack(body).killmails]
            if paced:
                connection.execute("CHECKPOINT")
            started = time.perf_counter()
            cluster(connection, killmails, Rules())
            yield (time.perf_counter() - started) * 1000 / len(killmails)


def _next_hour(connection: Database) -> int:
    """The first after all that the database holds, which may be more than was built: earlier runs went on from there."""
    row = connection.execute("SELECT max(killmail_time) FROM killmails").fetchone()
    assert row is not None
    return int(row[0].timestamp()) // 3600 + 1


def _sizes(connection: Database) -> None:
    battles = count(connection, "battles")
    total = 0
    print(f"{'table':24}{'rows':>12}{'bytes a row':>13}{'its indexes':>13}{'a battle':>10}")
    for table in TABLES:
        rows = count(connection, table)
        heap, indexes = connection.execute(
            "SELECT pg_table_size(%s::regclass), pg_indexes_size(%s::regclass)", (table, table)
        ).fetchone() or (0, 0)
        total += heap + indexes
        print(
            f"{table:24}{rows:>12,}{heap / rows:>13,.0f}{indexes / rows:>13,.0f}{(heap + indexes) / battles:>10,.0f}"
        )
        if table == "killmails":
            a_killmail = (heap + indexes) / rows
    lone = connection.execute(
        "SELECT count(*) FROM killmails k WHERE NOT EXISTS (SELECT FROM battles b WHERE b.first_killmail_id = k.component_id)"
    ).fetchone()
    assert lone is not None
    print(
        f"all: {total / battles:,.0f} bytes a battle; {(total - lone[0] * a_killmail) / battles:,.0f} without the "
        f"{lone[0]:,} killmails that are in no battle"
    )
