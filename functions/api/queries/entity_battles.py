"""The battles of one character, corporation or alliance, told from its own index before any battle is read.

`OFFSET 0` keeps a subquery what it is: PostgreSQL would turn it into a join, and join all before it sorts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api.cursor import BattleKey
from api.filters import Constraint

if TYPE_CHECKING:
    from battlescope.database import Database

GATHERED_MAX = 5000
"""Above this it is quicker to look for an entity's battles among all, in the list's order."""

_ENTITY = "SELECT start_hour, first_killmail_id FROM battle_entities e WHERE entity_id = %s"

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
    "corporation": _ENTITY,
    "alliance": _ENTITY,
}
"""By kind of entity, the one with the fewest battles first: of several, the first is read and the others are asked for."""

_WITH_ENTITY = """
    AND EXISTS (
        SELECT FROM battle_entities o
        WHERE o.entity_id = %s AND o.start_hour = e.start_hour AND o.first_killmail_id = e.first_killmail_id OFFSET 0
    )
"""
_ENTITIES = ("corporation", "alliance", "against")

_KEYS = {
    "character": "id = d.battle_id",
    "corporation": "first_killmail_id = d.first_killmail_id",
    "alliance": "first_killmail_id = d.first_killmail_id",
}


def owner_of(constraints: Sequence[Constraint]) -> Constraint | None:
    """Whose battles to read, where the list is of somebody's."""
    return next((each for kind in _BATTLES_OF for each in constraints if each[0] == kind), None)


def companions_of(owner: Constraint, constraints: Sequence[Constraint]) -> list[Constraint]:
    """Corporations and alliances that must be in the owner's battles too, and are told from the same index."""
    if owner[0] == "character":
        return []
    return [each for each in constraints if each[0] in _ENTITIES and each is not owner]


def source_of(
    owner: Constraint, constraints: Sequence[Constraint], after: BattleKey | None, *, by_hour: bool
) -> tuple[str, list[Any]]:
    """The owner's battles as a FROM clause, `d` (with `start_hour`) and `b` (the battle), and its values.

    Those with all its companions only; and, in a list that goes hour by hour, those that can be on the page only.
    """
    kind, entity_id = owner
    bounds, values = "", [entity_id]
    for _, companion in companions_of(owner, constraints):
        bounds += _WITH_ENTITY
        values.append(companion)
    if by_hour:
        times = dict(constraints)
        if "since" in times:
            bounds += " AND start_hour >= %s"
            values.append(_hour(times["since"]))
        newest = [time for time in (times.get("until"), after[0] if after else None) if time is not None]
        if newest:
            bounds += " AND start_hour <= %s"
            values.append(min(_hour(time) for time in newest))
    battle = f"SELECT * FROM battles WHERE {_KEYS[kind]} OFFSET 0"  # noqa: S608 - constants
    return f"({_BATTLES_OF[kind]}{bounds}) d CROSS JOIN LATERAL ({battle}) b", values


def are_few(connection: "Database", owner: Constraint) -> bool:
    """Whether the owner's battles are no more than can be gathered and sorted."""
    kind, entity_id = owner
    table, column = (
        ("battle_participants", "character_id") if kind == "character" else ("battle_entities", "entity_id")
    )
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT FROM {table} WHERE {column} = %s LIMIT %s) counted",  # noqa: S608 - constants
        (entity_id, GATHERED_MAX + 1),
    ).fetchone()
    return row is not None and row[0] <= GATHERED_MAX


def _hour(time: Any) -> int:
    assert isinstance(time, datetime)  # noqa: S101 - `start`'s keys and bounds are times
    return int(time.timestamp() // 3600)
