"""A database of very many battles, from simulated killmails by the bulk path: its size, and what growing costs it.

Built twice as far: to a few battles first, where the live path is timed, and then to as many as asked for, where it is
timed again on hours of the same make.
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from itertools import batched
from statistics import median

from battlescope.database import Database, connect
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from battlescope.migrate import migrate
from battlescope_local.new_eden import START, hours
from bench.copying import TABLES
from bench.support import database, machine
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.history.importing import chunks
from ingest.payload import parse_killmail

FIRST_HOUR = START // 3600
HOURS_A_PIECE = 24
LIVE_HOURS = 12
"""Of which the live path is timed."""


def main(argv: Sequence[str]) -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(prog="bench battles", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(argv)
    print(machine())
    with database() as url, multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        hour = _build(pool, url, FIRST_HOUR, options.few, options.workers)
        few_ms = _live(url, hour)
        hour = _build(pool, url, hour + LIVE_HOURS, options.battles, options.workers)
        many_ms = _live(url, hour)
        print(f"live path: {few_ms:.3f} ms per killmail, then {many_ms:.3f} ms: {many_ms / few_ms:.2f} times")
        with connect(url) as connection:
            _sizes(connection)


def _build(pool: "multiprocessing.pool.Pool", url: str, hour: int, battles: int, workers: int) -> int:
    """Simulate days until there are so many battles; the hour to go on with."""
    started = time.perf_counter()
    stored = 0
    with connect(url) as connection:
        while (held := _count(connection, "battles")) < battles:
            pieces = [(url, hour + HOURS_A_PIECE * number) for number in range(2 * workers)]
            stored += sum(pool.starmap(_store, pieces, chunksize=1))
            hour += HOURS_A_PIECE * len(pieces)
        took_s = time.perf_counter() - started
        print(
            f"{held:,} battles of {_count(connection, 'killmails'):,} killmails; "
            f"{stored / took_s:,.0f} killmails/s, simulation included",
            flush=True,
        )
        started = time.perf_counter()
        connection.execute("VACUUM ANALYZE")
        vacuumed_s = time.perf_counter() - started
        started = time.perf_counter()
        migrate(connection)
        print(
            f"VACUUM ANALYZE {vacuumed_s:.1f} s; migrate, with nothing to do, {time.perf_counter() - started:.3f} s"
        )
    return hour


def _store(url: str, hour: int) -> int:
    """Simulate a piece and store it."""
    killmails = {one.killmail_id: one for some in _simulated(hour, HOURS_A_PIECE) for one in some}
    with connect(url) as connection:
        for chunk in chunks(killmails.values()):
            cluster(connection, chunk, Rules())
    return len(killmails)


def _live(url: str, hour: int) -> float:
    """Milliseconds per killmail, the median over events of ten messages as the poller packs them."""
    took = []
    with connect(url) as connection:
        for some in _simulated(hour, LIVE_HOURS):
            for messages in batched(pack(some), 10, strict=False):
                killmails = [one for _, body in messages for one in unpack(body).killmails]
                started = time.perf_counter()
                cluster(connection, killmails, Rules())
                took.append((time.perf_counter() - started) * 1000 / len(killmails))
    return median(took)


def _simulated(first: int, count: int) -> Iterator[list[Killmail]]:
    for _, uploads in zip(range(count), hours(1, first), strict=False):
        yield [
            parse_killmail(
                dict(one["esi"]),
                killmail_hash=one["hash"],
                zkb=dict(one["zkb"]),
                uploaded_at=one["uploaded_at"],
            )
            for one in uploads
        ]


def _sizes(connection: Database) -> None:
    battles = _count(connection, "battles")
    total = 0
    print(f"{'table':24}{'rows':>12}{'bytes a row':>13}{'its indexes':>13}{'a battle':>10}")
    for table in TABLES:
        rows = _count(connection, table)
        heap, indexes = connection.execute(
            "SELECT pg_table_size(%s::regclass), pg_indexes_size(%s::regclass)", (table, table)
        ).fetchone() or (0, 0)
        total += heap + indexes
        print(
            f"{table:24}{rows:>12,}{heap / rows:>13,.0f}{indexes / rows:>13,.0f}{(heap + indexes) / battles:>10,.0f}"
        )
    print(f"{'all':24}{'':38}{total / battles:>10,.0f}")
    lone = connection.execute(
        "SELECT count(*) FROM killmails k WHERE NOT EXISTS (SELECT FROM battles b WHERE b.first_killmail_id = k.component_id)"
    ).fetchone()
    assert lone is not None
    print(f"{lone[0]:,} killmails are in no battle")


def _count(connection: Database, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 - our own tables
    assert row is not None
    return int(row[0])
