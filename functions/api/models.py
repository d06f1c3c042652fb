"""What the API answers. Times are UTC with a Z, ISK is whole ISK, and every id has its name beside it.

An id whose name is not known yet stands as its number in the place of the name. Answers are typed dictionaries: they
hold what a strict schema in the database has checked already, and pydantic writes them as JSON in a fifth of the
time that models take.
"""

from datetime import date, datetime
from typing import Annotated, Literal, NotRequired, TypedDict
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter

from battlescope.evidence import Kind
from battlescope.space import SpaceType

UtcTime = Annotated[datetime, Field(examples=["2021-11-28T10:21:04Z"])]
"""A datetime in UTC, as `api.snapshots` has PostgreSQL send all of them."""

KillmailUrl = Annotated[
    str, Field(description="Its page on zKillboard.", examples=["https://zkillboard.com/kill/96889120/"])
]
IskValue = Annotated[
    int | None,
    Field(description="Value of the loss, in whole ISK; null while it is not known.", examples=[1_234_567]),
]
ValueSource = Annotated[
    Literal["zkb", "estimated"] | None,
    Field(
        description="Where `isk_value` is from: zKillboard, or an estimate from market prices, which a value of "
        "zKillboard's will replace; null while it is not known.",
        examples=["zkb"],
    ),
]
Next = Annotated[str | None, Field(description="`cursor` of the next page; null where this is the last.")]


class Named(TypedDict):
    """Something of EVE: its id and its name."""

    id: Annotated[int, Field(description="The id EVE gives it.", examples=[1354830081])]
    name: Annotated[
        str,
        Field(
            description="Its name; its number while the name is not known.", examples=["Goonswarm Federation"]
        ),
    ]


class System(Named):
    """A solar system."""

    region: Annotated[
        Named | None, Field(description="The region it lies in; null where the static data does not know it.")
    ]
    security: Annotated[
        float | None,
        Field(description="Security status; null where the static data does not know it.", examples=[0.29]),
    ]


class Battle(TypedDict):
    """A battle in a list."""

    id: Annotated[
        UUID,
        Field(
            description="Resolves for ever: after a merge it redirects to the battle that has its first kill."
        ),
    ]
    system: Annotated[System, Field(description="Where it was.")]
    space_type: Annotated[SpaceType, Field(description="The kind of space that was, at that time.")]
    start_time: Annotated[UtcTime, Field(description="Its first killmail.")]
    end_time: Annotated[UtcTime, Field(description="Its last killmail.")]
    total_kills: Annotated[int, Field(description="Its killmails, pods included.", examples=[42])]
    losses: Annotated[
        int, Field(description="As `total_kills`, but a ship and its pod are one loss.", examples=[31])
    ]
    pilots: Annotated[
        int, Field(description="Characters on its killmails, victims and attackers.", examples=[117])
    ]
    total_isk_destroyed: Annotated[
        int, Field(description="Value of everything lost, in whole ISK.", examples=[12_400_000_000])
    ]
    zkill_related_url: Annotated[
        str,
        Field(
            description="zKillboard's page for this place and hour.",
            examples=["https://zkillboard.com/related/30002813/202111281000/"],
        ),
    ]
    revision: Annotated[int, Field(description="Rises with every change.", examples=[3])]
    updated_at: Annotated[UtcTime, Field(description="When it last changed.")]


class Victim(TypedDict):
    """The loss on a killmail."""

    character: Annotated[Named | None, Field(description="The pilot; null for a structure.")]
    corporation: Annotated[Named | None, Field(description="The corporation at that time.")]
    alliance: Annotated[Named | None, Field(description="The alliance at that time.")]
    ship_type: Annotated[Named | None, Field(description="What was lost.")]


