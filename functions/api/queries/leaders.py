"""Who led the sides of battles in a list: what their headlines are made of."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from api.models.common import Named

if TYPE_CHECKING:
    from battlescope.database import Database


class Leader(NamedTuple):
    """A side, and the affiliation with the most pilots on it.

    Attributes:
        kind: alliance, corporation or character; None while its name is not known.
        others: how many more affiliations are on the side.
        efficiency: of the side, 0 to 1; None where it neither destroyed nor lost ISK.
    """

    side_id: int
    affiliation: Named
    kind: str | None
    others: int
    pilots: int
    losses: int
    isk_lost: int
    efficiency: float | None


def unresolved_leaders(leaders: Sequence[Leader]) -> int:
    """How many of them have no name yet."""
    return sum(leader.kind is None for leader in leaders)


def leaders_of(connection: "Database", battle_ids: Sequence[UUID]) -> dict[UUID, list[Leader]]:
    """The leaders of these battles' sides by number; without third parties, and none where sides were not told."""
    rows = connection.execute(
        """
        SELECT s.battle_id, s.side_id, s.affiliation_ids[1], n.name, n.category, cardinality(s.affiliation_ids) - 1,
               s.pilots, s.losses, s.isk_lost, s.efficiency
        FROM battle_sides s LEFT JOIN names n ON n.id = s.affiliation_ids[1]
        WHERE s.battle_id = ANY(%s) AND s.side_id > 0
        ORDER BY s.battle_id, s.side_id
        """,
        (list(battle_ids),),
    )
    leaders: dict[UUID, list[Leader]] = {battle_id: [] for battle_id in battle_ids}
    for battle_id, side_id, affiliation_id, name, kind, *numbers in rows:
        named = Named(id=affiliation_id, name=name or str(affiliation_id))
        leaders[battle_id].append(Leader(side_id, named, kind, *numbers))
    return leaders
