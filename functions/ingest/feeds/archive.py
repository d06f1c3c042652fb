"""Archives as a feed, and as plain killmails for the commands that need no feed."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from battlescope.clock import SYSTEM_CLOCK, Clock
from battlescope.errors import FeedError, KillmailError
from battlescope.killmail import Killmail
from ingest.feeds import Batch, BatchBuilder, Position, Rejected
from ingest.feeds.archive_file import RECORD_BYTES_MAX, Record, archive_files, records
from ingest.feeds.position import load_position
from ingest.feeds.upload import read_upload
from ingest.payload import parse_killmail

ITEMS_MAX = 20_000
"""Killmails and rejected in one batch."""

DRAINED_WAIT_S = 60.0
"""Nothing more will come, but a runtime that goes on asking need not do so at once."""


class _ArchivePosition(BaseModel):
    """The file being read, and how many of its records were."""

    model_config = ConfigDict(extra="ignore")

    file: str = ""
    record: NonNegativeInt = 0


class _Read(NamedTuple):
    """What became of one record, and the position after it."""

    item: Killmail | Rejected
    file: str
    record: int


def read_archive(path: str | Path) -> Iterator[Killmail | Rejected]:
    """Everything in an archive (a file, or a folder's files by name), as fast as it goes.

    Raises:
        FeedError: at once, where the archive cannot be read; at the place where it is cut off or damaged else.
    """
    files = archive_files(Path(path))
    return (_killmail(file, record) for file in files for record in records(file) if record.body.strip())


class ArchiveFeed:
    """Killmails from an archive: a file, or a folder whose files are read by name.

    Args:
        path: the archive.
        speed: seconds of killmail time that pass in a second, from the first killmail on; 0 for no pacing.
        clock: where time comes from.

    Raises:
        FeedError: the archive is missing, not readable, or of an unknown format.
    """

    def __init__(self, path: str | Path, *, speed: float = 0, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = Path(path).resolve()
        self._files = archive_files(self._path)
        self._speed = speed
        self._clock = clock
        self._stream: Iterator[_Read] = iter(())
        self._stream_at: tuple[str, int] | None = None
        self._held: _Read | None = None
        self._started: tuple[float, int] | None = None

    @property
    def name(self) -> str:
        """The cursor's name: public (`/healthz` tells it), so it tells folders only as a digest."""
        folder = hashlib.sha256(str(self._path.parent).encode()).hexdigest()[:8]
        return f"archive:{self._path.name}:{folder}"

    def poll(self, position: Position | None, budget_s: float) -> Batch:
        """The next killmails; see `Feed.poll`."""
        start = load_position(_ArchivePosition, position, self.name)
        at = start.file, start.record
        if at != self._stream_at:
            self._stream, self._held = self._read_from(*at), None
        deadline = self._clock.monotonic() + budget_s
        found = BatchBuilder()
        wait_s = 0.0
        drained = False
        while len(found) < ITEMS_MAX and self._clock.monotonic() < deadline:
            try:
                read = self._held or next(self._stream, None)
            except FeedError as error:
                found.error = str(error)
                read = None
            if read is None:
                drained, wait_s = True, DRAINED_WAIT_S
                break
            self._held = read
            if (wait_s := self._due_in(read.item)) > 0:
                break
            self._held = None
            found.add(read.item)
            at = read.file, read.record
        self._stream_at = None if drained else at
        return found.batch({"file": at[0], "record": at[1]}, wait_s=wait_s, drained=drained)

    def _read_from(self, file_name: str, record_number: int) -> Iterator[_Read]:
        for file in self._files:
            if file.name < file_name:
                continue
            for record in records(file, record_number if file.name == file_name else 0):
                if record.body.strip():
                    yield _Read(_killmail(file, record), file.name, record.number)

    def _due_in(self, item: Killmail | Rejected) -> float:
        if not self._speed or isinstance(item, Rejected):
            return 0.0
        now = self._clock.monotonic()
        if self._started is None:
            self._started = now, item.killmail_time
        began, first_time = self._started
        return max(0.0, began + (item.killmail_time - first_time) / self._speed - now)


def _killmail(file: Path, record: Record) -> Killmail | Rejected:
    killmail_id, reason = None, f"longer than {RECORD_BYTES_MAX} bytes"
    if len(record.body) <= RECORD_BYTES_MAX:
        try:
            if b'"esi"' not in record.body:
                return parse_killmail(record.body)
            item = read_upload(record.body).item
            if isinstance(item, Killmail):
                return item
            killmail_id, reason = item.killmail_id, item.reason
        except KillmailError as error:
            reason = str(error)
    return Rejected.of(record.body, f"{file.name}, {record.where}: {reason}", killmail_id)