class BattleKillmail(TypedDict):
    """A killmail of a battle."""

    killmail_id: Annotated[int, Field(description="Its id.", examples=[96889120])]
    zkb_url: KillmailUrl
    timestamp: Annotated[UtcTime, Field(description="When it happened.")]
    victim: Annotated[Victim, Field(description="Who lost what.")]
    attacker_alliances: Annotated[list[Named], Field(description="The alliances of the attackers.")]
    isk_value: IskValue
    value_source: ValueSource
    side_id: Annotated[
        int, Field(description="The victim's side, from 1; 0 for third parties and where it is not clear.")
    ]


class Participant(TypedDict):
    """A character in one ship in a battle; who flew two ships is there twice."""

    character: Annotated[Named, Field(description="The pilot.")]
    ship_type: Annotated[Named | None, Field(description="The ship; null where the killmails name none.")]
    corporation: Annotated[Named | None, Field(description="The corporation at that time.")]
    alliance: Annotated[Named | None, Field(description="The alliance at that time.")]
    side_id: Annotated[
        int, Field(description="The side, from 1; 0 for third parties and where it is not clear.")
    ]
    is_victim: Annotated[bool, Field(description="Whether this ship was lost.")]


_Weight = Annotated[float, Field(examples=[12.4])]


class TowardSide(TypedDict):
    """What an affiliation had to do with one side; weights in ordinary kills."""

    side_id: Annotated[int, Field(description="Which side; 0 for third parties.", examples=[2])]
    shot_kills: Annotated[int, Field(description="Killmails of that side's losses that it was on.")]
    shot_isk: Annotated[int, Field(description="What they were worth, in whole ISK.")]
    shot_weight: Annotated[_Weight, Field(description="Their weight, by its share of the damage.")]
    lost_weight: Annotated[
        _Weight, Field(description="The weight of its own losses, by that side's share of the damage.")
    ]
    shared_weight: Annotated[
        _Weight,
        Field(description="The weight of killmails shared with that side, by the smaller share of the two."),
    ]


class Companion(Named):
    """An affiliation that another one shared kills with."""

    shared_kills: Annotated[int, Field(description="Killmails that both were on.", examples=[40])]


class SideAffiliation(Named):
    """An affiliation on a side, and why it is there."""

    kind: Annotated[Kind, Field(description="What the id is the id of.")]
    pilots: Annotated[int, Field(description="Characters that flew in its name.", examples=[31])]
    losses: Annotated[int, Field(description="What it lost; a ship and its pod are one loss.", examples=[12])]
    isk_lost: Annotated[int, Field(description="Value of all it lost, in whole ISK.")]
    confidence: Annotated[float, Field(description="How clear its side is, 0 to 1.", examples=[0.93])]
    evidence: Annotated[
        list[TowardSide], Field(description="What it did to each side, its own and third parties included.")
    ]
    companions: Annotated[
        list[Companion], Field(description="Whom it shared the most kills with, at most three.")
    ]
    why: Annotated[
        str,
        Field(
            description="The evidence in words.",
            examples=[
                "on side 2: shot side 1 on 31 kills worth 12.4b, shared 40 kills with Goonswarm Federation"
            ],
        ),
    ]


class Side(TypedDict):
    """One side of a battle."""

    side_id: Annotated[
        int,
        Field(description="From 1, the most pilots first; 0 for third parties and where it is not clear."),
    ]
    pilots: Annotated[
        int, Field(description="Characters; who flew in two names counts twice.", examples=[117])
    ]
    losses: Annotated[int, Field(description="What it lost; a ship and its pod are one loss.", examples=[31])]
    isk_lost: Annotated[int, Field(description="Value of all it lost, in whole ISK.")]
    isk_destroyed: Annotated[
        int, Field(description="Of what other sides lost, its share of the players' damage, in whole ISK.")
    ]
    efficiency: Annotated[
        float | None,
        Field(
            description="`isk_destroyed`, of it and `isk_lost` together; null where both are 0.",
            examples=[0.83],
        ),
    ]
    total_affiliations: Annotated[int, Field(description="How many affiliations are on it.", examples=[7])]
    affiliations: Annotated[
        list[SideAffiliation],
        Field(description="The affiliations on it, the most pilots first, at most 500."),
    ]


