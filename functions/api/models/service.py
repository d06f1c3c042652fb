"""How complete and how fresh it is."""

from datetime import date
from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import Field

from api.models.common import Next, UtcTime, shape


class DayCompleteness(TypedDict):
    """How much of a day is held."""

    day: Annotated[date, Field(description="The day, in UTC.", examples=["2021-11-28"])]
    is_complete: Annotated[bool, Field(description="Whether all was held that is to be had.")]
    expected: Annotated[
        int, Field(description="Killmails that zKillboard lists for the day.", examples=[17047])
    ]
    held: Annotated[
        int, Field(description="Of those, how many were held when the day was checked.", examples=[17046])
    ]
    missing_sent: Annotated[
        int,
        Field(
            description="Of those not held, how many the check fetched; the next check counts them as held."
        ),
    ]
    unobtainable: Annotated[
        int, Field(description="Of those not held, how many cannot be had or cannot be read.")
    ]
    checked_at: Annotated[UtcTime, Field(description="When the day was checked.")]


class CompletenessList(TypedDict):
    """A page of days, newest first."""

    items: Annotated[list[DayCompleteness], Field(description="The days that were ever checked.")]
    next: Next


class DatabaseHealth(TypedDict):
    """The database, as `/healthz` sees it."""

    latency_ms: Annotated[float, Field(description="How long it took to answer.")]


class MigrationHealth(TypedDict):
    """The schema, as `/healthz` sees it."""

    current: Annotated[int, Field(description="The version of the database.")]
    newest: Annotated[
        int, Field(description="The version that this API needs; a higher one in the database is fine.")
    ]


class FeedHealth(TypedDict):
    """A feed, as `/healthz` sees it."""

    feed: Annotated[str, Field(description="Which feed.", examples=["r2z2"])]
    status: Annotated[
        Literal["ok", "stale"],
        Field(description="`stale` where its cursor has not moved for FEED_STALE_MINUTES."),
    ]
    moved_at: Annotated[
        UtcTime | None, Field(description="When its cursor last moved; null before the first time.")
    ]
    age_s: Annotated[float | None, Field(description="Seconds since then.")]
    newest_killmail: Annotated[UtcTime | None, Field(description="The newest killmail it brought.")]


class Health(TypedDict):
    """Whether the API can answer, and how fresh its answers are. With `live=1` only the first two fields."""

    status: Annotated[
        Literal["ok", "degraded"],
        Field(description="`degraded` where a feed is stale, or none was ever read."),
    ]
    version: Annotated[str, Field(description="The version of BattleScope.", examples=["0.1.0"])]
    database: NotRequired[Annotated[DatabaseHealth, Field(description="Whether and how soon it answers.")]]
    migrations: NotRequired[Annotated[MigrationHealth, Field(description="Whether the schema is right.")]]
    feeds: NotRequired[Annotated[list[FeedHealth], Field(description="How far each feed was read.")]]


COMPLETENESS_LIST = shape(CompletenessList)
HEALTH = shape(Health)
