"""The run: play a feed through a system while faults happen to it, then compare with a quiet run."""

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from battlescope import queue
from battlescope.database import connect
from battlescope.migrate import migrate
from battlescope.static import load_into
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.ports import free_port
from battlescope_local.simulate import write
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds import Rejected
from ingest.feeds.archive import read_archive
from tests.soak.disk import small_disk
from tests.soak.plan import Plan
from tests.soak.report import Report
from tests.soak.system import System
from tests.support.dump import dump, orphans, unresolved_aliases

DISK_MB = 600

type Rows = dict[str, list[str]]
"""Of each table, as text, sorted."""


def soak(plan: Plan, directory: Path) -> Report:
    """Play the feed through the system while the plan's faults happen; then compare with a quiet run."""
    archive = directory / "feed.jsonl.gz"
    lines = io.StringIO()
    killmails = write(lines, seed=plan.seed, hours_long=plan.hours)
    archive.write_bytes(gzip.compress(lines.getvalue().encode(), mtime=0))
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(directory / "disk", DISK_MB)) if plan.small_disk else directory
        stack.enter_context(_environment())
        system = stack.enter_context(System(plan, disk, directory, archive).running())
        report = system.play()
        report.killmails = killmails
        report.weigh()
        with connect(system.postgres.url()) as connection:
            _compare(dump(connection), _quiet(archive, directory), report)
            wrong = (orphans(connection), unresolved_aliases(connection))
            if wrong != ({}, []):
                report.complaints.append(f"rows that belong to nothing: {wrong}")
        return report


def _quiet(archive: Path, directory: Path) -> Rows:
    """What the same feed leaves where nothing happens: one process, no queue, in the feed's order."""
    postgres = EmbeddedPostgres(directory / "quiet", port=free_port())
    postgres.start()
    try:
        with connect(postgres.url()) as connection:
            migrate(connection)
            load_into(connection)
            killmails = [one for one in read_archive(archive) if not isinstance(one, Rejected)]
            for start in range(0, len(killmails), 500):
                cluster(connection, killmails[start : start + 500], Rules())
            return dump(connection)
    finally:
        postgres.stop()


def _compare(found: Rows, expected: Rows, report: Report) -> None:
    for table, rows in expected.items():
        ours, theirs = sorted(set(found[table]) - set(rows)), sorted(set(rows) - set(found[table]))
        if ours or theirs:
            report.complaints.append(
                f"{table} differs from the quiet run: {len(ours)} rows, the first {ours[:1]}, in the place of "
                f"{len(theirs)}, the first {theirs[:1]}"
            )
        elif len(found[table]) != len(rows):
            report.complaints.append(f"{table} has {len(found[table])} rows, not {len(rows)}")


@contextmanager
def _environment() -> Iterator[None]:
    """Whatever is set in the block is not set after it."""
    saved = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)
        queue.client.cache_clear()
