"""A database of very many battles: its size, what growing costs it, and what VACUUM and a migration do to it.

The live path is timed in turns against a database of few battles and this one, on hours of the same make, in events of ten
messages as the poller packs them.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import batched
from pathlib import Path
from statistics import median

from battlescope.database import Database, connect
from battlescope.message import pack, unpack
from battlescope.migrate import migrate
from bench.building import Built, built, count, simulated
from bench.copying import TABLES
from bench.support import machine
from cluster.clusterer import cluster
from cluster.engine.rules import Rules

LIVE_HOURS = 12
"""Of which the live path is timed."""


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
        few_ms, many_ms = _live(few, many)
        print(f"live path: {few_ms:.3f} ms per killmail, then {many_ms:.3f} ms: {many_ms / few_ms:.2f} times")


def _maintain(database: Built) -> None:
    with connect(database.url) as connection:
        started = time.perf_counter()
        connection.execute("VACUUM ANALYZE")
        vacuumed_s = time.perf_counter() - started
        started = time.perf_counter()
        migrate(connection)
        print(
            f"{database.battles:,} battles of {count(connection, 'killmails'):,} killmails: VACUUM ANALYZE {vacuumed_s:.1f} s; "
            f"migrate, with nothing to do, {time.perf_counter() - started:.3f} s",
            flush=True,
        )


def _live(few: Built, many: Built) -> tuple[float, float]:
    """Milliseconds per killmail in both, the medians over the events, an event here and one there."""
    with connect(few.url) as one, connect(many.url) as other:
        took: tuple[list[float], list[float]] = ([], [])
        timed = (_events_ms(one, few.next_hour), _events_ms(other, many.next_hour))
        for pair in zip(*timed, strict=False):
            for times, one_ms in zip(took, pair, strict=True):
                times.append(one_ms)
        return median(took[0]), median(took[1])


def _events_ms(connection: Database, hour: int) -> Iterator[float]:
    for some in simulated(hour, LIVE_HOURS):
        for messages in batched(pack(some), 10, strict=False):
            killmails = [one for _, body in messages for one in unpack(body).killmails]
            started = time.perf_counter()
            cluster(connection, killmails, Rules())
            yield (time.perf_counter() - started) * 1000 / len(killmails)


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
