"""What the database knows of arriving killmails and of those around them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from battlescope.database import Database
from battlescope.evidence import from_json
from battlescope.killmail import CAPSULE_TYPE_IDS, Killmail, Pilot, parties
from cluster.engine.battle import Loss, Totals
from cluster.engine.linking import Sighting
from cluster.engine.roll import Flight, Participation
from cluster.store.attackers import attackers_of, columns_of
from cluster.store.literals import literal
from cluster.store.rows import Neighbourhood, StoredBattle, StoredKillmail

LOCK_CLASS = 0x4253
"""First key of the advisory locks on solar systems; the second is the system's id."""

NOT_TOLD: dict[str, list[list[Any]]] = {"affiliations": [], "pairs": []}
"""The evidence of a battle that was stored before sides were told."""

_KILLMAIL_COLUMNS = """
    k.killmail_id, encode(k.killmail_hash, 'hex'), extract(epoch FROM k.killmail_time)::bigint, k.system_id,
    k.victim_character_id, k.victim_corporation_id, k.victim_alliance_id, k.victim_ship_type_id,
    k.attackers, k.final_blow, k.isk_value, k.valued_at
"""


_BATTLES = """
    SELECT id, system_id, first_killmail_id, revision, evidence, extract(epoch FROM start_time)::bigint,
           extract(epoch FROM end_time)::bigint, total_kills, total_isk_destroyed, losses, pilots
    FROM battles WHERE first_killmail_id = ANY(%s::bigint[])
"""


def look_around(connection: Database, killmails: Sequence[Killmail], reach_s: int) -> Neighbourhood:
    """Take the locks on these killmails' systems, then read what is stored of them and within `reach_s` of them.

    Locks are taken in the order of the systems' ids, so that two transactions never wait for one another.
    """
    times: dict[int, list[int]] = {}
    for killmail in killmails:
        times.setdefault(killmail.solar_system_id, []).append(killmail.killmail_time)
    spans = [span for system_id in sorted(times) for span in _spans(system_id, times[system_id], reach_s)]
    with connection.cursor(binary=True) as known, connection.cursor(binary=True) as near:
        connection.execute(
            "SELECT pg_advisory_xact_lock(%s, s) FROM (SELECT s FROM unnest(%s::integer[]) s ORDER BY s) l",
            (LOCK_CLASS, literal(times)),
        )
        known.execute(
            """
            SELECT killmail_id, encode(killmail_hash, 'hex'), system_id, component_id, isk_value, valued_at
            FROM killmails WHERE killmail_id = ANY(%s::bigint[])
            """,
            (literal(killmail.killmail_id for killmail in killmails),),
        )
        near.execute(
            """
            SELECT k.system_id, extract(epoch FROM k.killmail_time)::bigint, k.killmail_id, k.component_id,
                   k.victim_character_id, k.victim_corporation_id, k.victim_alliance_id, k.attackers
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS span (system_id, since, until)
            JOIN killmails k
              ON k.system_id = span.system_id
             AND k.killmail_time BETWEEN to_timestamp(span.since) AND to_timestamp(span.until)
            """,
            tuple(map(literal, zip(*spans, strict=True))),
        )
        stored = {row[0]: StoredKillmail(*row) for row in known.fetchall()}
        sightings: dict[int, list[Sighting]] = {}
        component_of: dict[int, int] = {}
        for row in near.fetchall():
            system_id, at, killmail_id, component_id, character, corporation, alliance, attackers = row
            who = parties(Pilot(character, corporation, alliance, 0), *columns_of(attackers)[:3])
            sightings.setdefault(system_id, []).append(Sighting(at, killmail_id, who))
            component_of[killmail_id] = component_id
    return Neighbourhood(stored, sightings, component_of)


