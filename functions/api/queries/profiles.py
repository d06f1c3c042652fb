"""What an alliance, a corporation or a character did of late, and when it was active.

How often and when it was in battles is told from an index, over all time. What it did there is told from its latest
killmails only: those of its latest BATTLES_MAX battles, and of fewer where these hold more than KILLMAILS_MAX. So
an answer costs the same for the busiest alliance of a million battles as for one of a thousand.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from api.models.common import Named
from api.models.profiles import Acquaintance, Months, Profile, Recent, ShipUse, SystemUse
from api.queries.names import read_names

if TYPE_CHECKING:
    from battlescope.database import Database

type EntityKind = Literal["alliance", "corporation", "character"]

BATTLES_MAX = 200
KILLMAILS_MAX = 2000
SHOWN = 10
"""Opponents, friends, ships and systems, at most of each."""

_OWN_BATTLES = {
    "alliance": "SELECT start_hour, first_killmail_id FROM battle_entities WHERE entity_id = %(id)s",
    "corporation": "SELECT start_hour, first_killmail_id FROM battle_entities WHERE entity_id = %(id)s",
    "character": "SELECT DISTINCT start_hour, battle_id FROM battle_participants WHERE character_id = %(id)s",
}

_KEYS = {
    "alliance": "first_killmail_id = o.first_killmail_id",
    "corporation": "first_killmail_id = o.first_killmail_id",
    "character": "id = o.battle_id",
}

_ENTRIES = {"character": 1, "corporation": 2, "alliance": 3}
"""Where a killmail's attackers hold whose ids."""

_MONTHS = """
    SELECT to_char(date_trunc('month', to_timestamp(start_hour * 3600.0)), 'YYYY-MM'), sum(battles)::bigint
    FROM (SELECT start_hour, count(*) AS battles FROM ({own}) o GROUP BY 1) h
    GROUP BY 1 ORDER BY 1
"""
"""`start_hour` first: there are far fewer hours than battles, and each is asked for its month once."""

_LATEST = """
    SELECT id, system_id, first_killmail_id, start_time
    FROM (
        SELECT b.id, b.system_id, b.first_killmail_id, b.start_time,
               sum(b.total_kills) OVER (ORDER BY b.start_time DESC, b.id) - b.total_kills AS before
        FROM (SELECT * FROM ({own}) o ORDER BY start_hour DESC LIMIT {battles}) o
        CROSS JOIN LATERAL (SELECT * FROM battles WHERE {key} OFFSET 0) b
    ) latest
    WHERE before < {killmails}
    ORDER BY start_time DESC, id
"""

_DEEDS = """
    SELECT k.victim_{kind}_id = %(id)s AS is_loss, coalesce(k.isk_value, 0), k.victim_ship_type_id,
           affiliation_of.victim, a.affiliations, a.own, a.ships
    FROM killmails k
    CROSS JOIN LATERAL (
        SELECT CASE WHEN k.victim_alliance_id <> 0 THEN k.victim_alliance_id
                    WHEN k.victim_corporation_id NOT BETWEEN 1000000 AND 1999999
                        THEN nullif(k.victim_corporation_id, 0) END AS victim
    ) affiliation_of
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(DISTINCT n.affiliation), '{{}}') AS affiliations,
               coalesce(array_agg(DISTINCT n.affiliation) FILTER (WHERE n.{kind} = %(id)s), '{{}}') AS own,
               coalesce(array_agg(n.ship) FILTER (WHERE n.{kind} = %(id)s), '{{}}') AS ships
        FROM (
            SELECT *, CASE WHEN alliance <> 0 THEN alliance
                           WHEN corporation NOT BETWEEN 1000000 AND 1999999 THEN nullif(corporation, 0) END AS affiliation
            FROM unnest(
                attacker_ids(k.attackers, 1), attacker_ids(k.attackers, 2), attacker_ids(k.attackers, 3), k.attackers[4:4]
            ) AS u (character, corporation, alliance, ship)
        ) n
    ) a
    WHERE k.component_id = ANY(%(components)s)
      AND (k.victim_{kind}_id = %(id)s OR %(id)s = ANY(attacker_ids(k.attackers, {entry})))
"""
"""Of the entity's killmails: whether it lost, what, who lost, who attacked, which of those it was, and in which ships.

Affiliations are the alliance, else the player corporation, as in `battlescope.killmail`; lone pilots are left out.
"""


