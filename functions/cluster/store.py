"""Killmails and battles in PostgreSQL: every statement of the clusterer.

All of it runs inside the caller's transaction, under the lock of one solar system. Statements are set-based, and
are sent without waiting for answers that nobody needs yet: the connection is in pipeline mode.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from battlescope.database import Database
from battlescope.killmail import CAPSULE_TYPE_IDS, Attacker, Killmail, Pilot, parties
from battlescope.space import space_type
from battlescope.zkillboard import related_url
from cluster.engine.battle import Flight, Loss, Participation, Totals
from cluster.engine.linking import Sighting

LOCK_CLASS = 0x4253
"""First key of the advisory locks on solar systems; the second is the system's id."""

_KILLMAIL_COLUMNS = """
    k.killmail_id, encode(k.killmail_hash, 'hex'), extract(epoch FROM k.killmail_time)::bigint, k.system_id,
    k.victim_character_id, k.victim_corporation_id, k.victim_alliance_id, k.victim_ship_type_id,
    k.attacker_character_ids, k.attacker_corporation_ids, k.attacker_alliance_ids, k.attacker_ship_type_ids,
    k.attacker_damage_done, k.final_blow, k.isk_value, k.valued_at
"""


_ENTITIES = """
    SELECT unnest(
        k.attacker_corporation_ids || k.attacker_alliance_ids || k.victim_corporation_id || k.victim_alliance_id
    )
    FROM killmails k WHERE k.component_id = ANY(%s)
"""


class StoredKillmail(NamedTuple):
    """What is known of a killmail that arrived again."""

    killmail_id: int
    killmail_hash: str
    system_id: int
    component_id: int
    isk_value: int | None
    valued_at: int

    @property
    def version(self) -> tuple[int, int]:
        """As `Killmail.version`."""
        return self.valued_at, -1 if self.isk_value is None else self.isk_value


class StoredBattle(NamedTuple):
    """A battle as it stands."""

    id: UUID
    system_id: int
    component_id: int
    totals: Totals
    revision: int


class Neighbourhood(NamedTuple):
    """What the database knows of arriving killmails, by id, and of those around them, by solar system.

    `component_of` tells each neighbour's component by its killmail id.
    """

    stored: dict[int, StoredKillmail]
    sightings: dict[int, list[Sighting]]
    component_of: dict[int, int]


def look_around(connection: Database, killmails: Sequence[Killmail], reach_s: int) -> Neighbourhood:
    """Take the locks on these killmails' systems, then read what is stored of them and within `reach_s` of them.

    Locks are taken in the order of the systems' ids, so that two transactions never wait for one another.
    """
    systems = sorted({killmail.solar_system_id for killmail in killmails})
    spans = [span for system_id in systems for span in _spans(system_id, killmails, reach_s)]
    with connection.cursor(binary=True) as known, connection.cursor(binary=True) as near:
        connection.execute(
            "SELECT pg_advisory_xact_lock(%s, s) FROM (SELECT s FROM unnest(%s::integer[]) s ORDER BY s) l",
            (LOCK_CLASS, literal(systems)),
        )
        known.execute(
            """
            SELECT killmail_id, encode(killmail_hash, 'hex'), system_id, component_id, isk_value, valued_at
            FROM killmails WHERE killmail_id = ANY(%s::bigint[])
            """,
            (literal(killmail.killmail_id for killmail in killmails),),
        )
        near.execute(
            """
            SELECT k.system_id, extract(epoch FROM k.killmail_time)::bigint, k.killmail_id, k.component_id,
                   k.victim_character_id, k.victim_corporation_id, k.victim_alliance_id,
                   k.attacker_character_ids, k.attacker_corporation_ids, k.attacker_alliance_ids
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS span (system_id, since, until)
            JOIN killmails k
              ON k.system_id = span.system_id
             AND k.killmail_time BETWEEN to_timestamp(span.since) AND to_timestamp(span.until)
            """,
            tuple(map(literal, zip(*spans, strict=True))),
        )
        stored = {row[0]: StoredKillmail(*row) for row in known.fetchall()}
        sightings: dict[int, list[Sighting]] = {}
        component_of: dict[int, int] = {}
        for (
            system_id,
            at,
            killmail_id,
            component_id,
            character,
            corporation,
            alliance,
            *columns,
        ) in near.fetchall():
            who = parties(Pilot(character, corporation, alliance, 0), *columns)
            sightings.setdefault(system_id, []).append(Sighting(at, killmail_id, who))
            component_of[killmail_id] = component_id
    return Neighbourhood(stored, sightings, component_of)


