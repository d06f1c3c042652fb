"""Days that lie on this machine, under the names that their sources give them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from battlescope.errors import FeedError
from ingest.history.days import compact
from ingest.history.r2z2 import read_listing
from ingest.history.source import DayFile, Nothing, Validators

ARCHIVES = ("tar.bz2", "jsonl.gz", "jsonl")


class Folder:
    """A folder with EVE Ref's archives (or JSON lines named like them), or R2Z2's raw days.

    `killmails-YYYY-MM-DD.tar.bz2|jsonl.gz|jsonl`, there or in a folder by year; `raw/YYYYMMDD.json` with the hashes
    beside `raw`, in `YYYYMMDD.json`. Where a day is there more than once, the first of these counts.

    Raises:
        FeedError: there is no such folder.
    """

    name = "folder"

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FeedError(f"no such folder: {folder}; name one that holds days")
        self._folder = folder

    def totals(self) -> Mapping[date, int]:
        """The days that are there, each counted 0: only reading would tell how many killmails it has."""
        archives = (path.name for path in self._folder.rglob("killmails-????-??-??.*"))
        days = {_date(name.removeprefix("killmails-")[:10], "%Y-%m-%d") for name in archives}
        days.update(_date(path.stem, "%Y%m%d") for path in self._folder.glob("raw/????????.json"))
        return {day: 0 for day in days if day is not None and self._find(day) is not None}

    def fetch(self, day: date, known: Validators | None, folder: Path) -> DayFile | Nothing:  # noqa: ARG002 - nothing is downloaded
        """See `Source.fetch`."""
        path = self._find(day)
        if path is None:
            return Nothing.ABSENT
        status = path.stat()
        validators = Validators(etag=f"{path.name} {status.st_size} {status.st_mtime_ns}")
        if validators == known:
            return Nothing.UNCHANGED
        name = str(path.relative_to(self._folder))
        return DayFile(path=path, name=name, validators=validators, hashes=_hashes(path))

    def _find(self, day: date) -> Path | None:
        return next((path for path in self._candidates(day) if path.is_file()), None)

    def _candidates(self, day: date) -> Iterator[Path]:
        for ending in ARCHIVES:
            yield self._folder / f"killmails-{day}.{ending}"
            yield self._folder / str(day.year) / f"killmails-{day}.{ending}"
        yield self._folder / "raw" / f"{compact(day)}.json"


def _hashes(path: Path) -> Mapping[int, str] | None:
    """The hashes that belong to a raw day; None for archives, which hold them."""
    if path.suffix != ".json":
        return None
    listing = path.parent.parent / path.name
    if not listing.is_file():
        raise FeedError(f"{path} has no hashes: put R2Z2's history/{path.name} at {listing}")
    return read_listing(listing.read_bytes(), str(listing))


def _date(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).date()
    except ValueError:
        return None
