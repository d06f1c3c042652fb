"""EVE Ref's archives: `killmails/<year>/killmails-YYYY-MM-DD.tar.bz2`, rewritten in place for months."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from ingest.history.days import read_totals
from ingest.history.download import Downloader
from ingest.history.source import DayFile, Nothing, Validators


class EveRef:
    """Whole days from EVE Ref.

    Args:
        downloader: asks it.
        base_url: its address.
    """

    name = "everef"

    def __init__(self, downloader: Downloader, base_url: str) -> None:
        self._downloader = downloader
        self._killmails_url = f"{base_url.rstrip('/')}/killmails"

    def totals(self) -> Mapping[date, int]:
        """See `Source.totals`."""
        url = f"{self._killmails_url}/totals.json"
        return read_totals(self._downloader.document(url) or b"", url)

    def fetch(self, day: date, known: Validators | None, folder: Path) -> DayFile | Nothing:
        """See `Source.fetch`."""
        name = f"killmails-{day}.tar.bz2"
        response = self._downloader.file(f"{self._killmails_url}/{day.year}/{name}", folder / name, known)
        if response.status != 200:
            return Nothing.ABSENT if response.status == 404 else Nothing.UNCHANGED
        return DayFile(path=folder / name, name=name, validators=response_validators(response.headers))


def response_validators(headers: Mapping[str, str]) -> Validators:
    """What names the version of a file that came with these headers."""
    return Validators(etag=headers.get("ETag"), last_modified=headers.get("Last-Modified"))
