"""Samples of what is stored, and what exactly is stored of some battles."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from battlescope.database import Database
from cluster.maintenance.store.pieces import Piece


class BattleRows(NamedTuple):
    """All rows of some battles, each as a tuple; of entities only those that may be on a given list."""

    battles: frozenset[tuple[object, ...]]
    members: frozenset[tuple[object, ...]]
    participants: frozenset[tuple[object, ...]]
    sides: frozenset[tuple[object, ...]]
    entities: frozenset[tuple[object, ...]]


def battles_after(connection: Database, battle_id: UUID, limit: int) -> list[tuple[UUID, Piece]]:
    """The next battles by id, and where they are. Ids are digests, so those in a row are a sample of all."""
    rows = connection.execute(
        """
        SELECT id, system_id, extract(epoch FROM start_time)::bigint, extract(epoch FROM end_time)::bigint
        FROM battles WHERE id > %s ORDER BY id LIMIT %s
        """,
        (battle_id, limit),
    )
    return [(id_, Piece(*where)) for id_, *where in rows.fetchall()]


def some_moment(connection: Database, system_id: int) -> int | None:
    """When one of the system's killmails was, at random."""
    row = connection.execute(
        """
        SELECT extract(epoch FROM killmail_time)::bigint
        FROM killmails WHERE system_id = %(system_id)s AND killmail_time >= (
            SELECT min(killmail_time) + random() * (max(killmail_time) - min(killmail_time))
            FROM killmails WHERE system_id = %(system_id)s
        )
        ORDER BY killmail_time LIMIT 1
        """,
        {"system_id": system_id},
    ).fetchone()
    return None if row is None else row[0]


def rows_of(connection: Database, battle_ids: Collection[UUID], entity_ids: Collection[int]) -> BattleRows:
    """What is stored of these battles; there is no index of a battle's entities, so they are asked for by name."""
    ids = list(battle_ids)
    asked = (
        (
            """
            SELECT id, space_type, zkill_related_url, extract(epoch FROM start_time)::bigint,
                   extract(epoch FROM end_time)::bigint, total_kills, total_isk_destroyed, losses, pilots
            FROM battles WHERE id = ANY(%s)
            """,
            (ids,),
        ),
        (
            """
            SELECT battle_id, killmail_id, extract(epoch FROM "timestamp")::bigint, system_id,
                   coalesce(victim_alliance_id, 0), attacker_alliance_ids::text, isk_value, side_id
            FROM battle_killmails WHERE battle_id = ANY(%s)
            """,
            (ids,),
        ),
        (
            """
            SELECT battle_id, character_id, ship_type_id, coalesce(corp_id, 0), coalesce(alliance_id, 0), is_victim, side_id
            FROM battle_participants WHERE battle_id = ANY(%s)
            """,
            (ids,),
        ),
        (
            """
            SELECT battle_id, side_id, affiliation_ids::text, pilots, losses, isk_lost, isk_destroyed
            FROM battle_sides WHERE battle_id = ANY(%s)
            """,
            (ids,),
        ),
        (
            """
            SELECT b.id, e.entity_id FROM battles b JOIN battle_entities e USING (first_killmail_id)
            WHERE b.id = ANY(%s) AND e.entity_id = ANY(%s)
            """,
            (ids, list(entity_ids)),
        ),
    )
    return BattleRows(*(frozenset(connection.execute(query, values).fetchall()) for query, values in asked))
