"""One day's file into the database.

A day counts as imported only when its file was read to the end and everything in it is stored, so that a run that
was broken off goes on with the day it was in. Storing is idempotent, and takes the same locks as the workers do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from battlescope.database import Database, LazyConnection
from battlescope.killmail import Killmail
from battlescope.prices import Prices
from ingest.history import ledger
from ingest.history.reading import read_day
from ingest.history.source import DayFile
from ingest.rejections import keep_rejected

CHUNK_KILLMAILS = 2_000
"""Stored in one transaction, about: whole solar systems of a day, which are locked for as long."""

FEED = "history"
"""What `rejected_killmails` calls all sources of whole days."""

type Store = Callable[[Database, Sequence[Killmail]], object]
"""Stores killmails of whole solar systems, and makes their battles; safe to repeat."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Imports files.

    Attributes:
        connection: to the database.
        source: as `history_days` names it.
        store: stores killmails.
        prices: to estimate values.
        stored: is told of every chunk how many killmails it had.
        is_stopped: whether to end before the next chunk.
        now: Unix seconds.
    """

    connection: LazyConnection
    source: str
    store: Store
    prices: Prices
    stored: Callable[[int], None]
    is_stopped: Callable[[], bool]
    now: Callable[[], float]

    def run(self, day: date, file: DayFile) -> Day | None:
        """What became of a day; None where the run was stopped in it.

        Raises:
            DatabaseError: the database is away.
        """
        contents = read_day(file, self.prices, self.now())
        self.connection.run(lambda connection: keep_rejected(connection, FEED, contents.rejected))
        for chunk in chunks(contents.killmails):
            if self.is_stopped():
                return None
            self.connection.run(lambda connection, chunk=chunk: self.store(connection, chunk))  # type: ignore[misc]
            self.stored(len(chunk))
        complaints = [one.reason for one in contents.rejected]
        if contents.error is not None:
            complaints.append(contents.error)
            return Day(day=day, state=State.FAILED, killmails=len(contents.killmails), complaints=complaints)
        self.connection.run(
            lambda connection: ledger.note_imported(
                connection,
                self.source,
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
