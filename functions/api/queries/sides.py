"""The sides of one battle: who is on each, and why."""

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from api.models.sides import Companion, Side, SideAffiliation, TowardSide
from api.queries.names import Names, read_names
from battlescope.assignment import Assignment, assignments_of
from battlescope.evidence import KILL, Affiliation, from_json

if TYPE_CHECKING:
    from battlescope.database import Database

AFFILIATIONS_MAX = 500
"""Of one side in an answer, those with the most pilots; one takes about a KB."""


class Sides(NamedTuple):
    """The sides, and how many ids in them have no name yet."""

    items: list[Side]
    unresolved: int


def sides_of(connection: "Database", battle_id: UUID) -> Sides:
    """The sides of a battle, third parties last; none for one that was stored before sides were told."""
    row = connection.execute("SELECT evidence FROM battles WHERE id = %s", (battle_id,)).fetchone()
    if row is None or row[0] is None:
        return Sides([], 0)
    ledger, placements = from_json(row[0])
    assignments = assignments_of(ledger.evidence, placements)
    rows = connection.execute(
        """
        SELECT side_id, affiliation_ids[:%s], cardinality(affiliation_ids), pilots, losses, isk_lost, isk_destroyed, efficiency
        FROM battle_sides WHERE battle_id = %s ORDER BY side_id = 0, side_id
        """,
        (AFFILIATIONS_MAX, battle_id),
    ).fetchall()
    shown = [assignments[one] for row in rows for one in row[1]]
    names = read_names(
        connection,
        (
            id_
            for one in shown
            for id_ in (one.affiliation_id, *(mate.affiliation_id for mate in one.companions))
        ),
        (),
    )
    items = [
        Side(
            side_id=side_id,
            total_affiliations=total,
            pilots=pilots,
            losses=losses,
            isk_lost=isk_lost,
            isk_destroyed=isk_destroyed,
            efficiency=efficiency,
            affiliations=[_affiliation(assignments[one], ledger.affiliations[one], names) for one in ids],
        )
        for side_id, ids, total, pilots, losses, isk_lost, isk_destroyed, efficiency in rows
    ]
    return Sides(items, names.unresolved)


def _affiliation(assignment: Assignment, known: Affiliation, names: Names) -> SideAffiliation:
    return SideAffiliation(
        **names.entity(assignment.affiliation_id),
        kind=known.kind,
        pilots=known.pilots,
        losses=known.losses,
        isk_lost=known.isk_lost,
        confidence=assignment.confidence,
        evidence=[
            TowardSide(
                side_id=toward.side_id,
                shot_kills=toward.shot_kills,
                shot_isk=toward.shot_isk,
                shot_weight=_in_kills(toward.shot_weight),
                lost_weight=_in_kills(toward.lost_weight),
                shared_weight=_in_kills(toward.shared_weight),
            )
            for toward in assignment.toward
        ],
        companions=[
            Companion(**names.entity(mate.affiliation_id), shared_kills=mate.shared_kills)
            for mate in assignment.companions
        ],
        why=assignment.sentence(lambda affiliation: names.entity(affiliation)["name"]),
    )


def _in_kills(weight: int) -> float:
    return round(weight / KILL, 3)