class BattleDetail(Battle):
    """A battle with its sides, killmails and participants."""

    sides: Annotated[
        list[Side],
        Field(
            description="Who fought whom; third parties last. Empty for battles stored before sides were told."
        ),
    ]
    killmails: Annotated[list[BattleKillmail], Field(description="Its first killmails, oldest first.")]
    killmails_next: Annotated[
        str | None,
        Field(
            description="`cursor` for `/battles/{id}/killmails`, where the battle has more killmails; else null."
        ),
    ]
    total_participants: Annotated[
        int, Field(description="Characters with their ships; who flew two ships counts twice.")
    ]
    participants: Annotated[
        list[Participant], Field(description="The first participants, by character and ship.")
    ]
    participants_next: Annotated[
        str | None,
        Field(
            description="`cursor` for `/battles/{id}/participants`, where the battle has more participants; else null."
        ),
    ]


_SideId = Annotated[
    int, Field(description="The side, from 1; 0 for third parties and where it is not clear.", examples=[1])
]
_IskLost = Annotated[
    int, Field(description="Value of what was lost, in whole ISK.", examples=[2_100_000_000])
]


class BucketSide(TypedDict):
    """What one side lost in a stretch of time."""

    side_id: _SideId
    killmails: Annotated[int, Field(description="Its losses, pods included.", examples=[3])]
    isk_lost: _IskLost


class Bucket(TypedDict):
    """A stretch of time in which something was lost."""

    since: Annotated[UtcTime, Field(description="Where it begins; it lasts `step_s`.")]
    sides: Annotated[
        list[BucketSide], Field(description="What each side lost, of those that lost something.")
    ]


class Timeline(TypedDict):
    """A battle in stretches of time."""

    step_s: Annotated[int, Field(description="How long each stretch is, in seconds.", examples=[60])]
    buckets: Annotated[
        list[Bucket], Field(description="In order; stretches in which nothing was lost are left out.")
    ]


class ShipComposition(TypedDict):
    """A ship type on one side."""

    ship_type: Annotated[Named, Field(description="Which.")]
    flown: Annotated[int, Field(description="Pilots that were in one.", examples=[12])]
    lost: Annotated[int, Field(description="How many were lost.", examples=[4])]
    isk_lost: _IskLost


class GroupComposition(TypedDict):
    """A group of ship types on one side."""

    group: Annotated[
        Named | None, Field(description="EVE's group of ships; null where the static data knows none.")
    ]
    flown: Annotated[int, Field(description="As of its ships, together.", examples=[12])]
    lost: Annotated[int, Field(description="As of its ships, together.", examples=[4])]
    isk_lost: _IskLost
    ships: Annotated[list[ShipComposition], Field(description="The most flown first.")]


class SideComposition(TypedDict):
    """What one side flew and lost."""

    side_id: _SideId
    groups: Annotated[list[GroupComposition], Field(description="The most flown first.")]


class Composition(TypedDict):
    """What the sides of a battle flew and lost."""

    sides: Annotated[list[SideComposition], Field(description="By number; third parties last.")]


class TopLoss(TypedDict):
    """A dear loss."""

    killmail_id: Annotated[int, Field(description="Its killmail.", examples=[96889120])]
    zkb_url: KillmailUrl
    timestamp: Annotated[UtcTime, Field(description="When it happened.")]
    victim: Annotated[Victim, Field(description="Who lost what.")]
    isk_value: Annotated[int, Field(description="Its value, in whole ISK.", examples=[1_234_567])]
    side_id: _SideId


