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

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from api.cursor import BattleKey
from api.filters import Constraint, Order
from api.models.battles import Battle
from api.queries.battles import COLUMNS, PLACES, STORED, battle_of

if TYPE_CHECKING:
    from battlescope.database import Database

GATHERED_MAX = 5000
"""Above this it is quicker to look for an entity's battles among all, in the list's order."""

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

_BATTLES_OF = {
    # Who flew several ships in a battle is there with the first of them.
    "character": """
        SELECT p.start_hour, p.battle_id FROM battle_participants p
        WHERE NOT EXISTS (
            SELECT FROM battle_participants o
            WHERE o.battle_id = p.battle_id AND o.character_id = p.character_id AND o.ship_type_id < p.ship_type_id
            OFFSET 0
        ) AND p.character_id = %s
    """,
    "corporation": "SELECT start_hour, first_killmail_id FROM battle_entities WHERE entity_id = %s",
}
_BATTLES_OF["alliance"] = _BATTLES_OF["corporation"]
"""By kind of entity, the one with the fewest battles first: of several, the first is read and the others are asked for."""

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
    owner = next((each for kind in _BATTLES_OF for each in constraints if each[0] == kind), None)
    source = "battles b"
    values: list[Any] = []
    if owner is not None:
        is_narrow = any(name in _NARROWING and value >= _NARROWING[name] for name, value in constraints)
        if order == "start" and (not is_narrow or _are_few(connection, owner)):
            source, values = _hour_by_hour(owner, constraints, after)
        elif order != "start" and _are_few(connection, owner):
            source, values = (
                f"({_BATTLES_OF[owner[0]]}) d CROSS JOIN LATERAL ({_BATTLE[owner[0]]}) b",
                [owner[1]],
            )
        else:
            owner = None
    column = ORDER_COLUMNS[order]
    conditions = []
    for constraint in constraints:
        if constraint is not owner:
            condition, its_values = _condition(constraint, constraints, live_within)
            conditions.append(condition)
            values.extend(its_values)
    if after is not None:
        conditions.append(f"(b.{column}, b.id) < (%s, %s)")
        values.extend(after)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    hours = "d.start_hour DESC, " if owner is not None and order == "start" else ""
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


_BATTLE = {
    "character": "SELECT * FROM battles WHERE id = d.battle_id OFFSET 0",
    "corporation": "SELECT * FROM battles WHERE first_killmail_id = d.first_killmail_id OFFSET 0",
}
_BATTLE["alliance"] = _BATTLE["corporation"]


def _hour_by_hour(
    owner: Constraint, constraints: Sequence[Constraint], after: BattleKey | None
) -> tuple[str, list[Any]]:
    """An entity's battles by the hour of their start, the newest first, within what can be on the page."""
    kind, entity_id = owner
    bounds, values = "", [entity_id]
    times = dict(constraints)
    if "since" in times:
        bounds += " AND start_hour >= %s"
        values.append(_hour(times["since"]))
    newest = [time for time in (times.get("until"), after[0] if after else None) if time is not None]
    if newest:
        bounds += " AND start_hour <= %s"
        values.append(min(_hour(time) for time in newest))
    return f"({_BATTLES_OF[kind]}{bounds}) d CROSS JOIN LATERAL ({_BATTLE[kind]}) b", values


def _hour(time: Any) -> int:
    assert isinstance(time, datetime)  # noqa: S101 - `start`'s keys and bounds are times
    return int(time.timestamp() // 3600)


def _are_few(connection: "Database", owner: Constraint) -> bool:
    kind, entity_id = owner
    table, column = (
        ("battle_participants", "character_id") if kind == "character" else ("battle_entities", "entity_id")
    )
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT FROM {table} WHERE {column} = %s LIMIT %s) counted",  # noqa: S608 - constants
        (entity_id, GATHERED_MAX + 1),
    ).fetchone()
    return row is not None and row[0] <= GATHERED_MAX


def _condition(
    constraint: Constraint, constraints: Sequence[Constraint], live_within: timedelta
) -> tuple[str, list[Any]]:
    """One filter in SQL, and its values."""
    name, value = constraint
    if name in _IN_BATTLE:
        return _IN_BATTLE[name], [value]
    if name == "against":
        opponents = [other for kind, other in constraints if kind == "alliance"]
        opposed = " AND ".join([_OPPOSED] * len(opponents))
        pairs = [id_ for opponent in opponents for id_ in (opponent, value)]
        # The cheap question first: most of the time the other is not even there.
        return f"{_IN_BATTLE['alliance']} AND {opposed}", [value, *pairs]
    if name == "security":
        return _IN_SECURITY.format(_SECURITY[value]), []
    if name == "live":
        return "b.end_time > now() - %s", [live_within]
    return _CONDITIONS[name], [value]
