"""Rows as the clusterer writes them, with as little said as a test needs to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from battlescope.database import Database
from battlescope.space import SpaceType

TAMA = 30002813
START = datetime(2021, 11, 28, 10, 21, 4, tzinfo=UTC)
SHIP = 587
HASH = "c0ffee" * 6 + "c0ff"


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One killmail of a battle; ids of 0 are absent."""

    victim: int = 90_000_001
    victim_corporation: int = 98_000_001
    victim_alliance: int = 99_000_001
    ship_type: int = SHIP
    attacker_alliances: Sequence[int] = (99_000_002,)
    after: timedelta = timedelta(0)
    isk_value: int | None = 1_000_000
    valued_at: int = 1
    side: int = 0


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """One participant."""

    character: int
    ship_type: int = SHIP
    corporation: int | None = 98_000_001
    alliance: int | None = 99_000_001
    side: int = 0
    is_victim: bool = False


_INSERT_KILLMAIL = """
    INSERT INTO killmails (
        killmail_id, killmail_hash, killmail_time, system_id, component_id, victim_character_id,
        victim_corporation_id, victim_alliance_id, victim_ship_type_id, attackers, final_blow, isk_value, valued_at
    )
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '{}', 0, %s, %s)
"""


class Rows:
    """Inserts rows."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.killmail_ids_from(96_000_001)

    def killmail_ids_from(self, first: int) -> None:
        """Number the killmails from here on: two that insert at once must not take the same ids."""
        self._killmail_ids = count(first)

    def battle(
        self,
        *,
        system: int = TAMA,
        space: SpaceType = "kspace",
        start: datetime = START,
        kills: Sequence[Kill] = (Kill(), Kill(after=timedelta(minutes=4))),
        pilots: Sequence[Pilot] = (),
        entities: Sequence[int] = (),
        sides: Sequence[Sequence[int]] = (),
        total_kills: int | None = None,
        total_pilots: int | None = None,
        revision: int = 1,
    ) -> UUID:
        """A battle with its killmails; totals may say more than there are.

        `sides` are the affiliations of side 1, 2, ...; the last of three or more are third parties.
        """
        killmail_ids = [next(self._killmail_ids) for _ in kills]
        first = killmail_ids[0]
        start_hour = int(start.timestamp()) // 3600
        battle_id = battle_id_of(system, first)
        self.database.execute(
            """
            INSERT INTO battles (id, system_id, space_type, start_time, end_time, total_kills, total_isk_destroyed,
                                 zkill_related_url, first_killmail_id, losses, pilots, revision, updated_at, region_id)
            VALUES (%s, %s, %s, %s, %s, %s, %s, 'https://zkillboard.com/related/', %s, %s, %s, %s, %s,
                    (SELECT region_id FROM solar_systems WHERE system_id = %s))
            """,
            (
                battle_id,
                system,
                space,
                start,
                start + max(kill.after for kill in kills),
                total_kills or len(kills),
                sum(kill.isk_value or 0 for kill in kills),
                first,
                len(kills),
                total_pilots or len({pilot.character for pilot in pilots}),
                revision,
                start + timedelta(hours=1),
                system,
            ),
        )
        members = list(zip(killmail_ids, kills, strict=True))
        with self.database.cursor() as cursor:
            cursor.executemany(
                _INSERT_KILLMAIL, [_killmail(id_, first, system, start, kill) for id_, kill in members]
            )
            cursor.executemany(
                """
                INSERT INTO battle_killmails (battle_id, killmail_id, "timestamp", system_id, victim_alliance_id,
                                              attacker_alliance_ids, isk_value, side_id)
                VALUES (%s, %s, %s, %s, nullif(%s, 0), %s, %s, %s)
                """,
                [
                    (
                        battle_id,
                        killmail_id,
                        start + kill.after,
                        system,
                        kill.victim_alliance,
                        list(kill.attacker_alliances),
                        kill.isk_value,
                        kill.side,
                    )
                    for killmail_id, kill in members
                ],
            )
            cursor.executemany(
                """
                INSERT INTO battle_participants
                    (battle_id, start_hour, character_id, ship_type_id, corp_id, alliance_id, side_id, is_victim)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                [(battle_id, start_hour, *vars(pilot).values()) for pilot in pilots],
            )
            cursor.executemany(
                "INSERT INTO battle_entities (first_killmail_id, start_hour, entity_id) VALUES (%s, %s, %s)",
                [(first, start_hour, entity) for entity in entities],
            )
            cursor.executemany(
                """
                INSERT INTO battle_sides (battle_id, side_id, affiliation_ids, pilots, losses, isk_lost, isk_destroyed)
                VALUES (%s, %s, %s, 1, 1, 1, 1)
                """,
                [
                    (battle_id, 0 if number > 2 else number, list(affiliations))
                    for number, affiliations in enumerate(sides, 1)
                ],
            )
        return battle_id

    def killmail(self, kill: Kill) -> int:
        """A reference that is in no battle."""
        killmail_id = next(self._killmail_ids)
        self.database.execute(_INSERT_KILLMAIL, _killmail(killmail_id, killmail_id, TAMA, START, kill))
        return killmail_id

    def alias(self, killmail_id: int) -> UUID:
        """An id that was served once, made from this killmail."""
        alias = battle_id_of(0, killmail_id)
        self.database.execute(
            "INSERT INTO battle_aliases (id, killmail_id, revision) VALUES (%s, %s, 1)", (alias, killmail_id)
        )
        return alias

    def grow(self, battle_id: UUID) -> None:
        """One more revision, by the transaction that is open, else by one of its own."""
        self.database.execute(
            "UPDATE battles SET revision = revision + 1, changed_in = pg_current_xact_id() WHERE id = %s",
            (battle_id,),
        )

    def name(self, entity: int, name: str, category: str = "x") -> None:
        """A resolved name."""
        self.database.execute(
            "INSERT INTO names (id, category, name) VALUES (%s, %s, %s)", (entity, category, name)
        )

    def ship_type(self, ship_type: int, name: str) -> None:
        """A known ship type."""
        self.database.execute(
            "INSERT INTO ship_types VALUES (%s, %s, 25, 'Frigate', 6, 'Ship')", (ship_type, name)
        )

    def system(self, system: int, name: str, *, region: str, security: float) -> None:
        """A known solar system."""
        region_id = 10_000_000 + system % 1000
        self.database.execute("INSERT INTO regions VALUES (%s, %s)", (region_id, region))
        self.database.execute(
            "INSERT INTO solar_systems VALUES (%s, %s, 1, 'x', %s, %s)", (system, name, region_id, security)
        )

    def feed(self, feed: str, *, moved: timedelta | None) -> None:
        """A feed whose cursor moved so long ago (None: never)."""
        self.database.execute(
            "INSERT INTO feed_cursors (feed, moved_at, newest_killmail) VALUES (%s, now() - %s::interval, now() - %s::interval)",
            (feed, moved, moved),
        )

    def day(
        self, day: str, *, expected: int, held: int, missing_sent: int = 0, unobtainable: int = 0
    ) -> None:
        """A day that was checked."""
        self.database.execute(
            """
            INSERT INTO day_completeness (day, feed_total, expected, held, missing_sent, unobtainable)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            (day, expected, expected, held, missing_sent, unobtainable),
        )


def battle_id_of(system: int, first_killmail: int) -> UUID:
    """An id like the clusterer's: a function of the system and the first killmail."""
    return uuid5(NAMESPACE_URL, f"{system}/{first_killmail}")


def _killmail(killmail_id: int, component: int, system: int, start: datetime, kill: Kill) -> tuple[Any, ...]:
    return (
        killmail_id,
        bytes.fromhex(HASH),
        start + kill.after,
        system,
        component,
        kill.victim,
        kill.victim_corporation,
        kill.victim_alliance,
        kill.ship_type,
        kill.isk_value,
        kill.valued_at,
    )
