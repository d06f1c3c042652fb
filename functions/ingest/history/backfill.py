"""Whole days into the database, one after the other.

A day counts as imported only when its file was read to the end and everything in it is stored, so that a run that
was broken off goes on with the day it was in. Storing is idempotent, and takes the same locks as the workers do.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from battlescope.database import Database, LazyConnection
from battlescope.errors import FeedError
from battlescope.killmail import Killmail
from battlescope.prices import Prices
from ingest.history import ledger
from ingest.history.days import Span
from ingest.history.download import HistoryUnavailableError
from ingest.history.reading import read_day
from ingest.history.source import DayFile, Nothing, Source
from ingest.rejections import keep_rejected

CHUNK_KILLMAILS = 2_000
"""Stored in one transaction, about: whole solar systems of a day, which are locked for as long."""

FEED = "history"
"""What `rejected_killmails` calls all sources of whole days."""


class State(StrEnum):
    """What became of a day."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    ABSENT = "absent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day that was dealt with.

    Attributes:
        killmails: in its file, whether they were new or not.
        complaints: what in the file was no killmail, and why a file that failed did.
    """

    day: date
    state: State
    killmails: int = 0
    complaints: Sequence[str] = ()


class Backfill:
    """Imports days.

    Args:
        connection: to the database.
        source: where days come from.
        store: stores killmails of whole solar systems, and makes their battles; safe to repeat.
        prices: to estimate values.
        recheck_after: a day imported, or found unchanged, so recently is not asked for.
        clock: Unix seconds.
    """

    def __init__(
        self,
        connection: LazyConnection,
        source: Source,
        store: Callable[[Database, Sequence[Killmail]], object],
        prices: Prices,
        *,
        recheck_after: timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connection = connection
        self._source = source
        self._store = store
        self._prices = prices
        self._recheck_after = recheck_after
        self._clock = clock

    def run(
        self, span: Span, *, force: bool, stored: Callable[[int], None], is_stopped: Callable[[], bool]
    ) -> Iterator[Day]:
        """Import each day in turn, oldest first.

        Args:
            span: the days.
            force: import days again although they did not change.
            stored: is told of every chunk how many killmails it had.
            is_stopped: whether to end before the next chunk.

        Raises:
            HistoryUnavailableError: the source is not to be asked for longer than this run waits.
            DatabaseError: the database is away.
        """
        for day in span.days():
            if is_stopped():
                return
            try:
                done = self._import(day, force=force, stored=stored, is_stopped=is_stopped)
            except HistoryUnavailableError:
                raise
            except FeedError as error:
                done = Day(day=day, state=State.FAILED, complaints=(str(error),))
            if done is None:
                return
            yield done

    def _import(
        self, day: date, *, force: bool, stored: Callable[[int], None], is_stopped: Callable[[], bool]
    ) -> Day | None:
        """What became of a day; None where the run was stopped in it."""
        name = self._source.name
        imported = self._connection.run(lambda connection: ledger.find_imported(connection, name, day))
        if imported is not None and imported.age < self._recheck_after and not force:
            return Day(day=day, state=State.UNCHANGED)
        known = None if force or imported is None else imported.validators
        with TemporaryDirectory(prefix="battlescope-") as folder:
            file = self._source.fetch(day, known, Path(folder))
            if isinstance(file, DayFile):
                return self._import_file(day, file, stored, is_stopped)
        if file is Nothing.ABSENT:
            return Day(day=day, state=State.ABSENT)
        self._connection.run(lambda connection: ledger.note_unchanged(connection, name, day))
        return Day(day=day, state=State.UNCHANGED)

    def _import_file(
        self, day: date, file: DayFile, stored: Callable[[int], None], is_stopped: Callable[[], bool]
    ) -> Day | None:
        contents = read_day(file, self._prices, self._clock())
        self._connection.run(lambda connection: keep_rejected(connection, FEED, contents.rejected))
        for chunk in chunks(contents.killmails):
            if is_stopped():
                return None
            self._connection.run(lambda connection, chunk=chunk: self._store(connection, chunk))  # type: ignore[misc]
            stored(len(chunk))
        complaints = [one.reason for one in contents.rejected]
        if contents.error is not None:
            complaints.append(contents.error)
            return Day(day=day, state=State.FAILED, killmails=len(contents.killmails), complaints=complaints)
        self._connection.run(
            lambda connection: ledger.note_imported(
                connection,
                self._source.name,
                day,
                file.validators,
                killmails=len(contents.killmails),
                rejected=len(contents.rejected),
            )
        )
        return Day(day=day, state=State.IMPORTED, killmails=len(contents.killmails), complaints=complaints)


def chunks(killmails: Iterable[Killmail]) -> Iterator[list[Killmail]]:
    """Killmails by whole solar systems, about CHUNK_KILLMAILS at a time."""
    held: list[Killmail] = []
    ordered = sorted(killmails, key=lambda killmail: (killmail.solar_system_id, killmail.killmail_id))
    for _, system in groupby(ordered, key=lambda killmail: killmail.solar_system_id):
        held.extend(system)
        if len(held) >= CHUNK_KILLMAILS:
            yield held
            held = []
    if held:
        yield held
