"""Battles: lists, one of them, and where an old id leads."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from api.cursor import BattleKey
from api.models import Battle
from api.parameters import Constraint
from api.queries.systems import system_of

if TYPE_CHECKING:
    from battlescope.database import Database

_COLUMNS = """
    b.id, b.space_type, b.start_time, b.end_time, b.total_kills, b.losses, b.pilots, b.total_isk_destroyed,
    b.zkill_related_url, b.revision, b.updated_at, b.system_id, s.name, s.region_id, r.name, s.security_status
"""

_PLACES = """
    LEFT JOIN solar_systems s ON s.system_id = b.system_id
    LEFT JOIN regions r ON r.region_id = s.region_id
"""

_CONDITIONS = {
    "space": "space_type = %s",
    "since": "start_time >= %s",
    "until": "start_time < %s",
    "system": "system_id = %s",
    "min_kills": "total_kills >= %s",
    "corporation": "EXISTS (SELECT FROM battle_entities e WHERE e.battle_id = battles.id AND e.entity_id = %s)",
    "alliance": "EXISTS (SELECT FROM battle_entities e WHERE e.battle_id = battles.id AND e.entity_id = %s)",
    "character": "EXISTS (SELECT FROM battle_participants p WHERE p.battle_id = battles.id AND p.character_id = %s)",
    "after": "(start_time, id) < (%s, %s)",
}


class Successor(NamedTuple):
    """Where an id leads that is no battle's any more: its killmail, and the battle which that belongs to.

    `is_kept` tells whether the killmail is stored still; RETENTION_MONTHS may have dropped it.
    """

    killmail_id: int
    is_kept: bool
    battle_id: UUID | None


def list_battles(
    connection: "Database", constraints: Sequence[Constraint], after: BattleKey | None, limit: int
) -> list[Battle]:
    """Up to `limit` battles that fulfil all constraints, newest first, from the one after `after` on."""
    conditions = [_CONDITIONS[name] for name, _ in constraints]
    values: list[Any] = [value for _, value in constraints]
    if after is not None:
        conditions.append(_CONDITIONS["after"])
        values.extend(after)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    # The page is cut before names are joined: a plan that joins first would read names for battles it throws away.
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS}
        FROM (SELECT * FROM battles {where} ORDER BY start_time DESC, id DESC LIMIT %s) b
        {_PLACES}
        ORDER BY b.start_time DESC, b.id DESC
        """,  # noqa: S608 - constant conditions; their values are parameters
        (*values, limit),
    )
    return [_battle(row) for row in rows]


def find_battle(connection: "Database", battle_id: UUID) -> Battle | None:
    """The battle with this id."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM battles b {_PLACES} WHERE b.id = %s",  # noqa: S608 - constant columns
        (battle_id,),
    ).fetchone()
    return None if row is None else _battle(row)


def find_successor(connection: "Database", battle_id: UUID) -> Successor | None:
    """Where an id leads that was served once; None for an id that never was."""
    row = connection.execute(
        """
        SELECT a.killmail_id, k.killmail_id IS NOT NULL, b.id
        FROM battle_aliases a
        LEFT JOIN killmails k ON k.killmail_id = a.killmail_id
        LEFT JOIN battles b ON b.first_killmail_id = k.component_id
        WHERE a.id = %s
        """,
        (battle_id,),
    ).fetchone()
    return None if row is None else Successor(*row)


def _battle(row: Sequence[Any]) -> Battle:
    return Battle(
        id=row[0],
        system=system_of(*row[11:]),
        space_type=row[1],
        start_time=row[2],
        end_time=row[3],
        total_kills=row[4],
        losses=row[5],
        pilots=row[6],
        total_isk_destroyed=row[7],
        zkill_related_url=row[8],
        revision=row[9],
        updated_at=row[10],
    )
