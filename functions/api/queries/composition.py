"""What a battle's sides flew and lost, by ship."""

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from api.models.common import Named
from api.models.fights import GroupComposition, ShipComposition, SideComposition

if TYPE_CHECKING:
    from battlescope.database import Database


class Composition(NamedTuple):
    """The sides, and how many ship types in them have no name yet."""

    items: list[SideComposition]
    unresolved: int


def composition_of(connection: "Database", battle_id: UUID) -> Composition:
    """Sides by number, third parties last; in each, groups and ships by how many were flown, then by name.

    Flown are pilots in ships, from both ends of the killmails; lost are killmails, structures included. A structure
    or a ship that its pilot lost twice can make more lost than flown.
    """
    rows = connection.execute(
        """
        SELECT u.side_id, u.ship_type_id, t.name, t.group_id, t.group_name, sum(u.flown)::integer, sum(u.lost)::integer,
               sum(u.isk_lost)::bigint
        FROM (
            SELECT side_id, ship_type_id, count(*) AS flown, 0 AS lost, 0 AS isk_lost
            FROM battle_participants WHERE battle_id = %(battle)s GROUP BY 1, 2
            UNION ALL
            SELECT m.side_id, k.victim_ship_type_id, 0, count(*), coalesce(sum(m.isk_value), 0)
            FROM battle_killmails m JOIN killmails k USING (killmail_id) WHERE m.battle_id = %(battle)s GROUP BY 1, 2
        ) u
        LEFT JOIN ship_types t USING (ship_type_id)
        WHERE u.ship_type_id <> 0
        GROUP BY 1, 2, 3, 4, 5
        ORDER BY u.side_id = 0, 1, 6 DESC, 7 DESC, t.name, 2
        """,
        {"battle": battle_id},
    ).fetchall()
    sides: dict[int, dict[int | None, GroupComposition]] = {}
    for side_id, ship_type_id, name, group_id, group_name, flown, lost, isk_lost in rows:
        groups = sides.setdefault(side_id, {})
        group = groups.get(group_id)
        if group is None:
            named = None if group_id is None else Named(id=group_id, name=group_name)
            group = groups[group_id] = GroupComposition(group=named, flown=0, lost=0, isk_lost=0, ships=[])
        ship = Named(id=ship_type_id, name=name or str(ship_type_id))
        group["ships"].append(ShipComposition(ship_type=ship, flown=flown, lost=lost, isk_lost=isk_lost))
        group["flown"] += flown
        group["lost"] += lost
        group["isk_lost"] += isk_lost
    return Composition(
        [
            SideComposition(
                side_id=side_id,
                groups=sorted(groups.values(), key=lambda group: (-group["flown"], -group["lost"])),
            )
            for side_id, groups in sides.items()
        ],
        sum(row[2] is None for row in rows),
    )
