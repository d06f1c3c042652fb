"""Which battles a list holds, and in which order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from api.parameters import AsFormat, Cursor, Decimal, EveId
from api.problems import invalid_parameter
from api.times import Since, Until
from battlescope.space import SecurityBand, SpaceType

BATTLES_PER_PAGE_MAX = 100

type Constraint = tuple[str, Any]
"""A filter that is set: its name and its value."""

# A plain alias: OpenAPI would show a `type` statement as a schema of its own.
Order = Literal["start", "end", "isk", "kills", "pilots"]
"""What a list of battles is ordered by: always the latest or largest first."""

_Count = Annotated[int, Field(ge=1, le=2**31 - 1), Decimal]
_Isk = Annotated[int, Field(ge=1, le=2**63 - 1), Decimal]


class BattleFilters(BaseModel):
    """Filters of a list of battles; all that are set must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    space: SpaceType | None = Field(
        default=None, description="Only battles in this kind of space.", examples=["jspace"]
    )
    security: SecurityBand | None = Field(
        default=None,
        description="Only battles in known space of this security: `highsec` from 0.45, `lowsec` above 0, "
        "else `nullsec`.",
        examples=["lowsec"],
    )
    region: EveId | None = Field(
        default=None, description="Only battles in this region.", examples=[10000069]
    )
    system: EveId | None = Field(
        default=None, description="Only battles in this solar system.", examples=[30002813]
    )
    since: Since = Field(
        default=None,
        description="Only battles that began at this time or later: a date (from its first second on), "
        "or a time with its zone.",
    )
    until: Until = Field(
        default=None,
        description="Only battles that began before this time; a date includes that whole day.",
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
    against: EveId | None = Field(
        default=None,
        description="Only battles with this alliance, or corporation without one, on another side than `alliance`.",
        examples=[99003581],
    )
    character: EveId | None = Field(
        default=None, description="Only battles with this character on a killmail.", examples=[2112625428]
    )
    min_kills: _Count | None = Field(
        default=None,
        description="Only battles with at least so many killmails (`total_kills`).",
        examples=[10],
    )
    min_pilots: _Count | None = Field(
        default=None, description="Only battles with at least so many characters.", examples=[100]
    )
    min_isk: _Isk | None = Field(
        default=None,
        description="Only battles that destroyed at least so much, in whole ISK.",
        examples=[1_000_000_000],
    )
    live: bool = Field(
        default=False, description="Only battles that can still grow: their last killmail was just now."
    )

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if since is not None and until is not None and until <= since:
            raise ValueError("must be later than `since`")
        return until

    def constraints(self, owner: Iterable[Constraint] = ()) -> tuple[Constraint, ...]:
        """The filters that are set, and what the path says (`owner`), in one order whatever the request's.

        Raises:
            ProblemError: `against` has no other opponent.
        """
        mine: set[Constraint] = {
            (name, value) for name in BattleFilters.model_fields if (value := getattr(self, name))
        }
        mine.update(owner)
        opponents = [value for name, value in mine if name == "alliance"]
        if self.against is not None and not opponents:
            raise invalid_parameter("against", "needs the other opponent, as `alliance`")
        if self.against in opponents:
            raise invalid_parameter("against", "must be another than `alliance`")
        return tuple(sorted(mine, key=lambda constraint: (constraint[0], str(constraint[1]))))


class BattlePage(BattleFilters):
    """Filters, the order, and which part of the list."""

    order: Order = Field(
        default="start",
        description="What comes first: the latest `start` or `end`, the most `isk`, `kills` or `pilots`. "
        "Ties are ordered by id. In the orders that change while battles grow, one may come twice.",
    )
    limit: Annotated[int, Field(ge=1, le=BATTLES_PER_PAGE_MAX), Decimal] = Field(
        default=50, description="Battles in one answer at most."
    )
    cursor: Cursor | None = Field(
        default=None,
        description="`next` of an earlier answer to the same filters in the same order; goes on where it ended.",
    )
    format: AsFormat = None


BattleQuery = Annotated[BattlePage, Query()]