def battles_and_loose_members(
    connection: Database, component_ids: Collection[int]
) -> tuple[dict[int, StoredBattle], dict[int, list[Killmail]]]:
    """Of these components: the battles, and the killmails of those that are no battle (yet), by component."""
    ids = literal(component_ids)
    with connection.cursor(binary=True) as battles, connection.cursor(binary=True) as loose:
        battles.execute(
            """
            SELECT id, system_id, first_killmail_id, revision, extract(epoch FROM start_time)::bigint,
                   extract(epoch FROM end_time)::bigint, total_kills, total_isk_destroyed, losses, pilots
            FROM battles WHERE first_killmail_id = ANY(%s::bigint[])
            """,
            (ids,),
        )
        loose.execute(
            f"""
            WITH loose AS MATERIALIZED (  -- first, or every member of a battle would be asked whether it is one
                SELECT component_id FROM unnest(%s::bigint[]) AS c (component_id)
                WHERE NOT EXISTS (SELECT FROM battles b WHERE b.first_killmail_id = c.component_id)
            )
            SELECT k.component_id, {_KILLMAIL_COLUMNS}
            FROM loose JOIN killmails k USING (component_id)
            """,  # noqa: S608 - constant columns
            (ids,),
        )
        found = [
            StoredBattle(id_, system_id, component_id, Totals(*totals), revision)
            for id_, system_id, component_id, revision, *totals in battles.fetchall()
        ]
        return {battle.component_id: battle for battle in found}, _by_component(loose)


def members_of(connection: Database, component_ids: Collection[int]) -> dict[int, list[Killmail]]:
    """All killmails of these components."""
    if not component_ids:
        return {}
    with connection.cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT k.component_id, {_KILLMAIL_COLUMNS} FROM killmails k WHERE k.component_id = ANY(%s::bigint[])",  # noqa: S608
            (literal(component_ids),),
        )
        return _by_component(cursor)


