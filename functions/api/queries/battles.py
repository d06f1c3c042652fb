"""One battle, and where an old id leads."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from api.models.battles import Battle
from api.queries.systems import system_of

if TYPE_CHECKING:
    from battlescope.database import Database

STORED = """
    b.id, b.space_type, b.start_time, b.end_time, b.total_kills, b.losses, b.pilots, b.total_isk_destroyed,
    b.zkill_related_url, b.revision, b.updated_at, b.system_id
"""
"""What an answer shows of `battles b`."""

COLUMNS = f"{STORED}, s.name, s.region_id, r.name, s.security_status"
"""What `battle_of` reads, of `battles b` and PLACES."""

PLACES = """
    LEFT JOIN LATERAL (SELECT * FROM solar_systems s WHERE s.system_id = b.system_id OFFSET 0) s ON true
    LEFT JOIN LATERAL (SELECT * FROM regions r WHERE r.region_id = s.region_id OFFSET 0) r ON true
"""
"""Looked up for each battle (`OFFSET 0`): joined, PostgreSQL would read all systems for each page."""


class Successor(NamedTuple):
    """Where an id leads that is no battle's any more: its killmail, and the battle which that belongs to.

    `is_kept` tells whether the killmail is stored still; RETENTION_MONTHS may have dropped it.
    """

    killmail_id: int
    is_kept: bool
    battle_id: UUID | None


def find_battle(connection: "Database", battle_id: UUID) -> Battle | None:
    """The battle with this id."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM battles b {PLACES} WHERE b.id = %s",  # noqa: S608 - constant columns
        (battle_id,),
    ).fetchone()
    return None if row is None else battle_of(row)


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


def battle_of(row: Sequence[Any]) -> Battle:
    """A battle from COLUMNS."""
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
