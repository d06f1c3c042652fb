"""The run: the parts as processes, beside PostgreSQL and an SQS server; faults come when they are due."""

import gzip
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from battlescope import queue
from battlescope.database import connect
from battlescope.errors import LaptopError
from battlescope.migrate import migrate
from battlescope.queue import Outgoing
from battlescope.static import load_into
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.parts import Part
from battlescope_local.ports import free_port
from battlescope_local.simulate import write
from battlescope_local.status import free_lease
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds import Rejected
from ingest.feeds.archive import read_archive
from tests.soak.disk import fill, small_disk
from tests.soak.plan import Fault, Plan
from tests.soak.watching import Watch
from tests.support.dump import dump, orphans, unresolved_aliases

DISK_MB = 600
VISIBILITY_S = 3
DRAIN_MAX_S = 240.0
WORKERS = 2
POISON = "no killmails"
API_GROWTH_MAX = 1.25
RESIDENT_MAX_MB = 256

type Rows = dict[str, list[str]]
"""Of each table, as text, sorted."""


@dataclass(slots=True)
class Report:
    """What came of a run; `complaints` is empty where nothing broke."""

    killmails: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    resident_mb: dict[str, float] = field(default_factory=dict)
    api_growth: float = 1.0
    complaints: list[str] = field(default_factory=list)


def soak(plan: Plan, directory: Path) -> Report:
    """Play the feed through the system while the plan's faults happen; then compare with a quiet run."""
    archive = directory / "feed.jsonl.gz"
    lines = io.StringIO()
    killmails = write(lines, seed=plan.seed, hours_long=plan.hours)
    archive.write_bytes(gzip.compress(lines.getvalue().encode(), mtime=0))
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(directory / "disk", DISK_MB)) if plan.small_disk else directory
        stack.enter_context(_environment())
        system = stack.enter_context(_System(plan, disk, directory, archive).running())
        report = system.play()
        report.killmails = killmails
        with connect(system.postgres.url()) as connection:
            _compare(dump(connection), _quiet(archive, directory), report)
            wrong = (orphans(connection), unresolved_aliases(connection))
            if wrong != ({}, []):
                report.complaints.append(f"rows that belong to nothing: {wrong}")
        return report


