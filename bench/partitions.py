"""Whether the largest table would be better off in partitions by time.

`battle_participants` of a database of many battles is copied as a whole, by month, and in as many partitions as all of EVE
has months, with the same indexes; a partitioned table's primary key must hold what it is divided by. The newest battles are held
back, and then written as the live path writes them, eight battles to a transaction. All are asked the same, in turns.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from itertools import batched, pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

from battlescope.database import Database, connect
from bench.building import Built, built
from bench.support import forget, machine, remember

MONTH_HOURS = 365 * 2
EVE_MONTHS = 200
HELD_BACK_HOURS = 24
WRITTEN_TOGETHER = 8
ASKED = 300
COLUMNS = "battle_id, character_id, ship_type_id, corp_id, alliance_id, side_id, is_victim, start_hour"
READS = {
    "participants of a battle, by its id": "SELECT * FROM {} WHERE battle_id = %(battle)s",
    "the same, its time known too": "SELECT * FROM {} WHERE battle_id = %(battle)s AND start_hour = %(hour)s",
    "a pilot's fifty newest": "SELECT * FROM {} WHERE character_id = %(pilot)s ORDER BY start_hour DESC LIMIT 50",
    "all of a pilot": "SELECT count(*) FROM {} WHERE character_id = %(pilot)s",
}

ARRIVING = (
    f"CREATE TEMP TABLE arriving AS SELECT {COLUMNS} FROM battle_participants WHERE battle_id = ANY(%s)"  # noqa: S608 - our own tables
)
WRITE = f"INSERT INTO {{}} ({COLUMNS}) SELECT * FROM arriving ON CONFLICT DO NOTHING"  # noqa: S608 - our own tables
DELETE = (
    "DELETE FROM {} WHERE battle_id IN (SELECT id FROM battles WHERE start_time < to_timestamp(%(before)s))"
)


class _Copy(NamedTuple):
    """A copy of the table in this many partitions, at most; one: not divided."""

    table: str
    partitions: int


class _Span(NamedTuple):
    """The hours since 1970 that the table has rows of: the first, and the one after the last."""

    first: int
    last: int

    @property
    def months(self) -> int:
        return max(2, (self.last - self.first) // MONTH_HOURS)

    def edges(self, parts: int) -> list[int]:
        """Of so many equal spans."""
        return [self.first + (self.last - self.first) * number // parts for number in range(parts + 1)]


def main(argv: Sequence[str]) -> None:
    """Copy, measure, print, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="bench partitions", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the many are kept, to be built once")
    options = parser.parse_args(argv)
    print(machine())
    with built(options.battles, options.folder) as many, connect(many.url) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        span = _span(connection)
        copies = [_Copy("whole", 1), _Copy("by_month", span.months), _Copy("as_all_of_eve", EVE_MONTHS)]
        try:
            for copy in copies:
                _make(connection, copy, span)
            _measure(connection, many, copies, span)
        finally:
            for copy in copies:
                connection.execute(f"DROP TABLE IF EXISTS {copy.table}".encode())


def _measure(connection: Database, many: Built, copies: Sequence[_Copy], span: _Span) -> None:
    print(f"{'':42}" + "".join(f"{f'{copy.table}, {copy.partitions}':>20}" for copy in copies))
    _print("bytes a row, with indexes", [_bytes_a_row(connection, copy) for copy in copies])
    asked = _asked(connection)
    remember(many.files)
    for what, statement in READS.items():
        _print(f"{what}, ms", _reads_ms(connection, copies, statement, asked))
    begin, middle, end = span.last - HELD_BACK_HOURS, span.last - HELD_BACK_HOURS // 2, span.last
    _print("eight new battles, files in memory, ms", _writes_ms(connection, copies, begin, middle))
    connection.execute("CHECKPOINT")
    forget(many.files)
    _print("eight new battles, files on disk, ms", _writes_ms(connection, copies, middle, end))
    oldest = span.edges(span.months)[1]
    _print("the oldest month goes, s", [_drop_s(connection, copy, span, oldest) for copy in copies])
    _print("VACUUM after it, s", [_seconds(connection, f"VACUUM {copy.table}") for copy in copies])


def _span(connection: Database) -> _Span:
    row = connection.execute(
        "SELECT min(start_hour), max(start_hour) + 1 FROM battle_participants"
    ).fetchone()
    assert row is not None
    return _Span(*row)


