"""Writing battles: their totals, members, participants and entities, and what becomes of their ids."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import pydantic_core

from battlescope.database import Database
from battlescope.evidence import to_json
from battlescope.killmail import Killmail
from battlescope.space import space_type
from battlescope.zkillboard import related_url
from cluster.engine.roll import Flight, Participation
from cluster.store.literals import literal, nested
from cluster.store.rows import StoredBattle

_ENTITIES = """
    SELECT e.id
    FROM killmails k
    CROSS JOIN LATERAL (
        SELECT unnest(attacker_ids(k.attackers, 2)) UNION ALL SELECT unnest(attacker_ids(k.attackers, 3))
        UNION ALL VALUES (k.victim_corporation_id), (k.victim_alliance_id)
    ) AS e (id)
    WHERE k.component_id = ANY(%s)
"""


def supersede_battles(connection: Database, superseded: Collection[StoredBattle]) -> None:
    """Leave an alias behind for ids that are no battle's any more."""
    if superseded:
        connection.execute(
            """
            INSERT INTO battle_aliases AS a (id, killmail_id, revision)
            SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::integer[])
            ON CONFLICT (id) DO UPDATE SET
                revision = greatest(a.revision, excluded.revision), changed_in = excluded.changed_in
            """,
            (
                [battle.id for battle in superseded],
                [battle.component_id for battle in superseded],
                [battle.revision for battle in superseded],
            ),
        )


def delete_battles(connection: Database, battles: Collection[StoredBattle]) -> None:
    """Remove battles whose killmails belong to another now, or make no battle any more.

    The killmails must still be in the components that these battles had.
    """
    if not battles:
        return
    ids = [battle.id for battle in battles]
    component_ids = [battle.component_id for battle in battles]
    connection.execute("DELETE FROM battle_killmails WHERE battle_id = ANY(%s)", (ids,))
    connection.execute("DELETE FROM battle_participants WHERE battle_id = ANY(%s)", (ids,))
    connection.execute("DELETE FROM battle_sides WHERE battle_id = ANY(%s)", (ids,))
    connection.execute(
        f"""
        DELETE FROM battle_entities
        WHERE entity_id IN ({_ENTITIES}) AND start_hour = ANY(%s) AND first_killmail_id = ANY(%s)
        """,  # noqa: S608 - a constant
        (component_ids, [battle.start_hour for battle in battles], component_ids),
    )
    connection.execute("DELETE FROM battles WHERE id = ANY(%s)", (ids,))


def rename_battle(connection: Database, old: StoredBattle, new: StoredBattle) -> None:
    """Give a battle the id of its new first killmail, and the hour in which it now began, where these differ.

    Its killmails must be in the new component already.
    """
    if old.id != new.id:
        ids = (new.id, old.id)
        connection.execute("UPDATE battle_killmails SET battle_id = %s WHERE battle_id = %s", ids)
        connection.execute("UPDATE battle_sides SET battle_id = %s WHERE battle_id = %s", ids)
        connection.execute(
            "UPDATE battles SET id = %s, first_killmail_id = %s WHERE id = %s",
            (new.id, new.component_id, old.id),
        )
    if old.id != new.id or old.start_hour != new.start_hour:
        connection.execute(
            "UPDATE battle_participants SET battle_id = %s, start_hour = %s WHERE battle_id = %s",
            (new.id, new.start_hour, old.id),
        )
        connection.execute(
            f"""
            UPDATE battle_entities SET first_killmail_id = %s, start_hour = %s
            WHERE entity_id IN ({_ENTITIES}) AND start_hour = %s AND first_killmail_id = %s
            """,  # noqa: S608 - a constant
            (new.component_id, new.start_hour, [new.component_id], old.start_hour, old.component_id),
        )


def save_battles(connection: Database, battles: Sequence[StoredBattle]) -> None:
    """Write the totals of battles, new or known.

    The revision of an id only ever rises: past those of the battles that went into this one, and past the one it
    had where it was an alias in between.
    """
    connection.execute(
        """
        INSERT INTO battles AS b (
            id, system_id, space_type, start_time, end_time, total_kills, total_isk_destroyed, zkill_related_url,
            first_killmail_id, losses, pilots, revision, evidence, region_id
        )
        SELECT n.id, n.system_id, n.space_type, to_timestamp(n.start_time), to_timestamp(n.end_time), n.total_kills, n.isk,
               n.url, n.first_killmail_id, n.losses, n.pilots, 1 + greatest(n.revision, a.revision), n.evidence::json,
               s.region_id
        FROM unnest(
            %s::uuid[], %s::bigint[], %s::bigint[], %s::integer[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
            %s::integer[], %s::bigint[], %s::integer[], %s::integer[], %s::text[]
        ) AS n (
            id, system_id, first_killmail_id, revision, space_type, url, start_time, end_time, total_kills, isk,
            losses, pilots, evidence
        )
        LEFT JOIN battle_aliases a USING (id)
        LEFT JOIN solar_systems s USING (system_id)
        ON CONFLICT (id) DO UPDATE SET
            space_type = excluded.space_type, start_time = excluded.start_time, end_time = excluded.end_time,
            total_kills = excluded.total_kills, total_isk_destroyed = excluded.total_isk_destroyed,
            zkill_related_url = excluded.zkill_related_url, losses = excluded.losses, pilots = excluded.pilots,
            revision = excluded.revision, evidence = excluded.evidence, updated_at = now(),
            region_id = excluded.region_id, changed_in = excluded.changed_in
        """,
        (
            *map(
                literal,
                zip(
                    *(
                        (
                            battle.id,
                            battle.system_id,
                            battle.component_id,
                            battle.revision,
                            space_type(battle.system_id, battle.totals.start_time),
                            related_url(battle.system_id, battle.totals.start_time, battle.totals.end_time),
                            *battle.totals,
                        )
                        for battle in battles
                    ),
                    strict=True,
                ),
            ),
            [evidence_text(battle) for battle in battles],
        ),
    )


