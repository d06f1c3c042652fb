"""The battles of one character, corporation or alliance, told from its own index before any battle is read."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from api.filters import Constraint

if TYPE_CHECKING:
    from battlescope.database import Database

_ENTITIES = ("corporation", "alliance", "against")

_BATTLES_OF = {
    # Who flew several ships in a battle is there with the first of them.
    "character": """
        SELECT e.start_hour, e.battle_id FROM battle_participants e
        WHERE NOT EXISTS (
            SELECT FROM battle_participants o
            WHERE o.battle_id = e.battle_id AND o.character_id = e.character_id AND o.ship_type_id < e.ship_type_id
            OFFSET 0
        ) AND e.character_id = %s
    """,
    **dict.fromkeys(
        _ENTITIES, "SELECT e.start_hour, e.first_killmail_id FROM battle_entities e WHERE e.entity_id = %s"
    ),
}

_WITH_ENTITY = """
    AND EXISTS (
        SELECT FROM battle_entities o
        WHERE o.entity_id = %s AND o.start_hour = e.start_hour AND o.first_killmail_id = e.first_killmail_id OFFSET 0
    )
"""

_ROWS_OF = {
    "character": "battle_participants e WHERE e.character_id = %s",
    **dict.fromkeys(_ENTITIES, "battle_entities e WHERE e.entity_id = %s"),
}

_KEYS = {
    "character": ("id", "battle_id"),
    **dict.fromkeys(_ENTITIES, ("first_killmail_id", "first_killmail_id")),
}
"""What names a battle in `battles`, and in the entity's rows."""


class Source(NamedTuple):
    """An entity's battles, as SQL and the values of its placeholders."""

    sql: str
    values: tuple[Any, ...]


def owners_of(constraints: Sequence[Constraint]) -> list[Constraint]:
    """Whose battles may be read, where the list is of somebody's: a character's, or any corporation's or alliance's.

    The battles of one of them are read; whether the others are there is asked of each.
    """
    characters = [each for each in constraints if each[0] == "character"]
    return characters[:1] or [each for each in constraints if each[0] in _ENTITIES]


def rarest(
    connection: "Database", owners: Sequence[Constraint], constraints: Sequence[Constraint], at_most: int
) -> tuple[Constraint, int]:
    """The owner with the fewest battles in the hours that the list is of, and how many: `at_most` + 1 where more.

    Each is counted no further than it takes to see that another one has fewer.
    """
    rarest = owners[0]
    fewest = _count(connection, rarest, constraints, at_most)
    for owner in owners[1:]:
        if (battles := _count(connection, owner, constraints, fewest)) < fewest:
            rarest, fewest = owner, battles
    return rarest, fewest


def companions_of(owner: Constraint, constraints: Sequence[Constraint]) -> list[Constraint]:
    """The corporations and alliances that must be in the owner's battles too and are told from the same index."""
    if owner[0] == "character":
        return []
    return [each for each in constraints if each[0] in _ENTITIES and each is not owner]


def told_of(owner: Constraint, constraints: Sequence[Constraint]) -> list[Constraint]:
    """What the owner's battles with all its companions have fulfilled."""
    return [owner, *companions_of(owner, constraints)]


def source_of(
    owner: Constraint, constraints: Sequence[Constraint], until_hour: int | None = None, hours: str = ""
) -> Source:
    """The owner's battles, with all its companions, that began in the hours that the list is of.

    A FROM clause of `d`, with `start_hour`, and `b`, the battle.

    Args:
        owner: whose.
        constraints: the list's filters.
        until_hour: where given, those that began in this hour since 1970 or earlier.
        hours: a condition on `e.start_hour`, without values.
    """
    kind, entity_id = owner
    bounds, bounds_values = _hours_of(constraints, until_hour)
    companions = companions_of(owner, constraints)
    rows = _BATTLES_OF[kind] + _WITH_ENTITY * len(companions) + bounds + hours
    key, named = _KEYS[kind]
    battle = f"SELECT * FROM battles WHERE {key} = d.{named} OFFSET 0"  # noqa: S608 - constants
    return Source(
        f"({rows}) d CROSS JOIN LATERAL ({battle}) b",
        (entity_id, *(value for _, value in companions), *bounds_values),
    )


def listed(
    owner: Constraint, constraints: Sequence[Constraint], companions: Sequence[Constraint] = ()
) -> Source:
    """A condition on `battles b`: that it is one of the owner's, with all its companions; all are listed once."""
    kind, entity_id = owner
    bounds, values = _hours_of(constraints, None)
    key, named = _KEYS[kind]
    rows = _ROWS_OF[kind] + _WITH_ENTITY * len(companions) + bounds
    return Source(
        f"b.{key} IN (SELECT e.{named} FROM {rows})",  # noqa: S608 - constants
        (entity_id, *(value for _, value in companions), *values),
    )


def _count(connection: "Database", owner: Constraint, constraints: Sequence[Constraint], at_most: int) -> int:
    kind, entity_id = owner
    bounds, values = _hours_of(constraints, None)
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT FROM {_ROWS_OF[kind]}{bounds} LIMIT %s) counted",  # noqa: S608 - constants
        (entity_id, *values, at_most + 1),
    ).fetchone()
    assert row is not None  # noqa: S101 - it counts
    return int(row[0])


def hour_of(time: datetime) -> int:
    """Hours since 1970."""
    return int(time.timestamp() // 3600)


def _hours_of(constraints: Sequence[Constraint], until_hour: int | None) -> tuple[str, list[Any]]:
    """Of the rows `e` of an entity, those in the hours that can be on the list."""
    times = dict(constraints)
    bounds, values = "", []
    if "since" in times:
        bounds += " AND e.start_hour >= %s"
        values.append(hour_of(times["since"]))
    newest = [
        hour for hour in (times.get("until") and hour_of(times["until"]), until_hour) if hour is not None
    ]
    if newest:
        bounds += " AND e.start_hour <= %s"
        values.append(min(newest))
    return bounds, values