def battles_of(connection: Database, component_ids: Collection[int]) -> dict[int, StoredBattle]:
    """Of these components those that are battles, by component."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_BATTLES, (literal(component_ids),))
        return _battles(cursor)


def battles_and_loose_members(
    connection: Database, component_ids: Collection[int]
) -> tuple[dict[int, StoredBattle], dict[int, list[Killmail]]]:
    """Of these components: the battles, and the killmails of those that are no battle (yet), by component."""
    ids = literal(component_ids)
    with connection.cursor(binary=True) as battles, connection.cursor(binary=True) as loose:
        battles.execute(_BATTLES, (ids,))
        loose.execute(
            f"""
            WITH loose AS MATERIALIZED (  -- first, or every member of a battle would be asked whether it is one
                SELECT component_id FROM unnest(%s::bigint[]) AS c (component_id)
                WHERE NOT EXISTS (SELECT FROM battles b WHERE b.first_killmail_id = c.component_id)
            )
            SELECT k.component_id, {_KILLMAIL_COLUMNS}
            FROM loose JOIN killmails k USING (component_id)
            """,  # noqa: S608 - constant columns
            (ids,),
        )
        return _battles(battles), _by_component(loose)


def members_of(connection: Database, component_ids: Collection[int]) -> dict[int, list[Killmail]]:
    """All killmails of these components."""
    if not component_ids:
        return {}
    with connection.cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT k.component_id, {_KILLMAIL_COLUMNS} FROM killmails k WHERE k.component_id = ANY(%s::bigint[])",  # noqa: S608 - constant columns
            (literal(component_ids),),
        )
        return _by_component(cursor)


def before(
    connection: Database,
    victims: Collection[tuple[int, int]],
    pilots: Collection[tuple[UUID, int]],
) -> tuple[dict[int, list[Loss]], dict[UUID, dict[Flight, Participation]]]:
    """What a battle knew before of those who are on new killmails.

    Args:
        connection: in the transaction.
        victims: `(component_id, character_id)` of those who lost something now.
        pilots: `(battle_id, character_id)` of everybody on the new killmails.

    Returns:
        The earlier losses of the victims by component, and what the pilots had flown by battle.
    """
    with connection.cursor(binary=True) as lost, connection.cursor(binary=True) as flown:
        lost.execute(
            """
            SELECT v.component_id, k.victim_character_id, extract(epoch FROM k.killmail_time)::bigint,
                   k.victim_ship_type_id = ANY(%s::bigint[]), k.victim_corporation_id, k.victim_alliance_id
            FROM unnest(%s::bigint[], %s::bigint[]) AS v (component_id, character_id)
            JOIN killmails k ON k.component_id = v.component_id AND k.victim_character_id = v.character_id
            """,
            (
                list(CAPSULE_TYPE_IDS),
                [component for component, _ in victims],
                [victim for _, victim in victims],
            ),
        )
        flown.execute(
            """
            SELECT p.battle_id, p.character_id, b.ship_type_id, coalesce(b.corp_id, 0), coalesce(b.alliance_id, 0), b.is_victim
            FROM unnest(%s::uuid[], %s::bigint[]) AS p (battle_id, character_id)
            CROSS JOIN LATERAL (  -- OFFSET keeps it to a probe of the index each; a join reads whole battles
                SELECT * FROM battle_participants b
                WHERE b.battle_id = p.battle_id AND b.character_id = p.character_id OFFSET 0
            ) AS b
            """,
            (literal(battle for battle, _ in pilots), literal(pilot for _, pilot in pilots)),
        )
        losses: dict[int, list[Loss]] = {}
        for component_id, *loss in lost.fetchall():
            losses.setdefault(component_id, []).append(Loss(*loss))
        flights: dict[UUID, dict[Flight, Participation]] = {}
        for battle_id, character_id, ship_type_id, *seen in flown.fetchall():
            flights.setdefault(battle_id, {})[Flight(character_id, ship_type_id)] = Participation(*seen)
        return losses, flights


def _spans(system_id: int, times: Iterable[int], reach_s: int) -> list[tuple[int, int, int]]:
    """The stretches of time, `(system, since, until)`, within `reach_s` of these times, without overlap."""
    spans: list[tuple[int, int, int]] = []
    for time in sorted(times):
        if spans and time - reach_s <= spans[-1][2]:
            spans[-1] = (system_id, spans[-1][1], time + reach_s)
        else:
            spans.append((system_id, time - reach_s, time + reach_s))
    return spans


def _battles(rows: Iterable[Sequence[Any]]) -> dict[int, StoredBattle]:
    return {
        component_id: StoredBattle(
            id_, system_id, component_id, Totals(*totals), revision, *from_json(evidence or NOT_TOLD)
        )
        for id_, system_id, component_id, revision, evidence, *totals in rows
    }


def _by_component(rows: Iterable[Sequence[Any]]) -> dict[int, list[Killmail]]:
    members: dict[int, list[Killmail]] = {}
    for component_id, *row in rows:
        members.setdefault(component_id, []).append(_killmail(row))
    return members


def _killmail(row: Sequence[Any]) -> Killmail:
    killmail_id, killmail_hash, killmail_time, system_id, *victim = row[:8]
    attackers, final_blow, isk_value, valued_at = row[8:]
    return Killmail(
        killmail_id=killmail_id,
        killmail_hash=killmail_hash,
        killmail_time=killmail_time,
        solar_system_id=system_id,
        victim=Pilot(*victim),
        attackers=attackers_of(attackers, final_blow),
        isk_value=isk_value,
        valued_at=valued_at,
    )