def evidence_text(battle: StoredBattle) -> str:
    """What `battles.evidence` keeps."""
    return pydantic_core.to_json(to_json(battle.ledger, battle.placements)).decode()


def add_members(connection: Database, members: Sequence[tuple[StoredBattle, Iterable[Killmail]]]) -> None:
    """Put killmails into battles that do not hold them yet."""
    rows = [
        (
            place,
            killmail.killmail_id,
            killmail.killmail_time,
            killmail.solar_system_id,
            killmail.victim.alliance_id,
            nested(sorted({attacker.alliance_id for attacker in killmail.attackers} - {0})),
            killmail.isk_value,
            battle.side_of(*killmail.victim[:3]),
        )
        for place, (battle, killmails) in enumerate(members, 1)
        for killmail in killmails
    ]
    connection.execute(
        """
        INSERT INTO battle_killmails (
            battle_id, killmail_id, "timestamp", system_id, victim_alliance_id, attacker_alliance_ids, isk_value, side_id
        )
        SELECT (%s::uuid[])[place], killmail_id, to_timestamp(time), system_id, nullif(alliance_id, 0),
               alliances::bigint[], isk_value, side_id
        FROM unnest(
            %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::smallint[]
        ) AS n (place, killmail_id, time, system_id, alliance_id, alliances, isk_value, side_id)
        """,
        (_ids(members), *map(literal, zip(*rows, strict=True))),
    )


def revalue_members(connection: Database, members: Sequence[tuple[UUID, Killmail]]) -> None:
    """Give killmails of battles a new value."""
    connection.execute(
        """
        UPDATE battle_killmails m SET isk_value = n.isk_value
        FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS n (battle_id, killmail_id, isk_value)
        WHERE m.battle_id = n.battle_id AND m.killmail_id = n.killmail_id
        """,
        tuple(
            map(
                literal,
                zip(
                    *((battle, killmail.killmail_id, killmail.isk_value) for battle, killmail in members),
                    strict=True,
                ),
            )
        ),
    )


type Flown = Sequence[tuple[StoredBattle, Mapping[Flight, Participation]]]
"""Battles, and who flew what in each."""


def add_participants(connection: Database, flown: Flown) -> None:
    """Write who flew what, of flights that are not stored: `ON CONFLICT` would take twice the time."""
    rows = _participants(flown)
    if not rows:  # structures shot by structures
        return
    connection.execute(
        """
        INSERT INTO battle_participants (
            battle_id, start_hour, character_id, ship_type_id, corp_id, alliance_id, is_victim, side_id
        )
        SELECT (%s::uuid[])[place], (%s::integer[])[place], character_id, ship_type_id, nullif(corp_id, 0), nullif(alliance_id, 0), is_victim,
               side_id
        FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::smallint[])
          AS n (place, character_id, ship_type_id, corp_id, alliance_id, is_victim, side_id)
        """,
        (_ids(flown), _start_hours(flown), *rows),
    )


def change_participants(connection: Database, flown: Flown) -> None:
    """Write who flew what, as it is now, of flights that are stored."""
    rows = _participants(flown)
    if not rows:
        return
    connection.execute(
        """
        UPDATE battle_participants p SET
            corp_id = nullif(n.corp_id, 0), alliance_id = nullif(n.alliance_id, 0), is_victim = n.is_victim,
            side_id = n.side_id
        FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::smallint[])
          AS n (place, character_id, ship_type_id, corp_id, alliance_id, is_victim, side_id)
        WHERE p.battle_id = (%s::uuid[])[n.place] AND p.character_id = n.character_id AND p.ship_type_id = n.ship_type_id
        """,
        (*rows, _ids(flown)),
    )


def _participants(flown: Flown) -> tuple[str, ...]:
    """By column: the battle's place, character, ship type, corporation, alliance, whether it was lost, and the side."""
    rows = [
        (place, *flight, *seen, battle.side_of(flight[0], seen[0], seen[1]))
        for place, (battle, flights) in enumerate(flown, 1)
        for flight, seen in flights.items()
    ]
    return tuple(map(literal, zip(*rows, strict=True)))


def add_entities(
    connection: Database, entities: Sequence[tuple[StoredBattle, Iterable[int]]], *, some_known: bool
) -> None:
    """Add corporations and alliances to battles, which may hold some of them only where `some_known`."""
    rows = [
        (battle.component_id, battle.start_hour, entity) for battle, found in entities for entity in found
    ]
    if not rows:  # killmails that name no corporation
        return
    on_known = "ON CONFLICT (entity_id, start_hour, first_killmail_id) DO NOTHING" if some_known else ""
    connection.execute(
        f"""
        INSERT INTO battle_entities (first_killmail_id, start_hour, entity_id)
        SELECT * FROM unnest(%s::bigint[], %s::integer[], %s::bigint[])
        {on_known}
        """,  # noqa: S608 - a constant
        tuple(map(literal, zip(*rows, strict=True))),
    )


def _ids(of: Iterable[tuple[StoredBattle, object]]) -> str:
    """The ids of these battles, once each: a row names its battle by the place in this list."""
    return literal(battle.id for battle, _ in of)


def _start_hours(of: Iterable[tuple[StoredBattle, object]]) -> str:
    """The hours in which these battles began, in the same places."""
    return literal(battle.start_hour for battle, _ in of)
