"""The system under test, and what is done to it when it is due."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from battlescope import queue
from battlescope.database import connect
from battlescope.errors import BattleScopeError, LaptopError
from battlescope.migrate import migrate
from battlescope.queue import Outgoing
from battlescope.static import load_into
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.parts import Part
from battlescope_local.ports import free_port
from battlescope_local.status import free_lease
from tests.soak.disk import fill
from tests.soak.plan import Fault, Plan
from tests.soak.report import Report
from tests.soak.watching import Watch

VISIBILITY_S = 3
DRAIN_MAX_S = 240.0
WORKERS = 2
POISON = "no killmails"


class System:
    """The parts as processes, beside PostgreSQL and an SQS server.

    Args:
        plan: what is done to it.
        disk: where PostgreSQL lives.
        directory: for logs.
        archive: the feed.
    """

    def __init__(self, plan: Plan, disk: Path, directory: Path, archive: Path) -> None:
        self._plan = plan
        self._rng = random.Random(plan.seed)
        self._disk = disk
        self._directory = directory
        self._planted: list[str] = []
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
    def running(self) -> Iterator["System"]:
        """The system, its parts not yet started, until the block ends."""
        with ExitStack() as stack:
            self.postgres.start()
            stack.callback(self.postgres.stop)
            with connect(self.postgres.url()) as connection:
                migrate(connection)
                load_into(connection)
            self._sqs.start()
            stack.callback(self._sqs.stop)
            os.environ |= self._sqs.environment()
            commands = {
                "ingest": ["ingest", "--once"],
                **{f"cluster-{n}": ["cluster"] for n in range(1, WORKERS + 1)},
                "api": ["api", "--port", str(self._api_port)],
            }
            self._parts = {name: self._part(name, arguments) for name, arguments in commands.items()}
            self._second = self._part("ingest-2", commands["ingest"])
            stack.callback(_stop, [*self._parts.values(), self._second])
            yield self

    def play(self) -> Report:
        """Start the parts, do what is planned when it is due, and wait until the feed is drained."""
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
                if due and now - started >= due[0].at_s and self._do(due[0].fault, report):
                    report.faults[due.pop(0).fault] += 1
                self._revive(report)
                time.sleep(0.1)
        report.seconds = time.monotonic() - started
        report.answers = watch.answers
        report.resident_mb = {name: max(sizes) for name, sizes in watch.resident_mb.items() if sizes}
        report.growth = {name: watch.growth(name) for name in report.resident_mb}
        report.complaints += self._dead_letters()
        if watch.unexpected:
            report.complaints.append(f"the API answered {dict(watch.unexpected)}")
        return report

    def _part(self, name: str, arguments: list[str]) -> Part:
        return Part(name, arguments, self._directory / f"{name}.log")

    def _do(self, fault: Fault, report: Report) -> bool:
        """Whether it could be done now."""
        match fault:
            case Fault.KILL:
                return self._kill()
            case Fault.STOP_DATABASE | Fault.CRASH_DATABASE:
                self.postgres.stop(immediate=fault is Fault.CRASH_DATABASE)
                time.sleep(0.5)
            case Fault.FILL_DISK:
                report.complaints += self._fill_disk()
            case Fault.SECOND_POLLER:
                self._second.start()
            case Fault.MIGRATE:
                report.complaints += _migrate_again()
            case Fault.POISON:
                self._planted.append(f"{POISON} {len(self._planted)}")
                queue.send(self._sqs.queue_url, [Outgoing("30002813", self._planted[-1])])
        return True

    def _kill(self) -> bool:
        living = [
            (part, process_id)
            for name, part in self._parts.items()
            if name != "api" and (process_id := part.process_id) is not None
        ]
        if not living:
            return False
        part, process_id = self._rng.choice(living)
        os.kill(process_id, signal.SIGKILL)
        part.wait()
        if part.name == "ingest" and self.postgres.is_running:
            # As `up` does for a poller that it knows to be dead; else the next one waits until the lease ends.
            with connect(self.postgres.url()) as connection:
                for (feed,) in connection.execute("SELECT feed FROM feed_cursors").fetchall():
                    free_lease(connection, str(feed))
        part.start()
        return True

    def _fill_disk(self) -> Iterator[str]:
        filler = self._disk / "filler"
        try:
            fill(filler)
            time.sleep(3)
            with connect(self.postgres.url()) as connection:
                connection.execute(
                    "CREATE TABLE too_large AS SELECT repeat('x', 1000) FROM generate_series(1, 100000)"
                )
                connection.execute("DROP TABLE too_large")
            yield "the disk was to be full, and 100 MB were written"
        except (psycopg.Error, BattleScopeError):
            pass  # as it should be
        finally:
            filler.unlink()

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

    def _dead_letters(self) -> Iterator[str]:
        dead = sorted(_bodies(self._sqs.dead_letter_queue_url))
        if dead != sorted(self._planted):
            yield f"dead letters are {dead[:5]}, planted were {self._planted[:5]}"


def _stop(parts: Sequence[Part]) -> None:
    for part in parts:
        part.ask_to_stop()
    for part in parts:
        part.wait()


def _migrate_again() -> Iterator[str]:
    done = subprocess.run(
        [sys.executable, "-m", "battlescope_local.cli", "migrate"],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        yield f"migrate ended with {done.returncode}: {done.stderr[-300:]}"


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