def prior_losses_and_pilots(
    connection: Database,
    victims: Collection[tuple[int, int]],
    pilots: Collection[tuple[UUID, int]],
) -> tuple[dict[int, list[Loss]], set[tuple[UUID, int]]]:
    """What a battle knew before of those who are on new killmails.

    Args:
        connection: in the transaction.
        victims: `(component_id, character_id)` of those who lost something now.
        pilots: `(battle_id, character_id)` of everybody on the new killmails.

    Returns:
        The earlier losses of the victims by component, and those of the pilots who had been there already.
    """
    with connection.cursor(binary=True) as lost, connection.cursor(binary=True) as present:
        lost.execute(
            """
            SELECT v.component_id, k.victim_character_id, extract(epoch FROM k.killmail_time)::bigint,
                   k.victim_ship_type_id = ANY(%s::bigint[])
            FROM unnest(%s::bigint[], %s::bigint[]) AS v (component_id, character_id)
            JOIN killmails k ON k.component_id = v.component_id AND k.victim_character_id = v.character_id
            """,
            (
                list(CAPSULE_TYPE_IDS),
                [component for component, _ in victims],
                [victim for _, victim in victims],
            ),
        )
        present.execute(
            """
            SELECT p.battle_id, p.character_id
            FROM unnest(%s::uuid[], %s::bigint[]) AS p (battle_id, character_id)
            CROSS JOIN LATERAL (  -- LIMIT keeps it to one probe of the index each; EXISTS reads whole battles
                SELECT FROM battle_participants b
                WHERE b.battle_id = p.battle_id AND b.character_id = p.character_id LIMIT 1
            ) AS found
            """,
            (literal(battle for battle, _ in pilots), literal(pilot for _, pilot in pilots)),
        )
        losses: dict[int, list[Loss]] = {}
        for component_id, *loss in lost.fetchall():
            losses.setdefault(component_id, []).append(Loss(*loss))
        return losses, set(present.fetchall())


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
            *_columns(killmail),
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
            attacker_character_ids, attacker_corporation_ids, attacker_alliance_ids, attacker_ship_type_ids,
            attacker_damage_done, final_blow, isk_value, valued_at
        )
        SELECT killmail_id, decode(hash, 'hex'), to_timestamp(time), system_id, component_id, character_id,
               corporation_id, alliance_id, ship_type_id, characters::bigint[], corporations::bigint[],
               alliances::bigint[], ships::integer[], damage::integer[], final_blow, isk_value, valued_at
        FROM unnest(
            %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
            %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::smallint[],
            %s::bigint[], %s::bigint[]
        ) AS n (
            killmail_id, hash, time, system_id, component_id, character_id, corporation_id, alliance_id, ship_type_id,
            characters, corporations, alliances, ships, damage, final_blow, isk_value, valued_at
        )
        """,
        tuple(map(literal, zip(*rows, strict=True))),
    )


def revalue(
    connection: Database, newer: Sequence[Killmail], isk_by_battle: Mapping[UUID, Mapping[int, int]]
) -> None:
    """Give stored killmails their newest value.

    Args:
        connection: in the transaction.
        newer: uploads newer than what is stored.
        isk_by_battle: of those in a battle, the change in ISK by battle and killmail.
    """
    members = [(battle, killmail_id) for battle, changes in isk_by_battle.items() for killmail_id in changes]
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
    connection.execute(
        """
        UPDATE battle_killmails m SET isk_value = k.isk_value
        FROM unnest(%s::uuid[], %s::bigint[]) AS n (battle_id, killmail_id)
        JOIN killmails k USING (killmail_id)
        WHERE m.battle_id = n.battle_id AND m.killmail_id = n.killmail_id
        """,
        ([battle for battle, _ in members], [killmail_id for _, killmail_id in members]),
    )
    connection.execute(
        """
        UPDATE battles b
        SET total_isk_destroyed = b.total_isk_destroyed + n.isk, revision = revision + 1, updated_at = now()
        FROM unnest(%s::uuid[], %s::bigint[]) AS n (battle_id, isk)
        WHERE b.id = n.battle_id
        """,
        (list(isk_by_battle), [sum(changes.values()) for changes in isk_by_battle.values()]),
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


def supersede_battles(connection: Database, superseded: Collection[StoredBattle]) -> None:
    """Leave an alias behind for ids that are no battle's any more."""
    if superseded:
        connection.execute(
            """
            INSERT INTO battle_aliases AS a (id, killmail_id, revision)
            SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::integer[])
            ON CONFLICT (id) DO UPDATE SET revision = greatest(a.revision, excluded.revision)
            """,
            (
                [battle.id for battle in superseded],
                [battle.component_id for battle in superseded],
                [battle.revision for battle in superseded],
            ),
        )


def delete_battles(connection: Database, battles: Collection[StoredBattle]) -> None:
    """Remove battles whose killmails belong to another now, or make no battle any more.

    The killmails must still be in the components that these battles had.
    """
    if not battles:
        return
    ids = [battle.id for battle in battles]
    connection.execute("DELETE FROM battle_killmails WHERE battle_id = ANY(%s)", (ids,))
    connection.execute("DELETE FROM battle_participants WHERE battle_id = ANY(%s)", (ids,))
    connection.execute(
        f"DELETE FROM battle_entities WHERE battle_id = ANY(%s) AND entity_id IN ({_ENTITIES})",  # noqa: S608
        (ids, [battle.component_id for battle in battles]),
    )
    connection.execute("DELETE FROM battles WHERE id = ANY(%s)", (ids,))


