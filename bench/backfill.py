"""History: from a day's file to battles in PostgreSQL, sides included, against a bare COPY of the same rows.

Real days where they are, and simulated ones in every format; workers are started, and the files written, before the
clock is.
"""

import argparse
import bz2
import gzip
import io
import json
import resource
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from battlescope.database import connect
from battlescope_local.day_workers import DayWorkers, Work
from battlescope_local.new_eden import START, hours
from bench.copying import copies
from bench.support import DAYS, REAL_DAYS, database, machine
from cluster.engine.rules import Rules
from ingest.history.folder import Folder
from ingest.history.source import DayFile

FIRST_DAY = date(2026, 1, 1)

PRICES = (
    "INSERT INTO type_prices (type_id, price) SELECT type_id, 1e6 FROM generate_series(1, 90000) AS type_id"
)
"""Every type has one, so that every value is estimated, as where history is imported."""

type Killmails = list[dict[str, Any]]


def main(argv: Sequence[str]) -> None:
    """Print the rate of each format beside the COPY's."""
    parser = argparse.ArgumentParser(prog="bench backfill", description=__doc__)
    parser.add_argument("--days", type=int, default=6, help="simulated days")
    parser.add_argument("--killmails", type=int, default=16_000, help="of each simulated day")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(argv)
    print(machine())
    print(f"{'':34}{'killmails':>10}{'backfill/s':>12}{'COPY/s':>10}{'ratio':>8}")
    if REAL_DAYS.is_dir():
        _measure(
            "three real days, .jsonl.gz",
            REAL_DAYS,
            [date.fromisoformat(day) for day in DAYS],
            options.workers,
        )
    with tempfile.TemporaryDirectory() as name:
        days = {FIRST_DAY + timedelta(days=number): one for number, one in enumerate(_simulated(options))}
        for title, write in WRITERS.items():
            folder = Path(name) / title.split()[-1].strip(".")
            folder.mkdir()
            for day, killmails in days.items():
                write(folder, day, killmails)
            _measure(f"{len(days)} simulated days, {title}", folder, list(days), options.workers)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"largest worker: {usage / 1024:.0f} MiB")


def _measure(title: str, folder: Path, days: Iterable[date], workers: int) -> None:
    source = Folder(folder)
    files: list[tuple[date, DayFile]] = []
    for day in days:
        found = source.fetch(day, None, folder)
        assert isinstance(found, DayFile)
        files.append((day, found))
    with database() as url, tempfile.TemporaryDirectory() as empty:
        with connect(url) as connection:
            connection.execute(PRICES)
        work = Work(db_url=url, source="bench", rules=Rules())
        with DayWorkers(work, workers, stored=lambda _: None, is_stopped=lambda: False) as pool:
            nothing = Path(empty) / "killmails-2000-01-01.jsonl"
            nothing.write_bytes(b"\n")
            idle = Folder(Path(empty)).fetch(date(2000, 1, 1), None, Path(empty))
            assert isinstance(idle, DayFile)
            for warm in [pool.submit(date(2000, 1, 1), idle) for _ in range(workers)]:
                warm.result()
            started = time.perf_counter()
            outcomes = [pool.submit(day, file) for day, file in files]
            for outcome in outcomes:
                pool.wait(outcome)
                done = outcome.result()
                assert done is not None
                assert not done.complaints, done
            took_s = time.perf_counter() - started
        with connect(url) as connection:
            (count,) = connection.execute("SELECT count(*) FROM killmails").fetchone() or (0,)
            copy_s = median(copies(connection))
    print(
        f"{title:34}{count:>10,}{count / took_s:>12,.0f}{count / copy_s:>10,.0f}{copy_s / took_s:>8.3f}",
        flush=True,
    )


def _simulated(options: argparse.Namespace) -> list[Killmails]:
    """Days of simulated killmails, each with its hash, as archives have them: without values."""
    days: list[Killmails] = []
    seen: set[int] = set()
    held: Killmails = []
    for uploads in hours(1, START // 3600):
        for upload in uploads:
            if upload["killmail_id"] not in seen:
                seen.add(upload["killmail_id"])
                held.append({**upload["esi"], "killmail_hash": upload["hash"]})
        if len(held) >= options.killmails:
            days.append(held)
            held = []
            if len(days) == options.days:
                return days
    raise AssertionError("the simulation has no end")


def _lines(folder: Path, day: date, killmails: Killmails) -> None:
    text = "".join(json.dumps(one) + "\n" for one in killmails).encode()
    (folder / f"killmails-{day}.jsonl.gz").write_bytes(gzip.compress(text, 6))


def _raw(folder: Path, day: date, killmails: Killmails) -> None:
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "raw" / f"{day:%Y%m%d}.json").write_text(
        json.dumps({one["killmail_id"]: one for one in killmails})
    )
    (folder / f"{day:%Y%m%d}.json").write_text(
        json.dumps({one["killmail_id"]: one["killmail_hash"] for one in killmails})
    )


def _tar(folder: Path, day: date, killmails: Killmails) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for one in killmails:
            body = json.dumps(one).encode()
            member = tarfile.TarInfo(f"killmails/{one['killmail_id']}.json")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    (folder / f"killmails-{day}.tar.bz2").write_bytes(bz2.compress(packed.getvalue()))


WRITERS: dict[str, Callable[[Path, date, Killmails], None]] = {
    "JSON lines": _lines,
    "R2Z2 raw": _raw,
    "EVE Ref .tar.bz2": _tar,
}
