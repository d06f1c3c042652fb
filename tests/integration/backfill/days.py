"""Three days of killmails as files, and what of them is stored."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from battlescope.database import Database
from tests.support.payloads import Json, esi_killmail

FIRST = datetime(2026, 3, 28, tzinfo=UTC).timestamp()
SPAN = "2026-03-28..2026-03-30"
DAYS = ("2026-03-28", "2026-03-29", "2026-03-30")
KILLMAILS = [
    esi_killmail(1000 + number, at=FIRST + number * 600, system=30_000_001 + number // 6 % 4)
    for number in range(3 * 144)
]

type Run = Callable[..., tuple[int, str]]


def counted(database: Database) -> int:
    row = database.execute("SELECT count(*) FROM killmails").fetchone()
    assert row is not None
    return int(row[0])


def rejections(database: Database) -> list[tuple[int | None, str]]:
    rows = database.execute("SELECT killmail_id, reason FROM rejected_killmails ORDER BY reason").fetchall()
    return [(row[0], row[1]) for row in rows]


def of_day(number: int) -> list[Json]:
    return KILLMAILS[144 * number : 144 * (number + 1)]


def lines(folder: Path, day: str, killmails: list[Json]) -> Path:
    path = folder / f"killmails-{day}.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in killmails).encode()))
    return path
