"""Lists of battles: a page of those that pass all filters, in the order asked for.

Every statement reads little however many battles there are, in one of these shapes:

- *hour by hour*, of an entity (character, corporation, alliance) by start or by end: its battles are read from its own
  index, from the newest hour on, until the page is full. Of several entities, those of the one that has the fewest.
- *gathered*, of an entity in another order: where its battles are few, or where other filters are set, all are read and
  sorted.
- *walked*, of an entity that has many, or of a place: battles are read in the list's order from an index that holds what the
  filters ask, until the page is full; then those of the page are read.
- *planned*: PostgreSQL chooses among the indexes of `battles`, whose statistics tell it how many pass. Of an entity too,
  where few battles pass another filter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from api.cursor import BattleKey
from api.filters import Constraint, Order
from api.models.battles import Battle
from api.queries import entity_battles
from api.queries.battle_conditions import INDEXED, Conditions, conditions_of
from api.queries.battles import COLUMNS, PLACES, STORED, battle_of
from api.queries.entity_battles import companions_of, listed, owners_of, source_of, told_of

if TYPE_CHECKING:
    from battlescope.database import Database

GATHERED_MAX = 1000
"""Of an entity, so many battles are read and sorted although a walk would find a page of them soon."""

COUNTED_MAX = 8000
"""Of an entity, so many battles are read, or listed once for a walk; of more, each battle on the way is looked up."""

_NARROWING = {
    "system": 0,
    "region": 0,
    "live": 0,
    "min_kills": 50,
    "min_pilots": 100,
    "min_isk": 10_000_000_000,
}
"""Filters that few battles pass, from these values on, and that have indexes of their own."""

_RARE_SPACES = {"pochven", "abyssal", "void", "unknown"}
"""As above, of the filter `space`."""

ORDER_COLUMNS: dict[Order, str] = {
    "start": "start_time",
    "end": "end_time",
    "isk": "total_isk_destroyed",
    "kills": "total_kills",
    "pilots": "pilots",
}

_LONG = "interval '3 hours'"
"""Few battles last longer, and those have an index of their own, made for this length by the migration `0012_lists.sql`."""


class _Statement(NamedTuple):
    """Selects STORED of the page's battles, in any order."""

    sql: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class _Asked:
    """A page of a list; the arguments of `list_battles`."""

    constraints: Sequence[Constraint]
    order: Order
    after: BattleKey | None
    limit: int
    live_within: timedelta

    @property
    def column(self) -> str:
        return ORDER_COLUMNS[self.order]

    @property
    def newest_hour(self) -> int | None:
        """In lists by time: in which hour the page's battles began at the latest."""
        time = self.after[0] if self.after else None
        return entity_battles.hour_of(time) if isinstance(time, datetime) else None

    def conditions(self, told: Sequence[Constraint] = ()) -> Conditions:
        """On `battles b`: what the filters ask and are not told already, and that it follows the page before."""
        conditions = conditions_of(self.constraints, self.live_within, told)
        if self.after is None:
            return conditions
        return conditions.and_(f"(b.{self.column}, b.id) < (%s, %s)", *self.after)


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
    asked = _Asked(constraints, order, after, limit, live_within)
    owners = owners_of(constraints)
    statement = _of_entity(connection, owners, asked) if owners else _among_all(asked)
    # The page is cut before names are looked up: a plan that joins first would read names for battles it throws away.
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM ({statement.sql}) b {PLACES} ORDER BY b.{asked.column} DESC, b.id DESC",  # noqa: S608 - constant parts
        statement.values,
    )
    return [battle_of(row) for row in rows]


def _among_all(asked: _Asked) -> _Statement:
    names = {name for name, _ in asked.constraints}
    conditions = asked.conditions()
    if asked.order == "end":
        conditions = _ended_between(asked, conditions)
    if asked.order != "start" and names and names <= INDEXED:
        return _walked(asked, conditions)
    return _read(asked, conditions)


def _ended_between(asked: _Asked, conditions: Conditions) -> Conditions:
    """And when battles ended that began in the list's time, so that the index of ends is read no further."""
    times = dict(asked.constraints)
    if "since" in times:
        conditions = conditions.and_("b.end_time >= %s", times["since"])
    if "until" in times:
        conditions = conditions.and_(
            f"""
            b.end_time <= greatest(%s::timestamptz + {_LONG}, (SELECT max(l.end_time) FROM (
                SELECT end_time FROM battles
                WHERE end_time > %s AND start_time < %s AND end_time - start_time > {_LONG} OFFSET 0
            ) l))
            """,  # noqa: S608 - constant parts; their values are parameters
            *[times["until"]] * 3,
        )
    return conditions