def rename_battle(connection: Database, old: UUID, new: UUID, component_id: int) -> None:
    """Give a battle the id of its new first killmail; its killmails must be in the new component already."""
    connection.execute("UPDATE battle_killmails SET battle_id = %s WHERE battle_id = %s", (new, old))
    connection.execute("UPDATE battle_participants SET battle_id = %s WHERE battle_id = %s", (new, old))
    connection.execute(
        f"UPDATE battle_entities SET battle_id = %s WHERE battle_id = %s AND entity_id IN ({_ENTITIES})",  # noqa: S608
        (new, old, [component_id]),
    )
    connection.execute(
        "UPDATE battles SET id = %s, first_killmail_id = %s WHERE id = %s", (new, component_id, old)
    )


def save_battles(connection: Database, battles: Sequence[StoredBattle]) -> None:
    """Write the totals of battles, new or known.

    The revision of an id only ever rises: past those of the battles that went into this one, and past the one it
    had where it was an alias in between.
    """
    connection.execute(
        """
        INSERT INTO battles AS b (
            id, system_id, space_type, start_time, end_time, total_kills, total_isk_destroyed, zkill_related_url,
            first_killmail_id, losses, pilots, revision
        )
        SELECT n.id, n.system_id, n.space_type, to_timestamp(n.start_time), to_timestamp(n.end_time), n.total_kills, n.isk,
               n.url, n.first_killmail_id, n.losses, n.pilots, 1 + greatest(n.revision, a.revision)
        FROM unnest(
            %s::uuid[], %s::bigint[], %s::bigint[], %s::integer[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
            %s::integer[], %s::bigint[], %s::integer[], %s::integer[]
        ) AS n (
            id, system_id, first_killmail_id, revision, space_type, url, start_time, end_time, total_kills, isk,
            losses, pilots
        )
        LEFT JOIN battle_aliases a USING (id)
        ON CONFLICT (id) DO UPDATE SET
            space_type = excluded.space_type, start_time = excluded.start_time, end_time = excluded.end_time,
            total_kills = excluded.total_kills, total_isk_destroyed = excluded.total_isk_destroyed,
            zkill_related_url = excluded.zkill_related_url, losses = excluded.losses, pilots = excluded.pilots,
            revision = excluded.revision, updated_at = now()
        """,
        tuple(
            map(
                literal,
                zip(
                    *(
                        (
                            battle.id,
                            battle.system_id,
                            battle.component_id,
                            battle.revision,
                            space_type(battle.system_id, battle.totals.start_time),
                            related_url(battle.system_id, battle.totals.start_time, battle.totals.end_time),
                            *battle.totals,
                        )
                        for battle in battles
                    ),
                    strict=True,
                ),
            )
        ),
    )


def add_members(connection: Database, members: Sequence[tuple[str, Killmail]]) -> None:
    """Put killmails into battles, by id, that do not hold them yet."""
    rows = [
        (
            battle_id,
            killmail.killmail_id,
            killmail.killmail_time,
            killmail.solar_system_id,
            killmail.victim.alliance_id,
            _nested(sorted({attacker.alliance_id for attacker in killmail.attackers} - {0})),
            killmail.isk_value,
        )
        for battle_id, killmail in members
    ]
    connection.execute(
        """
        INSERT INTO battle_killmails (
            battle_id, killmail_id, "timestamp", system_id, victim_alliance_id, attacker_alliance_ids, isk_value
        )
        SELECT battle_id, killmail_id, to_timestamp(time), system_id, nullif(alliance_id, 0), alliances::bigint[],
               isk_value
        FROM unnest(
            %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[]
        ) AS n (battle_id, killmail_id, time, system_id, alliance_id, alliances, isk_value)
        """,
        tuple(map(literal, zip(*rows, strict=True))),
    )


