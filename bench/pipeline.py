"""The pipeline under load: the highest steady rate of the poller and of the workers, and what twice that does.

All parts are processes of their own, as pods run them, beside an SQS server and a PostgreSQL, and share this machine's cores.
First the poller alone fills the queue with a real day; then the workers alone empty it. Then the same messages are sent at
0.9, 0.8, ... of the workers' rate, until a rate is found at which each killmail is stored within `STEADY_S`; then at twice
that. Each step is bounded by the day's end.

How long a killmail waits from being sent to being stored is told from how many were sent and stored by when.
"""

import argparse
import os
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate, batched
from pathlib import Path
from statistics import quantiles
from threading import Thread

from tests.support.dump import COMPARED
from tests.support.waiting import wait_until

from battlescope import queue
from battlescope.database import Database, LazyConnection, connect
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from battlescope.migrate import migrate
from battlescope.queue import Outgoing
from battlescope.static import load_into
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.parts import Part
from battlescope_local.ports import free_port
from bench.processors import Taken
from bench.support import machine, real_day_path
from ingest.cursor import Cursors
from ingest.feeds import Batch, Position
from ingest.feeds.archive import read_archive
from ingest.feeds.r2z2 import ITEMS_MAX
from ingest.poller import Poller

DAY = "2021-11-28"
SHARES = (0.9, 0.8, 0.7, 0.6, 0.5)
OVERLOAD = 2
STEADY_S = 3.0
LOOK_S = 0.05
WAIT_S = 120
SENT_TOGETHER = 10
SENT_BEFORE = 40
"""Messages before the clock starts: workers take a second to start."""


class _Messages:
    """The day's messages as the poller packs a hundred killmails, and how many killmails there are up to each."""

    def __init__(self, killmails: Sequence[Killmail]) -> None:
        bodies = [message for some in batched(killmails, ITEMS_MAX, strict=False) for message in pack(some)]
        self.outgoing = [Outgoing(str(system_id), body) for system_id, body in bodies]
        self.killmails = list(accumulate(len(unpack(body).killmails) for _, body in bodies))


type _Curve = list[tuple[float, int]]
"""How many killmails there were by when; both ascend."""


