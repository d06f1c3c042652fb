"""Writing killmails: new ones, newer values, other components, and what contradicts them."""

from collections.abc import Mapping, Sequence

from battlescope.database import Database
from battlescope.killmail import Killmail
from cluster.store.attackers import stored_attackers
from cluster.store.literals import literal


def insert_killmails(connection: Database, killmails: Sequence[tuple[int, Killmail]]) -> None:
    """Store new killmails, each with its component."""
    rows = [
        (
            killmail.killmail_id,
            killmail.killmail_hash,
            killmail.killmail_time,
            killmail.solar_system_id,
            component_id,
            *killmail.victim,
            *stored_attackers(killmail.attackers),
            killmail.isk_value,
            killmail.valued_at,
        )
        for component_id, killmail in killmails
    ]
    connection.execute(
        """
        INSERT INTO killmails (
            killmail_id, killmail_hash, killmail_time, system_id, component_id,
            victim_character_id, victim_corporation_id, victim_alliance_id, victim_ship_type_id,
            attackers, final_blow, isk_value, valued_at
        )
        SELECT killmail_id, decode(hash, 'hex'), to_timestamp(time), system_id, component_id, character_id,
               corporation_id, alliance_id, ship_type_id, attackers::integer[], final_blow, isk_value, valued_at
        FROM unnest(
            %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
            %s::bigint[], %s::bigint[], %s::text[], %s::smallint[], %s::bigint[], %s::bigint[]
        ) AS n (
            killmail_id, hash, time, system_id, component_id, character_id, corporation_id, alliance_id, ship_type_id,
            attackers, final_blow, isk_value, valued_at
        )
        """,
        tuple(map(literal, zip(*rows, strict=True))),
    )


def revalue(connection: Database, newer: Sequence[Killmail]) -> None:
    """Give stored killmails the value of an upload newer than what is stored."""
    connection.execute(
        """
        UPDATE killmails k SET isk_value = n.isk_value, valued_at = n.valued_at
        FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS n (killmail_id, isk_value, valued_at)
        WHERE k.killmail_id = n.killmail_id
        """,
        (
            [killmail.killmail_id for killmail in newer],
            [killmail.isk_value for killmail in newer],
            [killmail.valued_at for killmail in newer],
        ),
    )


def move_components(connection: Database, moves: Mapping[int, int]) -> None:
    """Put every killmail of one component into another, by old id."""
    if moves:
        connection.execute(
            """
            UPDATE killmails k SET component_id = m.new
            FROM unnest(%s::bigint[], %s::bigint[]) AS m (old, new)
            WHERE k.component_id = m.old
            """,
            (list(moves), list(moves.values())),
        )


def reject(connection: Database, killmail: Killmail, reason: str) -> None:
    """Keep a killmail that contradicts what is stored, with its reason."""
    connection.execute(
        """
        INSERT INTO rejected_killmails (digest, feed, killmail_id, reason, raw)
        VALUES (sha256(convert_to(%(reason)s || %(raw)s, 'UTF8')), 'queue', %(id)s, %(reason)s, %(raw)s)
        ON CONFLICT (digest) DO NOTHING
        """,
        {"reason": reason, "raw": repr(killmail), "id": killmail.killmail_id},
    )
