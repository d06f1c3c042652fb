"""Writing the sides of battles: their totals, and who and what is on them."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from battlescope.database import Database
from cluster.engine.side_totals import SideTotals
from cluster.store.literals import literal, nested


class Move(NamedTuple):
    """An affiliation that is on another side of its battle than before."""

    battle_id: UUID
    component_id: int
    affiliation_id: int
    side_id: int


def save_sides(
    connection: Database,
    sides: Collection[tuple[UUID, SideTotals]],
    gone: Collection[tuple[UUID, int]],
) -> None:
    """Write the sides of battles, and remove those, by battle and number, that these have no more."""
    if gone:
        connection.execute(
            """
            DELETE FROM battle_sides s USING unnest(%s::uuid[], %s::smallint[]) AS n (battle_id, side_id)
            WHERE s.battle_id = n.battle_id AND s.side_id = n.side_id
            """,
            tuple(map(literal, zip(*gone, strict=True))),
        )
    rows = [
        (battle_id, side_id, nested(affiliation_ids), *numbers)
        for battle_id, (side_id, affiliation_ids, *numbers) in sides
    ]
    if not rows:  # an NPC corporation's structures shot by one another
        return
    connection.execute(
        """
        INSERT INTO battle_sides AS s (
            battle_id, side_id, affiliation_ids, pilots, losses, isk_lost, isk_destroyed
        )
        SELECT battle_id, side_id, affiliation_ids::bigint[], pilots, losses, isk_lost, isk_destroyed
        FROM unnest(
            %s::uuid[], %s::smallint[], %s::text[], %s::integer[], %s::integer[], %s::bigint[], %s::bigint[]
        ) AS n (battle_id, side_id, affiliation_ids, pilots, losses, isk_lost, isk_destroyed)
        ON CONFLICT (battle_id, side_id) DO UPDATE SET
            affiliation_ids = excluded.affiliation_ids, pilots = excluded.pilots, losses = excluded.losses,
            isk_lost = excluded.isk_lost, isk_destroyed = excluded.isk_destroyed
        """,
        tuple(map(literal, zip(*rows, strict=True))),
    )


def move_affiliations(connection: Database, moves: Collection[Move]) -> None:
    """Put what is stored of affiliations on their new sides.

    This reads the whole battle; but the more it holds, the less often an arrival moves anybody. An affiliation is the
    alliance, else the player corporation, else the character, as in `battlescope.killmail`.
    """
    if not moves:
        return
    columns = tuple(map(literal, zip(*moves, strict=True)))
    connection.execute(
        """
        UPDATE battle_killmails m SET side_id = n.side_id
        FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::smallint[])
          AS n (battle_id, component_id, affiliation_id, side_id)
        JOIN killmails k ON k.component_id = n.component_id AND n.affiliation_id = CASE
            WHEN k.victim_alliance_id <> 0 THEN k.victim_alliance_id
            WHEN k.victim_corporation_id <> 0 AND k.victim_corporation_id NOT BETWEEN 1000000 AND 1999999
                THEN k.victim_corporation_id
            ELSE k.victim_character_id END
        WHERE m.battle_id = n.battle_id AND m.killmail_id = k.killmail_id
        """,
        columns,
    )
    connection.execute(
        """
        UPDATE battle_participants p SET side_id = n.side_id
        FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::smallint[])
          AS n (battle_id, component_id, affiliation_id, side_id)
        WHERE p.battle_id = n.battle_id AND n.affiliation_id = CASE
            WHEN p.alliance_id IS NOT NULL THEN p.alliance_id
            WHEN p.corp_id NOT BETWEEN 1000000 AND 1999999 THEN p.corp_id
            ELSE p.character_id END
        """,
        columns,
    )
