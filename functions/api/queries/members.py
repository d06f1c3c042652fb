"""A battle's killmails and participants, a page at a time.

What keeps an answer under Lambda's 6 MB (of which quotes escaped in the response's JSON take a fifth): a page has at
most `limit` items, and ends earlier where its killmails name more than ALLIANCES_MAX alliances together. The largest
page then is about 4 MB.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from api.cursor import KillmailKey, ParticipantKey
from api.models.battles import BattleKillmail, Participant, Victim
from api.queries.names import Names, read_names
from api.queries.values import value_source

if TYPE_CHECKING:
    from battlescope.database import Database

ALLIANCES_MAX = 20_000
"""Alliances of attackers on one page's killmails; one takes up to 100 bytes. A single killmail is never cut."""


class Members[Item, Key](NamedTuple):
    """A page of a battle's killmails or participants."""

    items: list[Item]
    next: Key | None
    unresolved: int


class _KillmailRow(NamedTuple):
    killmail_id: int
    zkb_url: str
    timestamp: datetime
    victim_alliance_id: int | None
    attacker_alliance_ids: list[int]
    isk_value: int | None
    side_id: int
    victim_character_id: int
    victim_corporation_id: int
    victim_ship_type_id: int
    valued_at: int


class _ParticipantRow(NamedTuple):
    character_id: int
    ship_type_id: int
    corporation_id: int | None
    alliance_id: int | None
    side_id: int
    is_victim: bool


def killmails(
    connection: "Database", battle_id: UUID, after: KillmailKey | None, limit: int
) -> Members[BattleKillmail, KillmailKey]:
    """Up to `limit` killmails of a battle, oldest first, from the one after `after` on."""
    rows = connection.execute(
        f"""
        SELECT m.killmail_id, m.zkb_url, m."timestamp", m.victim_alliance_id, m.attacker_alliance_ids, m.isk_value,
               m.side_id, k.victim_character_id, k.victim_corporation_id, k.victim_ship_type_id, k.valued_at
        FROM (
            SELECT * FROM battle_killmails
            WHERE battle_id = %s {'AND ("timestamp", killmail_id) > (%s, %s)' if after else ""}
            ORDER BY "timestamp", killmail_id
            LIMIT %s
        ) m
        JOIN killmails k USING (killmail_id)
        ORDER BY m."timestamp", m.killmail_id
        """,  # noqa: S608 - constant condition
        (battle_id, *(after or ()), limit + 1),
    )
    found = [_KillmailRow(*row) for row in rows]
    page = found[: min(limit, _fitting(found))]
    names = read_names(
        connection,
        (entity_id for row in page for entity_id in _entities(row)),
        (row.victim_ship_type_id for row in page),
    )
    last = (page[-1].timestamp, page[-1].killmail_id) if len(page) < len(found) else None
    return Members([_killmail(row, names) for row in page], last, names.unresolved)


def participants(
    connection: "Database", battle_id: UUID, after: ParticipantKey | None, limit: int
) -> Members[Participant, ParticipantKey]:
    """Up to `limit` participants of a battle, by character and ship type, from the one after `after` on."""
    rows = connection.execute(
        f"""
        SELECT character_id, ship_type_id, corp_id, alliance_id, side_id, is_victim
        FROM battle_participants
        WHERE battle_id = %s {"AND (character_id, ship_type_id) > (%s, %s)" if after else ""}
        ORDER BY character_id, ship_type_id
        LIMIT %s
        """,  # noqa: S608 - constant condition
        (battle_id, *(after or ()), limit + 1),
    )
    found = [_ParticipantRow(*row) for row in rows]
    page = found[:limit]
    names = read_names(
        connection,
        (id_ for row in page for id_ in (row.character_id, row.corporation_id, row.alliance_id)),
        (row.ship_type_id for row in page),
    )
    last = page[-1][:2] if len(page) < len(found) else None
    return Members([_participant(row, names) for row in page], last, names.unresolved)


def count_participants(connection: "Database", battle_id: UUID) -> int:
    """Characters with their ships in a battle."""
    row = connection.execute(
        "SELECT count(*) FROM battle_participants WHERE battle_id = %s", (battle_id,)
    ).fetchone()
    return int(row[0]) if row else 0


def _fitting(rows: Sequence[_KillmailRow]) -> int:
    """How many of these, at least one, name no more than ALLIANCES_MAX alliances together."""
    named = accumulate(len(row.attacker_alliance_ids) for row in rows)
    return max(1, sum(total <= ALLIANCES_MAX for total in named))


def _entities(row: _KillmailRow) -> tuple[int | None, ...]:
    return (
        row.victim_character_id,
        row.victim_corporation_id,
        row.victim_alliance_id,
        *row.attacker_alliance_ids,
    )


def _killmail(row: _KillmailRow, names: Names) -> BattleKillmail:
    return BattleKillmail(
        killmail_id=row.killmail_id,
        zkb_url=row.zkb_url,
        timestamp=row.timestamp,
        victim=Victim(
            character=names.entity_if_any(row.victim_character_id),
            corporation=names.entity_if_any(row.victim_corporation_id),
            alliance=names.entity_if_any(row.victim_alliance_id),
            ship_type=names.ship_type_if_any(row.victim_ship_type_id),
        ),
        attacker_alliances=[names.entity(alliance_id) for alliance_id in row.attacker_alliance_ids],
        isk_value=row.isk_value,
        value_source=value_source(row.isk_value, row.valued_at),
        side_id=row.side_id,
    )


def _participant(row: _ParticipantRow, names: Names) -> Participant:
    return Participant(
        character=names.entity(row.character_id),
        ship_type=names.ship_type_if_any(row.ship_type_id),
        corporation=names.entity_if_any(row.corporation_id),
        alliance=names.entity_if_any(row.alliance_id),
        side_id=row.side_id,
        is_victim=row.is_victim,
    )
