"""R2Z2's history: `/history/totals.json`, `/history/YYYYMMDD.json` (hashes), `/history/raw/YYYYMMDD.json` (killmails)."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from battlescope.errors import FeedError
from ingest.history.days import compact, read_totals
from ingest.history.download import Downloader
from ingest.history.everef import response_validators
from ingest.history.source import DayFile, Nothing, Validators
from ingest.payload import EveId, KillmailHash

_LISTING: TypeAdapter[dict[int, str]] = TypeAdapter(dict[EveId, KillmailHash])
_EMPTY: TypeAdapter[list[int]] = TypeAdapter(Annotated[list[int], Field(max_length=0)])


class R2Z2History:
    """Whole days from R2Z2.

    Args:
        downloader: asks it.
        base_url: its address.
    """

    name = "r2z2"

    def __init__(self, downloader: Downloader, base_url: str) -> None:
        self._downloader = downloader
        self._history_url = f"{base_url.rstrip('/')}/history"

    def totals(self) -> Mapping[date, int]:
        """See `Source.totals`."""
        url = f"{self._history_url}/totals.json"
        return read_totals(self._downloader.document(url) or b"", url)

    def listing(self, day: date) -> Mapping[int, str] | None:
        """The hashes of a day's killmails by id; None where there is no such day.

        Raises:
            FeedError: it cannot be had now, or is none.
        """
        url = f"{self._history_url}/{compact(day)}.json"
        body = self._downloader.document(url)
        return None if body is None else read_listing(body, url)

    def fetch(self, day: date, known: Validators | None, folder: Path) -> DayFile | Nothing:
        """See `Source.fetch`."""
        name = f"{compact(day)}.json"
        response = self._downloader.file(f"{self._history_url}/raw/{name}", folder / name, known)
        if response.status != 200:
            return Nothing.ABSENT if response.status == 404 else Nothing.UNCHANGED
        hashes = self.listing(day)
        if hashes is None:
            raise FeedError(f"{response.url} has no hashes: {self._history_url}/{name} answered 404")
        return DayFile(
            path=folder / name,
            name=f"raw/{name}",
            validators=response_validators(response.headers),
            hashes=hashes,
        )


def read_listing(body: bytes, where: str) -> Mapping[int, str]:
    """Hashes by killmail id, from `{"id": "hash"}`.

    Raises:
        FeedError: it is something else.
    """
    try:
        return _LISTING.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    try:
        _EMPTY.validate_json(body)  # PHP writes an empty object as a list
    except ValidationError:
        place = ".".join(map(str, first["loc"])) or "document"
        raise FeedError(f"{where} does not hold hashes by killmail id ({place}: {first['msg']})") from None
    return {}