def _make(connection: Database, copy: _Copy, span: _Span) -> None:
    divided = copy.partitions > 1
    connection.execute(
        f"CREATE TABLE {copy.table} (LIKE battle_participants){' PARTITION BY RANGE (start_hour)' if divided else ''}".encode()
    )
    if divided:
        for number, (begin, end) in enumerate(pairwise(span.edges(copy.partitions))):
            connection.execute(
                f"CREATE TABLE {copy.table}_{number} PARTITION OF {copy.table} FOR VALUES FROM ({begin}) TO ({end})".encode()
            )
    connection.execute(
        f"INSERT INTO {copy.table} ({COLUMNS}) SELECT {COLUMNS} FROM battle_participants WHERE start_hour < %s".encode(),  # noqa: S608 - our own tables
        (span.last - HELD_BACK_HOURS,),
    )
    key = "battle_id, character_id, ship_type_id" + (", start_hour" if divided else "")
    connection.execute(f"ALTER TABLE {copy.table} ADD PRIMARY KEY ({key})".encode())
    connection.execute(f"CREATE INDEX ON {copy.table} (character_id, start_hour)".encode())
    connection.execute(f"VACUUM ANALYZE {copy.table}".encode())


def _bytes_a_row(connection: Database, copy: _Copy) -> float:
    row = connection.execute(
        f"""
        SELECT (SELECT pg_total_relation_size('{copy.table}') + coalesce(sum(pg_total_relation_size(relid)), 0)
                FROM pg_partition_tree('{copy.table}') WHERE isleaf)
            / (SELECT count(*) FROM {copy.table})
        """.encode()  # noqa: S608 - our own tables
    ).fetchone()
    assert row is not None
    return float(row[0])


def _asked(connection: Database) -> list[dict[str, Any]]:
    """Battles and pilots of rows at random: pilots who fly much are asked more often, as in life."""
    rows = connection.execute(
        "SELECT battle_id, start_hour, character_id FROM whole TABLESAMPLE SYSTEM (1) REPEATABLE (1)"
    ).fetchall()
    return [
        {"battle": battle, "hour": hour, "pilot": pilot}
        for battle, hour, pilot in random.Random(1).sample(rows, ASKED)
    ]


def _reads_ms(
    connection: Database, copies: Sequence[_Copy], statement: str, asked: Sequence[dict[str, Any]]
) -> list[float]:
    times: list[list[float]] = [[] for _ in copies]
    for values in asked:
        for copy, took in zip(copies, times, strict=True):
            took.append(1000 * _seconds(connection, statement.format(copy.table), values))
    return [median(took) for took in times]


def _writes_ms(connection: Database, copies: Sequence[_Copy], begin: int, end: int) -> list[float]:
    times: list[list[float]] = [[] for _ in copies]
    for battles in _held_back(connection, begin, end):
        connection.execute(ARRIVING.encode(), (battles,))
        for copy, took in zip(copies, times, strict=True):
            took.append(1000 * _seconds(connection, WRITE.format(copy.table)))
        connection.execute("DROP TABLE arriving")
    return [median(took) for took in times]


def _seconds(connection: Database, statement: str, values: dict[str, Any] | None = None) -> float:
    """How long it takes, with its rows read."""
    started = time.perf_counter()
    cursor = connection.execute(statement.encode(), values)
    if cursor.description is not None:
        cursor.fetchall()
    return time.perf_counter() - started


def _held_back(connection: Database, begin: int, end: int) -> Iterator[list[UUID]]:
    """Battles that began in these hours, some at a time, in their order."""
    rows = connection.execute(
        "SELECT DISTINCT start_hour, battle_id FROM battle_participants WHERE start_hour >= %s AND start_hour < %s ORDER BY 1, 2",
        (begin, end),
    ).fetchall()
    for some in batched(rows, WRITTEN_TOGETHER, strict=False):
        yield [battle for _, battle in some]


def _drop_s(connection: Database, copy: _Copy, span: _Span, before: int) -> float:
    """Partitions that end by then are dropped; of the whole table the battles are looked up and their rows deleted."""
    if copy.partitions == 1:
        return _seconds(connection, DELETE.format(copy.table), {"before": before * 3600})
    ends = span.edges(copy.partitions)[1:]
    return sum(
        _seconds(connection, f"DROP TABLE {copy.table}_{number}")
        for number, end in enumerate(ends)
        if end <= before
    )


def _print(what: str, values: Sequence[float]) -> None:
    print(f"{what:42}" + "".join(f"{value:>20,.3f}" for value in values), flush=True)
