"""A source of whole days."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from ingest.feeds.archive_file import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What names a version of a day's file, to be told whether there is another by now (RFC 9110, 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


class Nothing(Enum):
    """Why there is no file."""

    UNCHANGED = auto()
    ABSENT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFile:
    """A day's file on this machine.

    Attributes:
        name: as messages name it.
        hashes: by killmail id, where they are not in the killmails.
    """

    path: Path
    name: str
    validators: Validators
    hashes: Mapping[int, str] | None = None

    def records(self) -> Iterator[Record]:
        """Its killmails, as they stand there.

        Raises:
            FeedError: it is cut off or damaged; whatever could be read came before.
        """
        if self.hashes is None:
            from ingest.feeds.archive_file import records  # noqa: PLC0415

            return records(self.path)
        from ingest.history.raw_day import raw_records  # noqa: PLC0415

        return raw_records(self.path)


class Source(Protocol):
    """Where whole days come from."""

    @property
    def name(self) -> str:
        """As the table `history_days` names it."""

    def totals(self) -> Mapping[date, int]:
        """Killmails by day, of the days that there are.

        Raises:
            FeedError: the source cannot tell now.
        """

    def fetch(self, day: date, known: Validators | None, folder: Path) -> DayFile | Nothing:
        """The file of one day.

        Args:
            day: which.
            known: the version that is not wanted again.
            folder: an empty one, for what is downloaded.

        Raises:
            FeedError: it cannot be had now.
        """
