"""What the filters of a list ask of a battle, in SQL."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from api.filters import Constraint

INDEXED = frozenset({"since", "until", "system", "region", "corporation", "alliance", "character"})
"""Filters that the index of an order answers, without a look at the battle: it holds what they ask."""

_START_HOUR = "floor(extract(epoch FROM b.start_time) / 3600)::integer"

_IN_BATTLE = {
    "character": "EXISTS (SELECT FROM battle_participants p WHERE p.battle_id = b.id AND p.character_id = %s OFFSET 0)",
    "corporation": f"""
        EXISTS (
            SELECT FROM battle_entities e
            WHERE e.entity_id = %s AND e.start_hour = {_START_HOUR} AND e.first_killmail_id = b.first_killmail_id OFFSET 0
        )
    """,
}
_IN_BATTLE["alliance"] = _IN_BATTLE["corporation"]

# An affiliation is on one side of a battle; where one is on none, the comparison is null.
_SIDE = (
    "(SELECT side_id FROM battle_sides WHERE battle_id = b.id AND 0 < side_id AND %s = ANY(affiliation_ids))"
)
_OPPOSED = f"{_SIDE} <> {_SIDE}"

_CONDITIONS = {
    "space": "b.space_type = %s",
    "region": "b.region_id = %s",
    "system": "b.system_id = %s",
    "since": "b.start_time >= %s",
    "until": "b.start_time < %s",
    "min_kills": "b.total_kills >= %s",
    "min_pilots": "b.pilots >= %s",
    "min_isk": "b.total_isk_destroyed >= %s",
}

_SECURITY = {
    "highsec": "s.security_status >= 0.45::real",
    "lowsec": "s.security_status > 0 AND s.security_status < 0.45::real",
    "nullsec": "s.security_status <= 0",
}
"""As `battlescope.space.security_band`."""

_IN_SECURITY = """
    b.space_type = 'kspace'
    AND EXISTS (SELECT FROM solar_systems s WHERE s.system_id = b.system_id AND {} OFFSET 0)
"""


class Conditions(NamedTuple):
    """Conditions on `battles b`, and the values of their placeholders.

    `where` is a WHERE clause, or empty.
    """

    sql: tuple[str, ...]
    values: tuple[Any, ...]

    @property
    def where(self) -> str:
        return f"WHERE {' AND '.join(self.sql)}" if self.sql else ""

    def and_(self, sql: str, *values: Any) -> "Conditions":
        """These and one more."""
        return Conditions((*self.sql, sql), (*self.values, *values))


def conditions_of(
    constraints: Sequence[Constraint], live_within: timedelta, told: Collection[Constraint] = ()
) -> Conditions:
    """What the filters ask.

    Args:
        constraints: the filters that are set.
        live_within: how long after its last killmail a battle counts as live.
        told: the filters of which the rows that are asked tell already who is in the battle.
    """
    conditions = Conditions((), ())
    for constraint in constraints:
        name, value = constraint
        if name == "against":
            # The cheap question first: most of the time the other is not even there.
            if constraint not in told:
                conditions = conditions.and_(_IN_BATTLE["alliance"], value)
            for kind, opponent in constraints:
                if kind == "alliance":
                    conditions = conditions.and_(_OPPOSED, opponent, value)
        elif name in _IN_BATTLE:
            if constraint not in told:
                conditions = conditions.and_(_IN_BATTLE[name], value)
        elif name == "security":
            conditions = conditions.and_(_IN_SECURITY.format(_SECURITY[value]))
        elif name == "live":
            conditions = conditions.and_("b.end_time > now() - %s", live_within)
        else:
            conditions = conditions.and_(_CONDITIONS[name], value)
    return conditions
