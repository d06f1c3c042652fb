"""Whole days into the database: fetched one after the other, imported by workers beside each other.

The source sees one connection, whoever imports. Days may be stored in any order: the battles are a function of the
killmails.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from battlescope.database import LazyConnection
from battlescope.errors import FeedError
from ingest.history import ledger
from ingest.history.days import Span
from ingest.history.download import HistoryUnavailableError
from ingest.history.importing import Day, State
from ingest.history.source import DayFile, Nothing, Source


@dataclass(slots=True)
class _Underway:
    """A day that a worker has in hand, and the folder that its file lies in."""

    outcome: Future[Day | None]
    folder: TemporaryDirectory[str]

    def take(self) -> Day | None:
        """What became of it; its file goes."""
        try:
            return self.outcome.result()
        finally:
            self.folder.cleanup()


class Backfill:
    """Imports days.

    Args:
        connection: to the database.
        source: where days come from.
        submit: has a worker import a day's file; the future's day is None where it was stopped.
        ahead: how many days are fetched before the first of them is stored.
        recheck_after: a day imported, or found unchanged, so recently is not asked for.
    """

    def __init__(
        self,
        connection: LazyConnection,
        source: Source,
        submit: Callable[[date, DayFile], Future[Day | None]],
        *,
        ahead: int,
        recheck_after: timedelta,
    ) -> None:
        self._connection = connection
        self._source = source
        self._submit = submit
        self._ahead = ahead
        self._recheck_after = recheck_after

    def run(
        self,
        span: Span,
        *,
        force: bool,
        is_stopped: Callable[[], bool],
        wait: Callable[[Future[Day | None]], None],
    ) -> Iterator[Day]:
        """Import these days, oldest first; they come out in their order.

        Args:
            span: the days.
            force: import days again although they did not change.
            is_stopped: whether to end.
            wait: returns when the future is done.

        Raises:
            HistoryUnavailableError: the source is not to be asked for longer than this run waits; what was fetched
                before is imported.
            DatabaseError: the database is away.
        """
        underway: deque[_Underway] = deque()

        def finished(most: int) -> Iterator[Day]:
            while len(underway) > most:
                wait(underway[0].outcome)
                if (done := underway.popleft().take()) is not None:
                    yield done

        unavailable: HistoryUnavailableError | None = None
        for day in span.days():
            if is_stopped():
                break
            try:
                underway.append(self._begin(day, force=force))
            except HistoryUnavailableError as error:
                unavailable = error
                break
            yield from finished(self._ahead)
        yield from finished(0)
        if unavailable is not None:
            raise unavailable

    def _begin(self, day: date, *, force: bool) -> _Underway:
        """Fetch a day's file and hand it to a worker; a day without one is done at once."""
        folder = TemporaryDirectory(prefix="battlescope-")
        try:
            found = self._fetch(day, Path(folder.name), force=force)
        except HistoryUnavailableError:
            folder.cleanup()
            raise
        except FeedError as error:
            found = Day(day=day, state=State.FAILED, complaints=(str(error),))
        if isinstance(found, DayFile):
            return _Underway(self._submit(day, found), folder)
        outcome: Future[Day | None] = Future()
        outcome.set_result(found)
        return _Underway(outcome, folder)

    def _fetch(self, day: date, folder: Path, *, force: bool) -> DayFile | Day:
        name = self._source.name
        imported = self._connection.run(lambda connection: ledger.find_imported(connection, name, day))
        if imported is not None and imported.age < self._recheck_after and not force:
            return Day(day=day, state=State.UNCHANGED)
        known = None if force or imported is None else imported.validators
        file = self._source.fetch(day, known, folder)
        if isinstance(file, DayFile):
            return file
        if file is Nothing.ABSENT:
            return Day(day=day, state=State.ABSENT)
        self._connection.run(lambda connection: ledger.note_unchanged(connection, name, day))
        return Day(day=day, state=State.UNCHANGED)
