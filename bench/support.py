"""What the benchmarks share: killmails, a PostgreSQL of their own, a clock."""

import gc
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from battlescope.database import connect
from battlescope.killmail import Killmail
from battlescope.migrate import migrate
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.ports import free_port
from ingest.feeds import Rejected
from ingest.feeds.archive import read_archive

REAL_DAYS = Path(__file__).resolve().parents[2] / "shared" / "data"
_PIECE_BYTES = 2**20
DAYS = ("2021-11-27", "2021-11-28", "2021-12-01")


def real_day_path(day: str) -> Path:
    """The archive of one real day."""
    return REAL_DAYS / f"killmails-{day}.jsonl.gz"


def real_days() -> list[Killmail]:
    """The killmails of three real days.

    Raises:
        SystemExit: they are not here.
    """
    if not REAL_DAYS.is_dir():
        raise SystemExit(
            f"this benchmark needs the real killmails in {REAL_DAYS.parent.name}/{REAL_DAYS.name}"
        )
    read = [one for day in DAYS for one in read_archive(real_day_path(day))]
    return [one for one in read if not isinstance(one, Rejected)]


@contextmanager
def database() -> Iterator[str]:
    """The URL of a migrated database on a PostgreSQL of its own, with the defaults of PostgreSQL (fsync and all)."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", port=free_port())
        server.start()
        try:
            with connect(server.url()) as connection:
                migrate(connection)
            yield server.url()
        finally:
            server.stop()


def seconds(work: Callable[[], object]) -> float:
    """How long `work()` takes."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def best_of(runs: int, work: Callable[[], object]) -> float:
    """The shortest of some runs: the one that the machine disturbed least."""
    return min(seconds(work) for _ in range(runs))


def remember(folder: Path) -> None:
    """Have the system keep the files of a folder in memory, where there is room."""
    for path in _files(folder):
        with path.open("rb") as file:
            while file.read(_PIECE_BYTES):
                pass


def forget(folder: Path) -> None:
    """Have the system keep none of the files of a folder; what was written goes to the disk first."""
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def machine() -> str:
    """What this runs on."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return f"{cpu}, Python {platform.python_version()}, {platform.system()}"
