"""What a request may say: path and query parameters, parsed once.

Every query model forbids what it does not name, so that a misspelt filter is an answer that says so and not a list
that is longer than meant.
"""

import re
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from api.formats import Format

TOP_MAX = 100
SEARCHED_FROM = 2
SEARCHED_LETTERS_MAX = 100
SEARCHED_MAX = 50
CURSOR_CHARACTERS_MAX = 400
CHANGES_PER_PAGE_MAX = 1000
MEMBERS_PER_PAGE_MAX = 1000
"""Killmails or participants in one answer; see `queries.members` for what keeps it under Lambda's 6 MB."""

DAYS_PER_PAGE_MAX = 1000
FILE_ROWS = 1000
"""Rows of a file that are read at once, and that are in one answer where the server cannot stream."""

_EVE_ID_MAX = 2**63 - 1


def _decimal(text: str) -> str:
    # Python reads 1_000 and +5 and other scripts' digits as numbers too; one number has one spelling here.
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number in decimal digits")
    return text


_CONTROL = r"\x00-\x1f\x7f-\x9f"
_SEARCHED_PATTERN = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
"""What a schema can say of `searched`."""


def searched(text: str) -> str:
    """What is searched when this was typed.

    Raises:
        ValueError: says what is wrong with it.
    """
    if re.search(f"[{_CONTROL}]", text):
        raise ValueError("must be letters, digits, signs and spaces")
    text = text.strip()
    if len(text) < SEARCHED_FROM:
        raise ValueError(f"must have {SEARCHED_FROM} letters, digits or signs at least")
    return text


def is_searchable(text: str) -> bool:
    """Whether anything can be searched by this."""
    try:
        return bool(searched(text)) and len(text) <= SEARCHED_LETTERS_MAX
    except ValueError:
        return False


# Plain aliases: OpenAPI would show `type` statements as schemas of their own.
Decimal = BeforeValidator(_decimal)
EveId = Annotated[int, Field(ge=1, le=_EVE_ID_MAX), Decimal]
Cursor = Annotated[str, Field(min_length=1, max_length=CURSOR_CHARACTERS_MAX)]

BattleId = Annotated[
    UUID, Path(alias="id", description="A battle's id.", examples=["6f0f6f0e-3b1c-5d0c-9d57-4a7a0e1f2b3c"])
]
CharacterId = Annotated[EveId, Path(alias="id", description="A character's id.", examples=[2112625428])]
CorporationId = Annotated[EveId, Path(alias="id", description="A corporation's id.", examples=[98633005])]
AllianceId = Annotated[EveId, Path(alias="id", description="An alliance's id.", examples=[1354830081])]
SystemId = Annotated[EveId, Path(alias="id", description="A solar system's id.", examples=[30002813])]
KillmailId = Annotated[EveId, Path(alias="id", description="A killmail's id.", examples=[96889120])]


AsFormat = Annotated[
    Format | None,
    Field(
        description="`csv` and `jsonl` (JSON lines) answer the list as a file: all of it where neither this is AWS Lambda "
        "nor a `limit` is set, else a page. Counts before `Accept`."
    ),
]


class NoParameters(BaseModel):
    """An endpoint that takes no query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MemberPage(BaseModel):
    """Which part of a battle's killmails or participants."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MEMBERS_PER_PAGE_MAX), Decimal] = Field(
        default=MEMBERS_PER_PAGE_MAX, description="Items in one answer at most."
    )
    cursor: Cursor | None = Field(
        default=None, description="`next` of an earlier answer about the same battle; goes on where it ended."
    )
    format: AsFormat = None


class DayPage(BaseModel):
    """Which part of the list of days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=DAYS_PER_PAGE_MAX), Decimal] = Field(
        default=100, description="Days in one answer at most."
    )
    cursor: Cursor | None = Field(
        default=None, description="`next` of an earlier answer; goes on where it ended."
    )


class TopPage(BaseModel):
    """How much of what stood out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=TOP_MAX), Decimal] = Field(
        default=10, description="Losses, and pilots of each kind, at most."
    )


class ChangesPage(BaseModel):
    """Which part of the change feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Cursor | None = Field(
        default=None,
        description="`next` of an earlier answer: goes on where it ended; `now`: only what changes from now on.",
    )
    limit: Annotated[int, Field(ge=1, le=CHANGES_PER_PAGE_MAX), Decimal] = Field(
        default=100, description="Changes in one answer at most."
    )


class EventsPage(BaseModel):
    """From where on events are sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Cursor | None = Field(
        default=None,
        description="A cursor of `/changes`: sends what changed since as well. `Last-Event-ID` counts before it.",
    )


class SearchPage(BaseModel):
    """What is searched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[
        str, Field(min_length=SEARCHED_FROM, max_length=SEARCHED_LETTERS_MAX), AfterValidator(searched)
    ] = Field(
        description="The beginning of a name, or of words of it.",
        examples=["goonsw"],
        json_schema_extra={"pattern": _SEARCHED_PATTERN},
    )
    limit: Annotated[int, Field(ge=1, le=SEARCHED_MAX), Decimal] = Field(
        default=20, description="Names at most."
    )


class HealthPage(BaseModel):
    """What `/healthz` is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    live: bool = Field(
        default=False, description="Only whether the process answers, without asking the database."
    )


NoQuery = Annotated[NoParameters, Query()]
MemberQuery = Annotated[MemberPage, Query()]
DayQuery = Annotated[DayPage, Query()]
ChangesQuery = Annotated[ChangesPage, Query()]
EventsQuery = Annotated[EventsPage, Query()]
SearchQuery = Annotated[SearchPage, Query()]
TopQuery = Annotated[TopPage, Query()]
HealthQuery = Annotated[HealthPage, Query()]