def _of_entity(connection: "Database", owners: Sequence[Constraint], asked: _Asked) -> _Statement:
    is_narrow = any(map(_is_narrow, asked.constraints))
    by_time = {"start": _by_start, "end": _by_end}.get(asked.order)
    if by_time is not None and not is_narrow and len(owners) == 1:
        return by_time(asked, owners[0])
    owner, battles = entity_battles.rarest(connection, owners, asked.constraints, COUNTED_MAX)
    if battles > COUNTED_MAX and is_narrow:
        return _read(asked, asked.conditions())
    if by_time is not None:
        return by_time(asked, owner)
    if battles > COUNTED_MAX:
        return _walked(asked, asked.conditions())
    # A walk finds a page soon where all of the owner's battles pass; where few do it could go on to its end.
    is_filtered = any(each is not owner and each[0] not in {"since", "until"} for each in asked.constraints)
    if is_filtered or battles <= GATHERED_MAX:
        return _gathered(asked, owner)
    theirs = listed(owner, asked.constraints)
    # `IS TRUE` keeps it a condition: PostgreSQL would turn it into a join, and read all of the owner's battles.
    return _walked(asked, asked.conditions([owner]).and_(f"({theirs.sql}) IS TRUE", *theirs.values))


def _is_narrow(constraint: Constraint) -> bool:
    name, value = constraint
    return value in _RARE_SPACES if name == "space" else name in _NARROWING and value >= _NARROWING[name]


def _by_start(asked: _Asked, owner: Constraint) -> _Statement:
    source = source_of(owner, asked.constraints, asked.newest_hour)
    conditions = asked.conditions(told_of(owner, asked.constraints))
    return _Statement(
        f"""
        SELECT {STORED} FROM {source.sql} {conditions.where}
        ORDER BY d.start_hour DESC, b.start_time DESC, b.id DESC LIMIT %s
        """,  # noqa: S608 - constant parts; their values are parameters
        (*source.values, *conditions.values, asked.limit),
    )


def _by_end(asked: _Asked, owner: Constraint) -> _Statement:
    """The entity's latest battles by hour of start, enough for a page; then those that may have ended later.

    They began before, and ended after one of the page's: within three hours of their start, or they are among the long ones.
    """
    source = source_of(owner, asked.constraints, asked.newest_hour)
    earlier = source_of(
        owner,
        asked.constraints,
        asked.newest_hour,
        " AND e.start_hour BETWEEN (SELECT earliest FROM hours) AND (SELECT latest FROM hours)",
    )
    conditions = asked.conditions(told_of(owner, asked.constraints))
    others = conditions.and_("b.id NOT IN (SELECT id FROM latest)")
    return _Statement(
        f"""
        WITH latest AS MATERIALIZED (
            SELECT d.start_hour, {STORED} FROM {source.sql} {conditions.where} ORDER BY d.start_hour DESC LIMIT %s
        ), reached AS (
            SELECT min(start_hour) AS hour, min(end_time) AS end_time FROM latest HAVING count(*) = %s
        ), hours AS (
            SELECT r.hour AS latest, floor(extract(epoch FROM least(
                r.end_time - {_LONG},
                (SELECT min(l.start_time) FROM (
                    SELECT start_time FROM battles WHERE end_time >= r.end_time AND end_time - start_time > {_LONG} OFFSET 0
                ) l)
            )) / 3600)::integer AS earliest
            FROM reached r
        )
        SELECT {STORED} FROM (
            SELECT {STORED} FROM latest b
            UNION ALL
            SELECT {STORED} FROM {earlier.sql} {others.where}
        ) b
        ORDER BY b.end_time DESC, b.id DESC LIMIT %s
        """,  # noqa: S608 - constant parts; their values are parameters
        (
            *source.values,
            *conditions.values,
            asked.limit,
            asked.limit,
            *earlier.values,
            *others.values,
            asked.limit,
        ),
    )


def _gathered(asked: _Asked, owner: Constraint) -> _Statement:
    theirs = listed(owner, asked.constraints, companions_of(owner, asked.constraints))
    conditions = asked.conditions(told_of(owner, asked.constraints))
    return _read(asked, conditions.and_(theirs.sql, *theirs.values))


def _walked(asked: _Asked, conditions: Conditions) -> _Statement:
    return _Statement(
        f"""
        SELECT {STORED}
        FROM (
            SELECT b.id FROM battles b {conditions.where} ORDER BY b.{asked.column} DESC, b.id DESC LIMIT %s
        ) found
        CROSS JOIN LATERAL (SELECT * FROM battles WHERE id = found.id OFFSET 0) b
        """,  # noqa: S608 - constant parts; their values are parameters
        (*conditions.values, asked.limit),
    )


def _read(asked: _Asked, conditions: Conditions) -> _Statement:
    return _Statement(
        f"SELECT {STORED} FROM battles b {conditions.where} ORDER BY b.{asked.column} DESC, b.id DESC LIMIT %s",  # noqa: S608 - constant parts
        (*conditions.values, asked.limit),
    )
