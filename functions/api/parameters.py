"""What a request may say: path and query parameters, parsed once.

Every query model forbids what it does not name, so that a misspelt filter is an answer that says so and not a list
that is longer than meant.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.json_schema import WithJsonSchema

from battlescope.space import SpaceType

BATTLES_PER_PAGE_MAX = 100
MEMBERS_PER_PAGE_MAX = 1000
"""Killmails or participants in one answer; see `queries.members` for what keeps it under Lambda's 6 MB."""

DAYS_PER_PAGE_MAX = 1000

type Constraint = tuple[str, Any]
"""A filter that is set: its name and its value."""

_TIME_HINT = "ISO 8601: a date, or a time with its zone (2021-11-28T10:00:00Z; a + in it is written %2B)"
_EVE_ID_MAX = 2**63 - 1


def _moment(text: str) -> datetime | date:
    try:
        if len(text) == len("2021-11-28"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"must be {_TIME_HINT}")


def _since(text: str) -> datetime:
    moment = _moment(text)
    return moment if isinstance(moment, datetime) else datetime(*moment.timetuple()[:3], tzinfo=UTC)


def _until(text: str) -> datetime:
    moment = _moment(text)
    if isinstance(moment, datetime):
        return moment
    try:
        return _since(text) + timedelta(days=1)
    except OverflowError:
        raise ValueError(f"must be {_TIME_HINT}") from None


_TIME_SCHEMA = WithJsonSchema(
    {
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
        "examples": ["2021-11-28T18:00:00Z", "2021-11-28"],
    }
)


def _decimal(text: str) -> str:
    # Python reads 1_000 and +5 and other scripts' digits as numbers too; one number has one spelling here.
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number in decimal digits")
    return text


# Plain aliases: OpenAPI would show `type` statements as schemas of their own.
Decimal = BeforeValidator(_decimal)
EveId = Annotated[int, Field(ge=1, le=_EVE_ID_MAX), Decimal]
Cursor = Annotated[str, Field(min_length=1, max_length=400)]

BattleId = Annotated[
    UUID, Path(alias="id", description="A battle's id.", examples=["6f0f6f0e-3b1c-5d0c-9d57-4a7a0e1f2b3c"])
]
CharacterId = Annotated[EveId, Path(alias="id", description="A character's id.", examples=[2112625428])]
CorporationId = Annotated[EveId, Path(alias="id", description="A corporation's id.", examples=[98633005])]
AllianceId = Annotated[EveId, Path(alias="id", description="An alliance's id.", examples=[1354830081])]
SystemId = Annotated[EveId, Path(alias="id", description="A solar system's id.", examples=[30002813])]
KillmailId = Annotated[EveId, Path(alias="id", description="A killmail's id.", examples=[96889120])]


class NoParameters(BaseModel):
    """An endpoint that takes no query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BattleFilters(BaseModel):
    """Filters of a list of battles; all that are set must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    space: SpaceType | None = Field(
        default=None, description="Only battles in this kind of space.", examples=["jspace"]
    )
    since: Annotated[datetime | None, BeforeValidator(_since), _TIME_SCHEMA] = Field(
        default=None,
        description="Only battles that began at this time or later: a date (from its first second on), "
        "or a time with its zone.",
    )
    until: Annotated[datetime | None, BeforeValidator(_until), _TIME_SCHEMA] = Field(
        default=None,
        description="Only battles that began before this time; a date includes that whole day.",
    )
    system: EveId | None = Field(
        default=None, description="Only battles in this solar system.", examples=[30002813]
    )
    corporation: EveId | None = Field(
        default=None,
        description="Only battles with this corporation on a killmail, as the killmail has it; "
        "owners of structures included.",
        examples=[98633005],
    )
    alliance: EveId | None = Field(
        default=None,
        description="Only battles with this alliance on a killmail, as the killmail has it; "
        "owners of structures included.",
        examples=[1354830081],
    )
    character: EveId | None = Field(
        default=None, description="Only battles with this character on a killmail.", examples=[2112625428]
    )
    min_kills: Annotated[int, Field(ge=1, le=2**31 - 1), Decimal] | None = Field(
        default=None,
        description="Only battles with at least so many killmails (`total_kills`).",
        examples=[10],
    )

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if since is not None and until is not None and until <= since:
            raise ValueError("must be later than `since`")
        return until

    def constraints(self, owner: Iterable[Constraint] = ()) -> tuple[Constraint, ...]:
        """The filters that are set, and what the path says (`owner`), in one order whatever the request's."""
        mine = {
            (name, value) for name in BattleFilters.model_fields if (value := getattr(self, name)) is not None
        }
        return tuple(sorted(mine.union(owner), key=lambda constraint: (constraint[0], str(constraint[1]))))


class BattlePage(BattleFilters):
    """Filters, and which part of the list."""

    limit: Annotated[int, Field(ge=1, le=BATTLES_PER_PAGE_MAX), Decimal] = Field(
        default=50, description="Battles in one answer at most."
    )
    cursor: Cursor | None = Field(
        default=None, description="`next` of an earlier answer to the same filters; goes on where it ended."
    )


class MemberPage(BaseModel):
    """Which part of a battle's killmails or participants."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MEMBERS_PER_PAGE_MAX), Decimal] = Field(
        default=MEMBERS_PER_PAGE_MAX, description="Items in one answer at most."
    )
    cursor: Cursor | None = Field(
        default=None, description="`next` of an earlier answer about the same battle; goes on where it ended."
    )


class DayPage(BaseModel):
    """Which part of the list of days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=DAYS_PER_PAGE_MAX), Decimal] = Field(
        default=100, description="Days in one answer at most."
    )
    cursor: Cursor | None = Field(
        default=None, description="`next` of an earlier answer; goes on where it ended."
    )


class HealthPage(BaseModel):
    """What `/healthz` is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    live: bool = Field(
        default=False, description="Only whether the process answers, without asking the database."
    )


NoQuery = Annotated[NoParameters, Query()]
BattleQuery = Annotated[BattlePage, Query()]
MemberQuery = Annotated[MemberPage, Query()]
DayQuery = Annotated[DayPage, Query()]
HealthQuery = Annotated[HealthPage, Query()]
