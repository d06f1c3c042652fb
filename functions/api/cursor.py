"""Cursors: where the next page of a list starts.

A cursor is opaque to clients: base64url of JSON that holds the key of the last item and a digest of what the list
was asked for. So a cursor is good for its own list only; any other text is a problem that says so. A cursor is no
secret and grants nothing: whoever forges a valid one has asked for a page.
"""

import base64
import hashlib
import json
from datetime import UTC, date, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from api.problems import invalid_parameter

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)

type Time = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]
type Id = Annotated[int, Field(ge=0, le=2**63 - 1)]

type BattleKey = tuple[Time | Id, UUID]
"""What a list of battles is ordered by, and the id: lists of battles are in descending order of both."""

type KillmailKey = tuple[Time, Id]
"""Time and id: a battle's killmails are in ascending order of both."""

type ParticipantKey = tuple[Id, Id]
"""Character and ship type: a battle's participants are in ascending order of both."""

type DayKey = Annotated[date, Field(ge=_EARLIEST.date(), le=_LATEST.date())]
"""The day: lists of days are in descending order."""


type ChangeKey = tuple[Id, Annotated[int, Field(ge=0, le=1)], UUID]
"""Transaction, battle or former id, id: the change feed is in ascending order of all."""


class Page[Item](NamedTuple):
    """A page of a list, and the cursor of the one that follows."""

    items: list[Item]
    next: str | None


class _Cursor[K](BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)

    list: str
    after: K


type Form[K] = TypeAdapter[_Cursor[K]]

BATTLES_BY_TIME: Form[tuple[Time, UUID]] = TypeAdapter(_Cursor[tuple[Time, UUID]])
BATTLES_BY_NUMBER: Form[tuple[Id, UUID]] = TypeAdapter(_Cursor[tuple[Id, UUID]])
KILLMAILS: Form[KillmailKey] = TypeAdapter(_Cursor[KillmailKey])
CHANGES: Form[ChangeKey] = TypeAdapter(_Cursor[ChangeKey])
PARTICIPANTS: Form[ParticipantKey] = TypeAdapter(_Cursor[ParticipantKey])
DAYS: Form[DayKey] = TypeAdapter(_Cursor[DayKey])


def digest(asked: Any) -> str:
    """Names a list: what was asked for, as JSON (times and ids as text)."""
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def encode[K](form: Form[K], asked: Any, after: K) -> str:
    """The cursor of the page after the item with the key `after`."""
    text = form.dump_json(_Cursor(list=digest(asked), after=after))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode[K](form: Form[K], asked: Any, cursor: str | None, parameter: str = "cursor") -> K | None:
    """The key of the item that a page follows; None for the first page. `parameter` is what the request calls it.

    Raises:
        ProblemError: the cursor is not one of ours, or belongs to another list.
    """
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parsed = form.validate_json(text)
    except ValueError:
        raise invalid_parameter(parameter, "is not one that this API gave out") from None
    if parsed.list != digest(asked):
        raise invalid_parameter(parameter, "belongs to a list with other filters; start again without it")
    return parsed.after
