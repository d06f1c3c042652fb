"""The memory of a cluster worker over a whole real day."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import batched
from pathlib import Path
from threading import Event

from bench.live import event_of, messages_of
from bench.support import database, machine

DAY = "2021-11-28"


def main(argv: Sequence[str]) -> None:
    """Print the resident memory of a worker process as the day goes by, and its peak."""
    parser = argparse.ArgumentParser(prog="bench memory", description=__doc__)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.worker:
        _work(Path(options.worker))
        return
    print(machine())
    bodies = [body for _, body in messages_of(DAY)]
    with database() as url, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "messages"
        path.write_text("\n".join(bodies))
        subprocess.run(
            [sys.executable, "-m", "bench", "memory", "--worker", str(path)],
            env={**os.environ, "DB_URL": url, "POWERTOOLS_METRICS_DISABLED": "true"},
            check=True,
        )


def _work(path: Path) -> None:
    from battlescope.runtime.context import Context  # noqa: PLC0415
    from cluster.handler import handler  # noqa: PLC0415

    done = 0
    with path.open() as lines:
        for bodies in batched((line.rstrip("\n") for line in lines), 10, strict=False):
            handler(event_of([(0, body) for body in bodies]), Context("cluster", 30, Event()))
            done += len(bodies)
            if done % 1000 < 10:
                print(f"{done:>7,} messages  {_resident_mib():6.1f} MiB")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MiB")


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
