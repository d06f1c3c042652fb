"""What stood out in a battle: the dearest losses, and who did the most."""

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from api.models.battles import Victim
from api.models.fights import Top, TopLoss, TopPilot
from api.queries.names import Names, read_names
from battlescope.zkillboard import kill_url

if TYPE_CHECKING:
    from battlescope.database import Database


class Standouts(NamedTuple):
    """What stood out, and how many ids in it have no name yet."""

    top: Top
    unresolved: int


def top_of(connection: "Database", battle_id: UUID, limit: int) -> Standouts:
    """Up to `limit` losses, and up to `limit` pilots by damage and by final blows; ties by id."""
    losses = connection.execute(
        """
        SELECT m.killmail_id, m."timestamp", m.isk_value, m.side_id, k.victim_character_id, k.victim_corporation_id,
               k.victim_alliance_id, k.victim_ship_type_id
        FROM (
            SELECT * FROM battle_killmails WHERE battle_id = %s AND isk_value > 0
            ORDER BY isk_value DESC, killmail_id LIMIT %s
        ) m
        JOIN killmails k USING (killmail_id)
        ORDER BY m.isk_value DESC, m.killmail_id
        """,
        (battle_id, limit),
    ).fetchall()
    pilots = connection.execute(
        """
        WITH done AS MATERIALIZED (
            SELECT a.character_id, sum(a.damage)::bigint AS damage_done, count(*) AS killmails,
                   count(*) FILTER (WHERE a.place = k.final_blow) AS final_blows
            FROM battle_killmails m
            JOIN killmails k USING (killmail_id),
                 unnest(attacker_ids(k.attackers, 1), k.attackers[5:5]) WITH ORDINALITY AS a (character_id, damage, place)
            WHERE m.battle_id = %(battle)s AND a.character_id <> 0
            GROUP BY 1
        ),
        ranked AS (
            SELECT *, row_number() OVER (ORDER BY damage_done DESC, character_id) AS by_damage,
                   row_number() OVER (ORDER BY final_blows DESC, damage_done DESC, character_id) AS by_blows
            FROM done
        )
        SELECT r.by_damage, r.by_blows, r.character_id, r.damage_done, r.killmails, r.final_blows, p.side_id, p.corp_id,
               p.alliance_id
        FROM ranked r
        LEFT JOIN LATERAL (
            SELECT side_id, corp_id, alliance_id FROM battle_participants p
            WHERE p.battle_id = %(battle)s AND p.character_id = r.character_id ORDER BY ship_type_id LIMIT 1
        ) p ON true
        WHERE r.by_damage <= %(limit)s OR r.by_blows <= %(limit)s
        """,
        {"battle": battle_id, "limit": limit},
    ).fetchall()
    names = read_names(
        connection,
        (id_ for row in losses for id_ in row[4:7]),
        (row[7] for row in losses),
    )
    pilot_names = read_names(connection, (id_ for row in pilots for id_ in (row[2], row[7], row[8])), ())
    by_damage = sorted((row for row in pilots if row[0] <= limit), key=lambda row: row[0])
    by_blows = sorted((row for row in pilots if row[1] <= limit and row[5]), key=lambda row: row[1])
    top = Top(
        losses=[_loss(row, names) for row in losses],
        damage=[_pilot(row, pilot_names) for row in by_damage if row[3]],
        final_blows=[_pilot(row, pilot_names) for row in by_blows],
    )
    return Standouts(top, names.unresolved + pilot_names.unresolved)


def _loss(row: tuple[Any, ...], names: Names) -> TopLoss:
    killmail_id, timestamp, isk_value, side_id, character, corporation, alliance, ship_type = row
    return TopLoss(
        killmail_id=killmail_id,
        zkb_url=kill_url(killmail_id),
        timestamp=timestamp,
        victim=Victim(
            character=names.entity_if_any(character),
            corporation=names.entity_if_any(corporation),
            alliance=names.entity_if_any(alliance),
            ship_type=names.ship_type_if_any(ship_type),
        ),
        isk_value=isk_value,
        side_id=side_id,
    )


def _pilot(row: tuple[Any, ...], names: Names) -> TopPilot:
    _, _, character, damage_done, killmails, final_blows, side_id, corporation, alliance = row
    return TopPilot(
        character=names.entity(character),
        corporation=names.entity_if_any(corporation),
        alliance=names.entity_if_any(alliance),
        side_id=side_id or 0,
        damage_done=damage_done,
        killmails=killmails,
        final_blows=final_blows,
    )
