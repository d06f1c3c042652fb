"""A killmail's attackers as the database holds them: one array of integers, an entry each, in rows by what they tell.

As migration 0008 has it: character, corporation, alliance, ship type, damage done. Where an id takes more than 31 bits,
three rows more hold the upper bits of the first three, and these the lower 31.
"""

from collections.abc import Sequence

from battlescope.killmail import Attacker
from cluster.store.literals import nested

_ROWS = 5
_WIDE_FROM = 1 << 31
_LOWER = _WIDE_FROM - 1
_IDS = slice(0, 3)
"""Rows of ids of which EVE may give wide ones; a ship type never is."""


def stored_attackers(attackers: Sequence[Attacker]) -> tuple[str, int]:
    """The attackers (at least one) as an array literal within another, and the place of the final blow, from 1."""
    *rows, final_blows = zip(*attackers, strict=True)
    if max(map(max, rows[_IDS])) >= _WIDE_FROM:
        ids = rows[_IDS]
        rows[_IDS] = [tuple(id_ & _LOWER for id_ in row) for row in ids]
        rows.extend(tuple(id_ >> 31 for id_ in row) for row in ids)
    return nested(rows), final_blows.index(True) + 1 if True in final_blows else 0


def columns_of(attackers: Sequence[Sequence[int]]) -> tuple[Sequence[int], ...]:
    """What a stored array tells, by column: characters, corporations, alliances, ship types, damage done."""
    if len(attackers) == _ROWS:
        return tuple(attackers)
    ids = (map(_wide, attackers[row], attackers[row + _ROWS]) for row in range(3))
    return *map(tuple, ids), *attackers[3:_ROWS]


def attackers_of(attackers: Sequence[Sequence[int]], final_blow: int) -> tuple[Attacker, ...]:
    """The attackers of a stored array; `final_blow` is a place in it."""
    return tuple(
        Attacker(character_id, corporation_id, alliance_id, ship_type_id, damage_done, place == final_blow)
        for place, (character_id, corporation_id, alliance_id, ship_type_id, damage_done) in enumerate(
            zip(*columns_of(attackers), strict=True), start=1
        )
    )


def _wide(low: int, high: int) -> int:
    return low + (high << 31)