class _System:
    def __init__(self, plan: Plan, disk: Path, directory: Path, archive: Path) -> None:
        self._plan = plan
        self._rng = random.Random(plan.seed)
        self._disk = disk
        self._directory = directory
        self._sent = 0
        self.postgres = EmbeddedPostgres(
            disk / "postgres", port=free_port(), settings={"max_wal_size": "64MB", "min_wal_size": "32MB"}
        )
        self._sqs = EmbeddedQueue(directory / "queue", port=free_port(), visibility_timeout_s=VISIBILITY_S)
        self._api_port = free_port()
        os.environ |= {
            "FEED": f"archive:{archive}",
            "SPEED": str(plan.hours * 3600 / plan.seconds),
            "DB_URL": self.postgres.url(),
            "ZKB_USERAGENT": "battlescope-soak/1 (tests)",
            "POWERTOOLS_METRICS_DISABLED": "true",
        }

    @contextmanager
    def running(self) -> Iterator["_System"]:
        self.postgres.start()
        try:
            with connect(self.postgres.url()) as connection:
                migrate(connection)
                load_into(connection)
            self._sqs.start()
            os.environ |= self._sqs.environment()
            self._parts = {
                name: Part(name, arguments, self._directory / f"{name}.log")
                for name, arguments in (
                    ("ingest", ["ingest", "--once"]),
                    *((f"cluster-{n}", ["cluster"]) for n in range(1, WORKERS + 1)),
                    ("api", ["api", "--port", str(self._api_port)]),
                )
            }
            self._second = Part("ingest-2", ["ingest", "--once"], self._directory / "ingest-2.log")
            yield self
        finally:
            everything = [*getattr(self, "_parts", {}).values(), getattr(self, "_second", None)]
            for part in filter(None, everything):
                part.ask_to_stop()
            for part in filter(None, everything):
                part.wait()
            self._sqs.stop()
            self.postgres.stop()

    def play(self) -> Report:
        report = Report()
        due = self._plan.faults(self._rng)
        started = time.monotonic()
        deadline = started + self._plan.seconds + DRAIN_MAX_S
        for part in self._parts.values():
            part.start()
        with Watch(f"http://127.0.0.1:{self._api_port}", self._parts) as watch:
            while due or not self._is_drained():
                now = time.monotonic()
                if now > deadline:
                    report.complaints.append("the feed is not drained in time")
                    break
                if due and now - started >= due[0].at_s:
                    fault = due.pop(0).fault
                    self._do(fault)
                    report.faults[fault] = report.faults.get(fault, 0) + 1
                self._revive(report)
                time.sleep(0.1)
        report.seconds = time.monotonic() - started
        report.answers = dict(watch.answers)
        report.resident_mb = {name: max(sizes) for name, sizes in watch.resident_mb.items() if sizes}
        report.api_growth = watch.growth("api")
        self._look_at(watch, report)
        return report

    def _do(self, fault: Fault) -> None:
        match fault:
            case Fault.KILL:
                self._kill(self._rng.choice([name for name in self._parts if name != "api"]))
            case Fault.STOP_DATABASE | Fault.CRASH_DATABASE:
                self.postgres.stop(immediate=fault is Fault.CRASH_DATABASE)
                time.sleep(0.5)
            case Fault.FILL_DISK:
                filler = self._disk / "filler"
                fill(filler)
                time.sleep(3)
                filler.unlink()
            case Fault.SECOND_POLLER:
                self._second.start()
            case Fault.MIGRATE:
                subprocess.run(
                    [sys.executable, "-m", "battlescope_local.cli", "migrate"],
                    check=False,
                    capture_output=True,
                )
            case Fault.POISON:
                self._sent += 1
                queue.send(self._sqs.queue_url, [Outgoing("30002813", f"{POISON} {self._sent}")])

    def _kill(self, name: str) -> None:
        part = self._parts[name]
        if part.process_id is None:
            return
        os.kill(part.process_id, signal.SIGKILL)
        part.wait()
        if name == "ingest" and self.postgres.is_running:
            # As `up` does for a poller that it knows to be dead; else the next one waits until the lease ends.
            with connect(self.postgres.url()) as connection:
                for (feed,) in connection.execute("SELECT feed FROM feed_cursors").fetchall():
                    free_lease(connection, str(feed))
        part.start()

    def _revive(self, report: Report) -> None:
        if not self.postgres.is_running:
            try:
                self.postgres.start()
            except LaptopError as error:
                report.complaints.append(f"PostgreSQL does not start again: {error}")
        for name, part in self._parts.items():
            if name == "ingest" and part.exit_code == 0:
                continue
            if (note := part.revive()) is not None:
                report.complaints.append(f"nobody killed it, but {note}")

    def _is_drained(self) -> bool:
        return self._parts["ingest"].exit_code == 0 and queue.depth(self._sqs.queue_url) == 0

    def _look_at(self, watch: Watch, report: Report) -> None:
        dead = _bodies(self._sqs.dead_letter_queue_url)
        planted = sorted(f"{POISON} {n}" for n in range(1, self._sent + 1))
        if sorted(dead) != planted:
            report.complaints.append(f"dead letters are {sorted(dead)[:5]}, planted were {planted[:5]}")
        if watch.unexpected:
            report.complaints.append(f"the API answered {watch.unexpected}")
        if watch.growth("api") > API_GROWTH_MAX:
            report.complaints.append(f"the API grew by {watch.growth('api'):.2f} times")
        for name, most in report.resident_mb.items():
            if most > RESIDENT_MAX_MB:
                report.complaints.append(f"{name} took {most:.0f} MiB")


def _bodies(queue_url: str) -> list[str]:
    found = []
    while (
        messages := queue.client()
        .receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        .get("Messages")
    ):
        for message in messages:
            found.append(message["Body"])
            queue.client().delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


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