class TopPilot(TypedDict):
    """A pilot who did much."""

    character: Annotated[Named, Field(description="The pilot.")]
    corporation: Annotated[Named | None, Field(description="The corporation at that time.")]
    alliance: Annotated[Named | None, Field(description="The alliance at that time.")]
    side_id: _SideId
    damage_done: Annotated[int, Field(description="Damage on all killmails together.", examples=[51_234])]
    killmails: Annotated[int, Field(description="Killmails as an attacker.", examples=[9])]
    final_blows: Annotated[int, Field(description="Of those, with the final blow.", examples=[2])]


class Top(TypedDict):
    """What stood out in a battle."""

    losses: Annotated[list[TopLoss], Field(description="The dearest losses.")]
    damage: Annotated[list[TopPilot], Field(description="Who did the most damage.")]
    final_blows: Annotated[list[TopPilot], Field(description="Who had the most final blows.")]


class Change(TypedDict):
    """What became of a battle."""

    kind: Annotated[
        Literal["created", "grown", "merged", "dissolved"],
        Field(
            description="`created`: new. `grown`: changed, and perhaps created since the cursor too. `merged`: `id` "
            "was replaced by `battle`. `dissolved`: `id` is no battle any more."
        ),
    ]
    id: Annotated[UUID, Field(description="What it is about: a battle's id, now or before.")]
    battle: Annotated[
        Battle | None, Field(description="The battle as it is now; null where it is none any more.")
    ]


class ChangeList(TypedDict):
    """What became of battles, in the order in which that became known."""

    items: Annotated[list[Change], Field(description="The changes; none where there is nothing new.")]
    next: Annotated[str, Field(description="`after` of the next request; the feed never ends.")]


class Found(Named):
    """Something with a name like what was searched."""

    category: Annotated[
        Literal["alliance", "corporation", "character", "system", "ship_type"],
        Field(description="What it is."),
    ]
    battles: Annotated[
        int,
        Field(
            description="How active it is, in battles (of a character: its ships in them), counted up to 1,000; 0 for "
            "ship types.",
            examples=[812],
        ),
    ]


class SearchResult(TypedDict):
    """What a search found."""

    items: Annotated[list[Found], Field(description="The likeliest first.")]


Months = dict[str, int]
"""Battles by month, as `2021-11`."""


class Acquaintance(Named):
    """An alliance, or a corporation without one, that an entity met."""

    killmails: Annotated[int, Field(description="Killmails on which they met.", examples=[31])]


class ShipUse(TypedDict):
    """A ship type as an entity uses it."""

    ship_type: Annotated[Named, Field(description="Which.")]
    kills: Annotated[int, Field(description="Killmails as an attacker with it.", examples=[12])]
    losses: Annotated[int, Field(description="How many were lost.", examples=[4])]


class SystemUse(Named):
    """A solar system that an entity fights in."""

    battles: Annotated[int, Field(description="Battles there.", examples=[17])]


class Recent(TypedDict):
    """What an entity did in its latest battles: up to 200, fewer where these hold more than 2,000 killmails."""

    battles: Annotated[int, Field(description="How many battles these are.", examples=[200])]
    since: Annotated[UtcTime, Field(description="When the first of them began.")]
    until: Annotated[UtcTime, Field(description="When the last of them began.")]
    kills: Annotated[int, Field(description="Others' losses that it was on, pods included.", examples=[420])]
    losses: Annotated[int, Field(description="Its own losses, pods included.", examples=[180])]
    isk_destroyed: Annotated[int, Field(description="Value of `kills`, whole, in whole ISK.")]
    isk_lost: Annotated[int, Field(description="Value of `losses`, in whole ISK.")]
    efficiency: Annotated[
        float | None,
        Field(
            description="`isk_destroyed`, of it and `isk_lost` together; null where both are 0.",
            examples=[0.7],
        ),
    ]
    opponents: Annotated[
        list[Acquaintance], Field(description="Whom it shot or was shot by, the most first.")
    ]
    friends: Annotated[list[Acquaintance], Field(description="Whom it shared kills with, the most first.")]
    ships: Annotated[list[ShipUse], Field(description="What it flew and lost, the most first.")]
    systems: Annotated[list[SystemUse], Field(description="Where it fought, the most first.")]