def add_participants(connection: Database, flights: Collection[tuple[str, Flight, Participation]]) -> None:
    """Add who flew what; a character seen again in the same ship is merged as `engine.battle.merged` does."""
    if not flights:  # structures shot by structures
        return
    connection.execute(
        """
        INSERT INTO battle_participants AS p (battle_id, character_id, ship_type_id, corp_id, alliance_id, is_victim)
        SELECT battle_id, character_id, ship_type_id, nullif(corp_id, 0), nullif(alliance_id, 0), is_victim
        FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[])
          AS n (battle_id, character_id, ship_type_id, corp_id, alliance_id, is_victim)
        ON CONFLICT (battle_id, character_id, ship_type_id) DO UPDATE SET
            (corp_id, alliance_id) = (
                SELECT * FROM (VALUES (p.corp_id, p.alliance_id), (excluded.corp_id, excluded.alliance_id)) AS v (c, a)
                ORDER BY coalesce(c, 0) DESC, coalesce(a, 0) DESC LIMIT 1
            ),
            is_victim = p.is_victim OR excluded.is_victim
        WHERE (coalesce(excluded.corp_id, 0), coalesce(excluded.alliance_id, 0))
            > (coalesce(p.corp_id, 0), coalesce(p.alliance_id, 0))
           OR (excluded.is_victim AND NOT p.is_victim)
        """,
        tuple(
            map(
                literal,
                zip(*((battle_id, *flight, *seen) for battle_id, flight, seen in flights), strict=True),
            )
        ),
    )


def add_entities(connection: Database, entities: Collection[tuple[str, int]]) -> None:
    """Add corporations and alliances to battles."""
    connection.execute(
        """
        INSERT INTO battle_entities (battle_id, entity_id) SELECT * FROM unnest(%s::uuid[], %s::bigint[])
        ON CONFLICT (battle_id, entity_id) DO NOTHING
        """,
        (literal(battle for battle, _ in entities), literal(entity for _, entity in entities)),
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


def _spans(system_id: int, killmails: Iterable[Killmail], reach_s: int) -> list[tuple[int, int, int]]:
    """The stretches of time, `(system, since, until)`, within `reach_s` of a system's killmails, without overlap."""
    spans: list[tuple[int, int, int]] = []
    for time in sorted(
        killmail.killmail_time for killmail in killmails if killmail.solar_system_id == system_id
    ):
        if spans and time - reach_s <= spans[-1][2]:
            spans[-1] = (system_id, spans[-1][1], time + reach_s)
        else:
            spans.append((system_id, time - reach_s, time + reach_s))
    return spans


def _by_component(rows: Iterable[Sequence[Any]]) -> dict[int, list[Killmail]]:
    members: dict[int, list[Killmail]] = {}
    for component_id, *row in rows:
        members.setdefault(component_id, []).append(_killmail(row))
    return members


def _killmail(row: Sequence[Any]) -> Killmail:
    killmail_id, killmail_hash, killmail_time, system_id, *victim = row[:8]
    *columns, final_blow, isk_value, valued_at = row[8:]
    return Killmail(
        killmail_id=killmail_id,
        killmail_hash=killmail_hash,
        killmail_time=killmail_time,
        solar_system_id=system_id,
        victim=Pilot(*victim),
        attackers=tuple(
            Attacker(
                character_id, corporation_id, alliance_id, ship_type_id, damage_done, position == final_blow
            )
            for position, (character_id, corporation_id, alliance_id, ship_type_id, damage_done) in enumerate(
                zip(*columns, strict=True), start=1
            )
        ),
        isk_value=isk_value,
        valued_at=valued_at,
    )


def _columns(killmail: Killmail) -> tuple[str | int, ...]:
    """The attackers as nested array literals, and who of them has the final blow."""
    *columns, final_blows = zip(*killmail.attackers, strict=True)
    return *map(_nested, columns), final_blows.index(True) + 1 if True in final_blows else 0


def _nested(ids: Iterable[int]) -> str:
    """An array literal as an element of another: rows of arrays of different lengths travel as text[]."""
    return f'"{literal(ids)}"'


def literal(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers, truth values and nulls; or of ids, hashes, links and nested literals.

    An order of magnitude quicker than the driver's own way with lists, which looks at each element's type. Nothing
    that came from outside as text may go in: no value is quoted.
    """
    items = list(values)
    if items and isinstance(items[0], str | UUID):
        return "{" + ",".join(map(str, items)) + "}"
    text = str(items)[1:-1]
    return "{" + (text.replace("None", "null") if "None" in text else text) + "}"
