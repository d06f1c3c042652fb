"""Processes that import days of history beside each other: reading a day and making its battles is work for a core."""

import gc
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from typing import Self

from battlescope.database import LazyConnection
from battlescope.errors import LaptopError
from battlescope.prices import load_prices
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.history.importing import Day, Importer
from ingest.history.source import DayFile

POLL_S = 0.1
"""How often a waiting command looks at what was stored, and whether it is to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every worker needs to know."""

    db_url: str
    source: str
    rules: Rules


class DayWorkers:
    """A pool of such processes.

    Args:
        work: what they need to know.
        count: how many.
        stored: is told how many more killmails are in the database.
        is_stopped: whether to stop.
    """

    def __init__(
        self, work: Work, count: int, *, stored: Callable[[int], None], is_stopped: Callable[[], bool]
    ) -> None:
        # Not forked from here: this process has threads (the progress bar) and an open connection.
        processes = get_context("forkserver")
        processes.set_forkserver_preload([__name__])
        self._counts: SimpleQueue[int] = processes.SimpleQueue()
        self._stop = processes.Event()
        self._stored = stored
        self._is_stopped = is_stopped
        self._pool = ProcessPoolExecutor(
            count, processes, initializer=_begin, initargs=(work, self._counts, self._stop)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)
        # Their semaphores go now: where an error's traceback still holds us, the garbage collector would give them back, and
        # multiprocessing fails where that comes while it makes others.
        del self._counts, self._stop, self._pool

    def submit(self, day: date, file: DayFile) -> Future[Day | None]:
        """Have a day's file imported."""
        return self._pool.submit(_import, day, file)

    def wait(self, outcome: Future[Day | None]) -> None:
        """Return when this day is done; until then tell what was stored, and pass a stop on.

        Raises:
            LaptopError: a worker died.
        """
        while not outcome.done():
            wait([outcome], timeout=POLL_S)
            if self._is_stopped():
                self._stop.set()
            self._tell()
        self._tell()
        if isinstance(outcome.exception(), BrokenProcessPool):
            raise LaptopError(
                "a process that imported a day was killed (out of memory?): "
                "the same command goes on with the day it was in"
            )

    def _tell(self) -> None:
        while not self._counts.empty():
            self._stored(self._counts.get())


_importer: list[Importer] = []
"""This process's own, once it has begun."""


def _begin(work: Work, counts: "SimpleQueue[int]", stop: Event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's to act on
    gc.disable()  # a day is a few hundred thousand objects that are all in use; they are looked at once it is done
    connection = LazyConnection(work.db_url)
    _importer[:] = [
        Importer(
            connection=connection,
            source=work.source,
            store=lambda database, killmails: cluster(database, killmails, work.rules),
            prices=connection.run(load_prices),
            stored=counts.put,
            is_stopped=stop.is_set,
            now=time.time,
        )
    ]


def _import(day: date, file: DayFile) -> Day | None:
    try:
        return _importer[0].run(day, file)
    finally:
        gc.collect()