class Profile(Named):
    """An alliance, a corporation or a character, as battles tell of it."""

    battles: Annotated[int, Field(description="Battles that it was in, ever.", examples=[1234])]
    months: Annotated[
        Months,
        Field(description="Of those, by the month they began in; months without are left out."),
    ]
    recent: Annotated[Recent, Field(description="What it did of late.")]


class Visitor(Named):
    """An alliance, a corporation without one or a lone pilot that fights in a system."""

    battles: Annotated[int, Field(description="Battles there.", examples=[17])]


class SystemRecent(TypedDict):
    """The latest battles in a system, up to 200."""

    battles: Annotated[int, Field(description="How many battles these are.", examples=[200])]
    since: Annotated[UtcTime, Field(description="When the first of them began.")]
    until: Annotated[UtcTime, Field(description="When the last of them began.")]
    kills: Annotated[int, Field(description="Their killmails, pods included.", examples=[1420])]
    isk_destroyed: Annotated[int, Field(description="Value of everything lost, in whole ISK.")]
    affiliations: Annotated[list[Visitor], Field(description="Who was in the most of them, at most ten.")]


class SystemProfile(System):
    """A solar system, as battles tell of it."""

    battles: Annotated[int, Field(description="Battles in it, ever.", examples=[1234])]
    months: Annotated[
        Months,
        Field(description="Of those, by the month they began in; months without are left out."),
    ]
    recent: Annotated[SystemRecent | None, Field(description="What happened of late; null without a battle.")]


class KillmailReference(TypedDict):
    """What is kept of a killmail, and the battle it belongs to."""

    killmail_id: Annotated[int, Field(description="Its id.", examples=[96889120])]
    killmail_hash: Annotated[
        str, Field(description="With the id, what ESI needs to tell the whole killmail.")
    ]
    zkb_url: KillmailUrl
    timestamp: Annotated[UtcTime, Field(description="When it happened.")]
    system: Annotated[System, Field(description="Where it happened.")]
    victim: Annotated[Victim, Field(description="Who lost what.")]
    isk_value: IskValue
    value_source: ValueSource
    battle_id: Annotated[
        UUID | None, Field(description="The battle it belongs to; null while it belongs to none.")
    ]


class BattleList(TypedDict):
    """A page of battles, in the order asked for."""

    items: Annotated[list[Battle], Field(description="The battles.")]
    next: Next


class KillmailList(TypedDict):
    """A page of a battle's killmails, oldest first."""

    items: Annotated[list[BattleKillmail], Field(description="The killmails.")]
    next: Next


class ParticipantList(TypedDict):
    """A page of a battle's participants, by character and ship."""

    items: Annotated[list[Participant], Field(description="The participants.")]
    next: Next


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


def _shape[Body](body: type[Body]) -> TypeAdapter[Body]:
    """What writes an answer; built when it is first used, since a cold start needs one of them."""
    body.__pydantic_config__ = ConfigDict(defer_build=True)  # type: ignore[attr-defined]
    return TypeAdapter(body)


BATTLE_LIST = _shape(BattleList)
BATTLE_DETAIL = _shape(BattleDetail)
KILLMAIL_LIST = _shape(KillmailList)
PARTICIPANT_LIST = _shape(ParticipantList)
CHANGES = _shape(ChangeList)
SEARCH = _shape(SearchResult)
PROFILE = _shape(Profile)
SYSTEM_PROFILE = _shape(SystemProfile)
TIMELINE = _shape(Timeline)
COMPOSITION = _shape(Composition)
TOP = _shape(Top)
KILLMAIL_REFERENCE = _shape(KillmailReference)
COMPLETENESS_LIST = _shape(CompletenessList)
HEALTH = _shape(Health)