def profile_of(connection: "Database", kind: EntityKind, entity_id: int) -> Profile | None:
    """An entity's profile; None where it is in no battle."""
    own, values = _OWN_BATTLES[kind], {"id": entity_id}
    months: Months = dict(connection.execute(_MONTHS.format(own=own), values).fetchall())
    if not months:
        return None
    latest = connection.execute(
        _LATEST.format(own=own, key=_KEYS[kind], battles=BATTLES_MAX, killmails=KILLMAILS_MAX), values
    ).fetchall()
    deeds = connection.execute(
        _DEEDS.format(kind=kind, entry=_ENTRIES[kind]), {**values, "components": [row[2] for row in latest]}
    ).fetchall()
    recent = _recent(connection, latest, deeds, entity_id)
    name = read_names(connection, (entity_id,), ()).entity(entity_id)
    return Profile(**name, battles=sum(months.values()), months=months, recent=recent)


def _recent(
    connection: "Database",
    latest: Sequence[tuple[Any, ...]],
    deeds: Sequence[tuple[Any, ...]],
    entity_id: int,
) -> Recent:
    opponents: Counter[int] = Counter()
    friends: Counter[int] = Counter()
    flown: Counter[int] = Counter()
    lost: Counter[int] = Counter()
    for is_loss, _, ship_type, victim, affiliations, own, ships in deeds:
        if is_loss:
            lost[ship_type] += 1
            opponents.update(set(affiliations) - {victim, entity_id})
        if ships:
            flown.update(set(ships))
            friends.update(set(affiliations) - {*own, entity_id})
            if not is_loss and victim not in own:
                opponents[victim] += 1
    for counted in (opponents, friends, flown, lost):
        for nobody in (0, None):
            counted.pop(nobody, None)  # type: ignore[arg-type]
    # In a large fight an enemy shoots third parties beside us, and a friend hits us: what happened more often counts.
    foes = Counter({one: times for one, times in opponents.items() if times >= friends[one]})
    company = Counter({one: times for one, times in friends.items() if times > opponents[one]})
    destroyed = sum(row[1] for row in deeds if row[6] and not row[0])
    isk_lost = sum(row[1] for row in deeds if row[0])
    ships_used = (flown + lost).most_common(SHOWN)
    names = read_names(
        connection,
        (id_ for id_, _ in (*foes.most_common(SHOWN), *company.most_common(SHOWN))),
        (id_ for id_, _ in ships_used),
    )
    return Recent(
        battles=len(latest),
        since=latest[-1][3],
        until=latest[0][3],
        kills=sum(bool(row[6]) and not row[0] for row in deeds),
        losses=sum(row[0] for row in deeds),
        isk_destroyed=destroyed,
        isk_lost=isk_lost,
        efficiency=destroyed / (destroyed + isk_lost) if destroyed + isk_lost else None,
        opponents=[
            Acquaintance(**names.entity(id_), killmails=times) for id_, times in foes.most_common(SHOWN)
        ],
        friends=[
            Acquaintance(**names.entity(id_), killmails=times) for id_, times in company.most_common(SHOWN)
        ],
        ships=[
            ShipUse(
                ship_type=names.ship_type_if_any(ship_type) or Named(id=0, name="0"),
                kills=flown[ship_type],
                losses=lost[ship_type],
            )
            for ship_type, _ in ships_used
        ],
        systems=_systems(connection, Counter(row[1] for row in latest)),
    )


def _systems(connection: "Database", battles: "Counter[int]") -> list[SystemUse]:
    most = dict(battles.most_common(SHOWN))
    known: dict[int, str] = dict(
        connection.execute(
            "SELECT system_id, name FROM solar_systems WHERE system_id = ANY(%s)", (list(most),)
        ).fetchall()
    )
    return [
        SystemUse(id=system_id, name=known.get(system_id, str(system_id)), battles=times)
        for system_id, times in most.items()
    ]
