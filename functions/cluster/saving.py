"""Battles as they are now, into the database."""

from collections.abc import Sequence
from uuid import UUID

from battlescope.database import Database
from cluster.engine.side_totals import SideTotals, side_totals
from cluster.growing import Grown
from cluster.store import battles as battles_store
from cluster.store import sides as sides_store
from cluster.store.rows import StoredBattle
from cluster.store.sides import Move


def save(connection: Database, outcomes: Sequence[Grown]) -> None:
    """Write battles, new or grown; their killmails must be in their components already."""
    if not outcomes:
        return
    for one in outcomes:
        if one.component.base is not None:
            battles_store.rename_battle(connection, one.component.base, one.battle)
    battles_store.save_battles(connection, [one.battle for one in outcomes])
    save_sides(connection, [(one.component.base, one.battle) for one in outcomes])
    battles_store.add_members(connection, [(one.battle, one.component.additions) for one in outcomes])
    battles_store.add_participants(connection, [(one.battle, one.flights) for one in outcomes])
    battles_store.change_participants(connection, [(one.battle, one.changes) for one in outcomes])
    for is_new in (True, False):
        battles_store.add_entities(
            connection,
            [
                (one.battle, one.component.roll.entities)
                for one in outcomes
                if (one.component.base is None) is is_new
            ],
            some_known=not is_new,
        )


def save_sides(connection: Database, changed: Sequence[tuple[StoredBattle | None, StoredBattle]]) -> None:
    """Write the sides of battles, given as they were (None: not at all) and as they are."""
    sides: list[tuple[UUID, SideTotals]] = []
    gone: list[tuple[UUID, int]] = []
    moves: list[Move] = []
    for before, battle in changed:
        side_ids = {affiliation: place.side_id for affiliation, place in battle.placements.items()}
        totals = side_totals(battle.ledger, side_ids)
        sides.extend((battle.id, side) for side in totals)
        if before is None:
            continue
        held = {place.side_id for place in before.placements.values()}
        gone.extend((battle.id, side_id) for side_id in held - {side.side_id for side in totals})
        moves.extend(
            Move(battle.id, battle.component_id, affiliation, side_ids[affiliation])
            for affiliation, place in before.placements.items()
            if place.side_id != side_ids[affiliation]
        )
    sides_store.save_sides(connection, sides, gone)
    sides_store.move_affiliations(connection, moves)
