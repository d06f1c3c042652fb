"""Lists of battles: a page of those that pass all filters, in the order asked for.

Every statement reads little however many battles there are, in one of these shapes:

- *by start, of an entity* (character, corporation, alliance): its battles are read from its own index, hour by hour from
  the newest, until the page is full.
- *in another order, of an entity*: few battles are gathered and sorted; where there are more than GATHERED_MAX, battles
  are read in the list's order, and each is asked whether the entity is in it. So are those that pass a filter that
  few pass, in either order.
- *without an entity*: PostgreSQL chooses among the indexes of `battles`, whose statistics tell it how many pass.

`OFFSET 0` keeps a subquery what it is: PostgreSQL would turn it into a join, and join all before it sorts.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api.cursor import BattleKey
from api.filters import Constraint, Order
from api.models.battles import Battle
from api.queries.battles import COLUMNS, PLACES, STORED, battle_of
from api.queries.entity_battles import are_few, companions_of, owner_of, source_of

if TYPE_CHECKING:
    from battlescope.database import Database

_NARROWING = {
    "system": 0,
    "region": 0,
    "live": 0,
    "min_kills": 50,
    "min_pilots": 100,
    "min_isk": 10_000_000_000,
}
"""Filters that few battles pass, from these values on, and that have indexes of their own."""

ORDER_COLUMNS: dict[Order, str] = {
    "start": "start_time",
    "end": "end_time",
    "isk": "total_isk_destroyed",
    "kills": "total_kills",
    "pilots": "pilots",
}

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

_OPPOSED = """
    EXISTS (
        SELECT FROM battle_sides one JOIN battle_sides other USING (battle_id)
        WHERE one.battle_id = b.id AND 0 < one.side_id AND 0 < other.side_id AND one.side_id <> other.side_id
          AND %s = ANY(one.affiliation_ids) AND %s = ANY(other.affiliation_ids)
        OFFSET 0
    )
"""

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

_IN_SECURITY = """
    b.space_type = 'kspace'
    AND EXISTS (SELECT FROM solar_systems s WHERE s.system_id = b.system_id AND {} OFFSET 0)
"""
_SECURITY = {
    "highsec": "s.security_status >= 0.45::real",
    "lowsec": "s.security_status > 0 AND s.security_status < 0.45::real",
    "nullsec": "s.security_status <= 0",
}
"""As `battlescope.space.security_band`."""


def list_battles(
    connection: "Database",
    constraints: Sequence[Constraint],
    order: Order,
    after: BattleKey | None,
    limit: int,
    live_within: timedelta,
) -> list[Battle]:
    """Up to `limit` battles that fulfil all constraints, from the one after `after` on.

    Args:
        connection: reads.
        constraints: the filters that are set.
        order: which battles come first.
        after: the key of the battle that the page follows.
        limit: how many at most.
        live_within: how long after its last killmail a battle counts as live.
    """
    by_hour = order == "start"
    owner = owner_of(constraints)
    if owner is not None:
        is_narrow = any(name in _NARROWING and value >= _NARROWING[name] for name, value in constraints)
        if (is_narrow or not by_hour) and not are_few(connection, owner):
            owner = None
    source = "battles b"
    values: list[Any] = []
    told: list[Constraint] = []
    if owner is not None:
        source, values = source_of(owner, constraints, after, by_hour=by_hour)
        told = [owner, *companions_of(owner, constraints)]
    column = ORDER_COLUMNS[order]
    conditions = []
    for constraint in constraints:
        for condition, its_values in _conditions(
            constraint, constraints, live_within, is_told=constraint in told
        ):
            conditions.append(condition)
            values.extend(its_values)
    if after is not None:
        conditions.append(f"(b.{column}, b.id) < (%s, %s)")
        values.extend(after)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    hours = "d.start_hour DESC, " if owner is not None and by_hour else ""
    # The page is cut before names are joined: a plan that joins first would read names for battles it throws away.
    rows = connection.execute(
        f"""
        SELECT {COLUMNS}
        FROM (
            SELECT {STORED} FROM {source} {where} ORDER BY {hours}b.{column} DESC, b.id DESC LIMIT %s
        ) b
        {PLACES}
        ORDER BY b.{column} DESC, b.id DESC
        """,  # noqa: S608 - constant parts; their values are parameters
        (*values, limit),
    )
    return [battle_of(row) for row in rows]


def _conditions(
    constraint: Constraint, constraints: Sequence[Constraint], live_within: timedelta, *, is_told: bool
) -> Iterator[tuple[str, list[Any]]]:
    """What one filter asks of a battle, in SQL with its values; `is_told`: who is in it, the source tells already."""
    name, value = constraint
    if name == "against":
        # The cheap question first: most of the time the other is not even there.
        if not is_told:
            yield _IN_BATTLE["alliance"], [value]
        for kind, opponent in constraints:
            if kind == "alliance":
                yield _OPPOSED, [opponent, value]
    elif name in _IN_BATTLE:
        if not is_told:
            yield _IN_BATTLE[name], [value]
    elif name == "security":
        yield _IN_SECURITY.format(_SECURITY[value]), []
    elif name == "live":
        yield "b.end_time > now() - %s", [live_within]
    else:
        yield _CONDITIONS[name], [value]
