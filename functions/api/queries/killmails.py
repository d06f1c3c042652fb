"""One killmail reference, and the battle it belongs to."""

from typing import TYPE_CHECKING

from api.models.battles import KillmailReference, Victim
from api.queries.names import read_names
from api.queries.systems import system_of
from api.queries.values import value_source
from battlescope.zkillboard import kill_url

if TYPE_CHECKING:
    from battlescope.database import Database


def find_killmail(connection: "Database", killmail_id: int) -> KillmailReference | None:
    """The reference with this id."""
    row = connection.execute(
        """
        SELECT encode(k.killmail_hash, 'hex'), k.killmail_time, k.isk_value, k.valued_at, b.id,
               k.victim_character_id, k.victim_corporation_id, k.victim_alliance_id, k.victim_ship_type_id,
               k.system_id, s.name, s.region_id, r.name, s.security_status
        FROM killmails k
        LEFT JOIN battles b ON b.first_killmail_id = k.component_id
        LEFT JOIN solar_systems s ON s.system_id = k.system_id
        LEFT JOIN regions r ON r.region_id = s.region_id
        WHERE k.killmail_id = %s
        """,
        (killmail_id,),
    ).fetchone()
    if row is None:
        return None
    (
        killmail_hash,
        killmail_time,
        isk_value,
        valued_at,
        battle_id,
        character,
        corporation,
        alliance,
        ship_type,
        *system,
    ) = row
    names = read_names(connection, (character, corporation, alliance), (ship_type,))
    return KillmailReference(
        killmail_id=killmail_id,
        killmail_hash=killmail_hash,
        zkb_url=kill_url(killmail_id),
        timestamp=killmail_time,
        system=system_of(*system),
        victim=Victim(
            character=names.entity_if_any(character),
            corporation=names.entity_if_any(corporation),
            alliance=names.entity_if_any(alliance),
            ship_type=names.ship_type_if_any(ship_type),
        ),
        isk_value=isk_value,
        value_source=value_source(isk_value, valued_at),
        battle_id=battle_id,
    )