def main(argv: Sequence[str]) -> None:
    """Print the rates, what each process computed, and how long killmails waited."""
    parser = argparse.ArgumentParser(prog="bench pipeline", description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory() as name, _postgres(Path(name)) as connection:
        folder = Path(name)
        day = [one for one in read_archive(real_day_path(DAY)) if isinstance(one, Killmail)]
        messages = _Messages(day)
        with _queue_server(folder) as sqs:
            _ingest(sqs, folder, day)
            with _workers(folder, options.workers) as workers:
                rate = _drain(connection, workers | _servers(folder), len(day))
        for share in SHARES:
            title = f"{share} of that, sent steadily"
            longest = _send_at(share * rate, title, connection, folder, options.workers, messages)
            if longest <= STEADY_S:
                break
        _send_at(OVERLOAD * share * rate, "twice as many", connection, folder, options.workers, messages)


def _ingest(sqs: EmbeddedQueue, folder: Path, day: Sequence[Killmail]) -> None:
    """The poller, in this process, reads the day into the queue."""
    feed = _Hundreds(day)
    lazy = LazyConnection(os.environ["DB_URL"])
    poller = Poller(feed, Cursors(lazy), lambda messages: queue.send(sqs.queue_url, messages))
    taken = Taken({"poller": os.getpid(), **_servers(folder)})
    started = time.monotonic()
    tally = poller.run("bench", lambda: 3600.0)
    seconds = time.monotonic() - started
    lazy.close()
    assert tally.ingested == len(day)
    cycles = [1000 * (later - earlier) for earlier, later in zip(feed.polled, feed.polled[1:], strict=False)]
    print(
        f"{'poller alone':28}{tally.ingested / seconds:>7,.0f} killmails/s   from poll to poll"
        f" {_percentiles(cycles)} ms   {taken}",
        flush=True,
    )


class _Hundreds:
    """A feed of killmails in batches as large as R2Z2's, which notes when it is polled.

    From one poll to the next a batch was sent, and the cursor moved.
    """

    name = "bench"

    def __init__(self, killmails: Sequence[Killmail]) -> None:
        self._killmails = killmails
        self.polled: list[float] = []

    def poll(self, position: Position | None, budget_s: float) -> Batch:  # noqa: ARG002 - Feed's signature
        """The next hundred."""
        self.polled.append(time.perf_counter())
        first = int((position or {}).get("read", 0))
        after = first + ITEMS_MAX
        return Batch(
            killmails=list(self._killmails[first:after]),
            position={"read": after},
            drained=after >= len(self._killmails),
        )


def _drain(connection: Database, processes: Mapping[str, int], count: int) -> float:
    """The workers empty the queue; the rate, in killmails a second."""
    wait_until(lambda: _stored(connection) > 0, WAIT_S, every_s=LOOK_S)
    taken = Taken(processes)
    first, started = _stored(connection), time.monotonic()
    wait_until(lambda: _stored(connection) >= count, WAIT_S, every_s=LOOK_S)
    seconds = time.monotonic() - started
    rate = (count - first) / seconds
    print(f"{'workers alone':28}{rate:>7,.0f} killmails/s   {taken}", flush=True)
    return rate


def _send_at(
    rate: float, title: str, connection: Database, folder: Path, workers: int, day: _Messages
) -> float:
    """The day's messages at so many killmails a second, to new workers through a new SQS server.

    A server that has served remembers five minutes of messages, and is slower for it.

    Returns:
        The longest that a killmail waited until it was stored, in seconds.
    """
    connection.execute(f"TRUNCATE {', '.join((*COMPARED, 'battle_aliases'))}")
    sent: _Curve = []
    stored: _Curve = []
    with _queue_server(folder) as sqs, _workers(folder, workers) as started_workers:
        queue.send(sqs.queue_url, day.outgoing[:SENT_BEFORE])
        before_it = day.killmails[SENT_BEFORE - 1]
        wait_until(lambda: _stored(connection) == before_it, WAIT_S, every_s=LOOK_S)
        started = time.monotonic()

        def send() -> None:
            place = SENT_BEFORE
            for some in batched(day.outgoing[place:], SENT_TOGETHER, strict=False):
                due = started + (day.killmails[place - 1] - before_it) / rate
                time.sleep(max(0.0, due - time.monotonic()))
                queue.send(sqs.queue_url, some)
                place += len(some)
                sent.append((time.monotonic(), day.killmails[place - 1]))

        def are_all_stored() -> bool:
            stored.append((time.monotonic(), _stored(connection)))
            return stored[-1][1] == day.killmails[-1]

        taken = Taken({"sender": os.getpid(), **started_workers, **_servers(folder)})
        sender = Thread(target=send)
        sender.start()
        wait_until(are_all_stored, WAIT_S, every_s=LOOK_S)
        sender.join()
        seconds = time.monotonic() - started
        shares = str(taken)
    numbers = range(before_it + 1, day.killmails[-1] + 1)
    waits = sorted(_when(stored, number) - _when(sent, number) for number in numbers)
    print(
        f"{title:28}{rate:>7,.0f} killmails/s   stored {len(numbers) / seconds:,.0f}/s,"
        f" after {_percentiles(waits)} s, at most {waits[-1]:.2f} s   {shares}",
        flush=True,
    )
    return waits[-1]


def _when(curve: _Curve, number: int) -> float:
    return curve[bisect_left(curve, number, key=lambda point: point[1])][0]


def _percentiles(values: Sequence[float]) -> str:
    cuts = quantiles(values, n=100)
    return f"p50 {cuts[49]:.2f} p95 {cuts[94]:.2f} p99 {cuts[98]:.2f}"


def _stored(connection: Database) -> int:
    row = connection.execute("SELECT count(*) FROM killmails").fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def _postgres(folder: Path) -> Iterator[Database]:
    """A PostgreSQL with its defaults, which the environment names, and a connection."""
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres", port=free_port())
        postgres.start()
        stack.callback(postgres.stop)
        connection = stack.enter_context(connect(postgres.url()))
        migrate(connection)
        load_into(connection)
        os.environ |= {
            "DB_URL": postgres.url(),
            "ZKB_USERAGENT": "battlescope-bench/1 (benchmark)",
            "POWERTOOLS_METRICS_DISABLED": "true",
        }
        yield connection


@contextmanager
def _queue_server(folder: Path) -> Iterator[EmbeddedQueue]:
    """An SQS server with empty queues, which the environment names."""
    sqs = EmbeddedQueue(folder / "queue", port=free_port())
    sqs.start()
    os.environ |= sqs.environment()
    try:
        yield sqs
    finally:
        sqs.stop()


def _servers(folder: Path) -> dict[str, int]:
    """Their processes, by name."""
    pids = {
        "PostgreSQL": folder / "postgres" / "postmaster.pid",
        "SQS server": folder / "queue" / "queue.pid",
    }
    return {name: int(path.read_text().split()[0]) for name, path in pids.items()}


@contextmanager
def _workers(folder: Path, count: int) -> Iterator[dict[str, int]]:
    """Workers as pods run them, and their processes."""
    parts = [Part(f"worker {n}", ["cluster"], folder / f"worker-{n}.log") for n in range(1, count + 1)]
    for part in parts:
        part.start()
    try:
        yield {part.name: process_id for part in parts if (process_id := part.process_id) is not None}
    finally:
        for part in parts:
            part.ask_to_stop()
        for part in parts:
            part.wait()
