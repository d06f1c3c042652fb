"""What each operation answers, and an example of it: a small battle in Tama."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from api.models.battles import (
    BATTLE_DETAIL,
    BATTLE_LIST,
    KILLMAIL_LIST,
    KILLMAIL_REFERENCE,
    PARTICIPANT_LIST,
    Battle,
    BattleDetail,
    BattleKillmail,
    BattleList,
    KillmailList,
    KillmailReference,
    Participant,
    ParticipantList,
    Victim,
)
from api.models.changes import CHANGES, Change, ChangeList
from api.models.common import Named, System
from api.models.fights import (
    COMPOSITION,
    TIMELINE,
    TOP,
    Bucket,
    BucketSide,
    Composition,
    GroupComposition,
    ShipComposition,
    SideComposition,
    Timeline,
    Top,
    TopLoss,
    TopPilot,
)
from api.models.profiles import (
    PROFILE,
    SYSTEM_PROFILE,
    Acquaintance,
    Profile,
    Recent,
    ShipUse,
    SystemProfile,
    SystemRecent,
    SystemUse,
    Visitor,
)
from api.models.search import SEARCH, Found, SearchResult
from api.models.service import (
    COMPLETENESS_LIST,
    HEALTH,
    CompletenessList,
    DatabaseHealth,
    DayCompleteness,
    FeedHealth,
    Health,
    MigrationHealth,
)
from api.models.sides import Side, SideAffiliation, TowardSide
from api.tables import BATTLES, KILLMAILS, PARTICIPANTS, Table

_TIME = datetime(2021, 11, 28, 10, 21, 4, tzinfo=UTC)
_CURSOR = "eyJsaXN0IjoiMWYyYTNiIiwiYWZ0ZXIiOlsuLi5dfQ"

_SYSTEM = System(id=30002813, name="Tama", region=Named(id=10000069, name="Black Rise"), security=0.29)
_PILOT = Named(id=2112625428, name="Some Pilot")
_CORPORATION = Named(id=98633005, name="Some Corporation")
_ALLIANCE = Named(id=1354830081, name="Goonswarm Federation")
_OTHERS = Named(id=99003581, name="Fraternity.")
_SHIP_TYPE = Named(id=587, name="Rifter")
_VICTIM = Victim(character=_PILOT, corporation=_CORPORATION, alliance=_ALLIANCE, ship_type=_SHIP_TYPE)

_BATTLE = Battle(
    id=UUID("6f0f6f0e-3b1c-5d0c-9d57-4a7a0e1f2b3c"),
    system=_SYSTEM,
    space_type="kspace",
    start_time=_TIME,
    end_time=_TIME.replace(minute=58),
    total_kills=42,
    losses=31,
    pilots=117,
    total_isk_destroyed=12_400_000_000,
    zkill_related_url="https://zkillboard.com/related/30002813/202111281000/",
    revision=3,
    updated_at=_TIME.replace(hour=11),
)

_KILLMAIL = BattleKillmail(
    killmail_id=96889120,
    zkb_url="https://zkillboard.com/kill/96889120/",
    timestamp=_TIME,
    victim=_VICTIM,
    attacker_alliances=[_OTHERS],
    isk_value=1_234_567,
    value_source="zkb",
    side_id=1,
)

_PARTICIPANT = Participant(
    character=_PILOT,
    ship_type=_SHIP_TYPE,
    corporation=_CORPORATION,
    alliance=_ALLIANCE,
    side_id=1,
    is_victim=True,
)

_SIDES = [
    Side(
        side_id=1,
        pilots=84,
        losses=9,
        isk_lost=2_100_000_000,
        isk_destroyed=10_300_000_000,
        efficiency=0.8306451612903226,
        total_affiliations=1,
        affiliations=[
            SideAffiliation(
                **_ALLIANCE,
                kind="alliance",
                pilots=84,
                losses=9,
                isk_lost=2_100_000_000,
                confidence=0.971,
                evidence=[
                    TowardSide(
                        side_id=2,
                        shot_kills=22,
                        shot_isk=10_300_000_000,
                        shot_weight=21.5,
                        lost_weight=8.75,
                        shared_weight=0.0,
                    )
                ],
                companions=[],
                why="on side 1: shot side 2 on 22 kills worth 10.3b, lost 8.8 ordinary ships to side 2",
            )
        ],
    ),
    Side(
        side_id=2,
        pilots=33,
        losses=22,
        isk_lost=10_300_000_000,
        isk_destroyed=2_100_000_000,
        efficiency=0.1693548387096774,
        total_affiliations=1,
        affiliations=[
            SideAffiliation(
                **_OTHERS,
                kind="alliance",
                pilots=33,
                losses=22,
                isk_lost=10_300_000_000,
                confidence=0.971,
                evidence=[
                    TowardSide(
                        side_id=1,
                        shot_kills=9,
                        shot_isk=2_100_000_000,
                        shot_weight=8.75,
                        lost_weight=21.5,
                        shared_weight=0.0,
                    )
                ],
                companions=[],
                why="on side 2: shot side 1 on 9 kills worth 2.1b, lost 21.5 ordinary ships to side 1",
            )
        ],
    ),
]

_BATTLES = BattleList(items=[_BATTLE], next=_CURSOR)

_DETAIL = BattleDetail(
    **_BATTLE,
    sides=_SIDES,
    killmails=[_KILLMAIL],
    killmails_next=None,
    total_participants=1,
    participants=[_PARTICIPANT],
    participants_next=None,
)

_TIMELINE = Timeline(
    step_s=60,
    buckets=[
        Bucket(
            since=_TIME.replace(second=0),
            sides=[
                BucketSide(side_id=1, killmails=1, isk_lost=1_234_567),
                BucketSide(side_id=2, killmails=4, isk_lost=2_300_000_000),
            ],
        )
    ],
)

_SHIPS = Composition(
    sides=[
        SideComposition(
            side_id=1,
            groups=[
                GroupComposition(
                    group=Named(id=25, name="Frigate"),
                    flown=12,
                    lost=4,
                    isk_lost=4_938_268,
                    ships=[ShipComposition(ship_type=_SHIP_TYPE, flown=12, lost=4, isk_lost=4_938_268)],
                )
            ],
        )
    ]
)

_TOP_PILOT = TopPilot(
    character=_PILOT,
    corporation=_CORPORATION,
    alliance=_ALLIANCE,
    side_id=1,
    damage_done=51_234,
    killmails=9,
    final_blows=2,
)

_TOP = Top(
    losses=[
        TopLoss(
            killmail_id=96889120,
            zkb_url="https://zkillboard.com/kill/96889120/",
            timestamp=_TIME,
            victim=_VICTIM,
            isk_value=1_234_567,
            side_id=1,
        )
    ],
    damage=[_TOP_PILOT],
    final_blows=[_TOP_PILOT],
)

_REFERENCE = KillmailReference(
    killmail_id=96889120,
    killmail_hash="c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00",
    zkb_url="https://zkillboard.com/kill/96889120/",
    timestamp=_TIME,
    system=_SYSTEM,
    victim=_VICTIM,
    isk_value=1_234_567,
    value_source="zkb",
    battle_id=_BATTLE["id"],
)

_DAY = DayCompleteness(
    day=_TIME.date(),
    is_complete=False,
    expected=17047,
    held=17046,
    missing_sent=1,
    unobtainable=0,
    checked_at=_TIME.replace(day=29),
)

_HEALTH = Health(
    status="ok",
    version="0.1.0",
    database=DatabaseHealth(latency_ms=0.7),
    migrations=MigrationHealth(current=5, newest=5),
    feeds=[FeedHealth(feed="r2z2", status="ok", moved_at=_TIME, age_s=4.2, newest_killmail=_TIME)],
)

_PROFILE = Profile(
    **_ALLIANCE,
    battles=1234,
    months={"2021-10": 801, "2021-11": 433},
    recent=Recent(
        battles=200,
        since=_TIME.replace(day=3),
        until=_TIME,
        kills=420,
        losses=180,
        isk_destroyed=70_000_000_000,
        isk_lost=30_000_000_000,
        efficiency=0.7,
        opponents=[Acquaintance(**_OTHERS, killmails=31)],
        friends=[Acquaintance(**_CORPORATION, killmails=12)],
        ships=[ShipUse(ship_type=_SHIP_TYPE, kills=12, losses=4)],
        systems=[SystemUse(id=30002813, name="Tama", battles=17)],
    ),
)

ANSWERS: dict[str, tuple[TypeAdapter[Any], Any]] = {
    "list_battles": (BATTLE_LIST, _BATTLES),
    "list_character_battles": (BATTLE_LIST, _BATTLES),
    "list_corporation_battles": (BATTLE_LIST, _BATTLES),
    "list_alliance_battles": (BATTLE_LIST, _BATTLES),
    "list_system_battles": (BATTLE_LIST, _BATTLES),
    "get_battle": (BATTLE_DETAIL, _DETAIL),
    "list_battle_killmails": (KILLMAIL_LIST, KillmailList(items=[_KILLMAIL], next=_CURSOR)),
    "list_battle_participants": (PARTICIPANT_LIST, ParticipantList(items=[_PARTICIPANT], next=_CURSOR)),
    "get_battle_timeline": (TIMELINE, _TIMELINE),
    "get_battle_composition": (COMPOSITION, _SHIPS),
    "get_battle_top": (TOP, _TOP),
    "get_changes": (
        CHANGES,
        ChangeList(items=[Change(kind="grown", id=_BATTLE["id"], battle=_BATTLE)], next=_CURSOR),
    ),
    "get_alliance": (PROFILE, _PROFILE),
    "get_corporation": (PROFILE, _PROFILE),
    "get_character": (PROFILE, _PROFILE),
    "get_system": (
        SYSTEM_PROFILE,
        SystemProfile(
            **_SYSTEM,
            battles=1234,
            months={"2021-10": 801, "2021-11": 433},
            recent=SystemRecent(
                battles=200,
                since=_TIME.replace(day=3),
                until=_TIME,
                kills=1420,
                isk_destroyed=70_000_000_000,
                affiliations=[Visitor(**_ALLIANCE, battles=17)],
            ),
        ),
    ),
    "search_names": (
        SEARCH,
        SearchResult(items=[Found(**_ALLIANCE, category="alliance", battles=812)]),
    ),
    "get_killmail": (KILLMAIL_REFERENCE, _REFERENCE),
    "list_completeness": (COMPLETENESS_LIST, CompletenessList(items=[_DAY], next=_CURSOR)),
    "get_health": (HEALTH, _HEALTH),
}
"""By operation: how its answer is written, and one."""

TABLES: dict[str, tuple[Table[Any], Any]] = {
    **{name: (BATTLES, _BATTLE) for name, (shape, _) in ANSWERS.items() if shape is BATTLE_LIST},
    "list_battle_killmails": (KILLMAILS, _KILLMAIL),
    "list_battle_participants": (PARTICIPANTS, _PARTICIPANT),
}
"""By operation that answers files as well: how, and an item of one."""
