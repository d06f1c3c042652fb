"""A day's file as killmails, with what was wrong with it."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace

from pydantic_core import from_json

from battlescope.errors import FeedError, KillmailError
from battlescope.killmail import Killmail
from battlescope.prices import Prices
from ingest.acceptance import objection
from ingest.feeds import Rejected
from ingest.feeds.archive_file import RECORD_BYTES_MAX, Record
from ingest.feeds.upload import read_upload
from ingest.history.source import DayFile
from ingest.history.value import estimate
from ingest.payload import parse_killmail


@dataclass(slots=True)
class Contents:
    """What a day's file holds.

    Attributes:
        rejected: what is no killmail, or cannot go on; each reason names file and member.
        error: why the file could not be read to its end; None where it could.
    """

    killmails: list[Killmail] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    error: str | None = None


def read_day(file: DayFile, prices: Prices, now: float, *, only: Container[int] | None = None) -> Contents:
    """Read a file.

    Args:
        file: the day.
        prices: to estimate values where the file tells none.
        now: Unix seconds.
        only: ids of the killmails that are wanted; None for all of them.
    """
    contents = Contents()
    seen: dict[int, str] = {}
    try:
        for record in _wanted(file, only):
            try:
                killmail = _killmail(file, record, prices)
                _object(killmail, record, seen, now)
            except KillmailError as error:
                reason = f"{file.name}, {record.where}: {error}"
                contents.rejected.append(Rejected.of(record.body, reason, record.killmail_id))
            else:
                contents.killmails.append(killmail)
    except FeedError as error:
        contents.error = str(error)
    return contents


def _wanted(file: DayFile, only: Container[int] | None) -> Iterator[Record]:
    return (
        record
        for record in file.records()
        if record.body.strip() and (only is None or record.killmail_id in only)
    )


def _killmail(file: DayFile, record: Record, prices: Prices) -> Killmail:
    """One killmail, with its value where that is told or can be estimated.

    Raises:
        KillmailError: it is none.
    """
    if len(record.body) > RECORD_BYTES_MAX:
        raise KillmailError(f"longer than {RECORD_BYTES_MAX} bytes")
    known_hash = None if file.hashes is None else file.hashes.get(record.killmail_id or 0)
    killmail = killmail_of(record.body, known_hash, prices)
    if record.killmail_id not in {None, killmail.killmail_id}:
        raise KillmailError(f"killmail_id: it is {killmail.killmail_id}")
    return killmail


def killmail_of(text: bytes, known_hash: str | None, prices: Prices) -> Killmail:
    """A killmail from its full ESI body, or from a file of R2Z2's live feed.

    Args:
        text: JSON.
        known_hash: where it is not in the text.
        prices: to estimate the value where the text tells none.

    Raises:
        KillmailError: it is none.
    """
    try:
        document = from_json(text)
    except ValueError as error:
        raise KillmailError(f"not JSON ({error})") from None
    if not isinstance(document, dict):
        raise KillmailError("not a killmail, but other JSON")
    if "esi" not in document:
        return parse_killmail(document, killmail_hash=known_hash, estimate=lambda: estimate(document, prices))
    item = read_upload(text).item
    if isinstance(item, Rejected):
        raise KillmailError(item.reason)
    if item.isk_value is not None:
        return item
    return replace(item, isk_value=estimate(document["esi"], prices))


def _object(killmail: Killmail, record: Record, seen: dict[int, str], now: float) -> None:
    reason = objection(killmail, now)
    if reason is not None:
        raise KillmailError(reason)
    first = seen.setdefault(killmail.killmail_id, record.where)
    if first is not record.where:
        raise KillmailError(f"killmail {killmail.killmail_id} was there before, as {first}")
