"""Names by what a player types: alliances, corporations, characters, solar systems, ship types.

A name is found by its beginning, by the beginnings of its words in any order, and, where the database has pg_trgm and
nothing else was found, by its likeness. Of what is found, whole names come first, then beginnings, then words; within
these the most active, counted in battles up to ACTIVITY_MAX.
"""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from api.models.search import Found

if TYPE_CHECKING:
    from battlescope.database import Database

CANDIDATES_MAX = 200
"""Of each way of finding; those with the shortest names, since most of what is typed is there."""

ACTIVITY_MAX = 1000
"""Battles that are counted, at most: who has more is as active as can be."""

_WORD = re.compile(r"\w+")

_NAMED = """
    SELECT id, category, name FROM names WHERE category = ANY(%(entities)s) AND {names}
    UNION ALL SELECT system_id, 'system', name FROM solar_systems WHERE %(systems)s AND {names}
    UNION ALL SELECT ship_type_id, 'ship_type', name FROM ship_types WHERE %(ship_types)s AND {names}
"""

_BEGINNING = "lower(name) LIKE %(beginning)s"
_WORDS = "to_tsvector('simple', name) @@ to_tsquery('simple', %(words)s)"
_LIKE = "lower(name) %% %(text)s"

_RANKED = """
    SELECT f.id, f.category, f.name, a.battles
    FROM (SELECT DISTINCT ON (category, id) * FROM ({candidates}) c ORDER BY category, id, rank) f
    CROSS JOIN LATERAL (
        SELECT CASE f.category
            WHEN 'character' THEN (
                SELECT count(*) FROM (SELECT FROM battle_participants WHERE character_id = f.id LIMIT {most}) p
            )
            WHEN 'system' THEN (SELECT count(*) FROM (SELECT FROM battles WHERE system_id = f.id LIMIT {most}) b)
            WHEN 'ship_type' THEN 0
            ELSE (SELECT count(*) FROM (SELECT FROM battle_entities WHERE entity_id = f.id LIMIT {most}) e)
        END AS battles
    ) a
    ORDER BY f.rank, a.battles DESC, length(f.name), f.name, f.id
    LIMIT %(limit)s
"""


ENTITIES = ("alliance", "corporation", "character")
CATEGORIES = (*ENTITIES, "system", "ship_type")


def search(
    connection: "Database", text: str, limit: int, categories: Collection[str] = CATEGORIES
) -> list[Found]:
    """Up to `limit` names of these categories for what was typed, the likeliest first."""
    typed = text.lower()
    words = _WORD.findall(typed)
    values = {
        "text": typed,
        "beginning": re.sub(r"([\\%_])", r"\\\1", typed) + "%",
        "words": " & ".join(f"{word}:*" for word in words),
        "limit": limit,
        "entities": [one for one in ENTITIES if one in categories],
        "systems": "system" in categories,
        "ship_types": "ship_type" in categories,
    }
    ways = [_way("CASE WHEN lower(name) = %(text)s THEN 0 ELSE 1 END", _BEGINNING)]
    if words:
        ways.append(_way("2", _WORDS))
    found = _ranked(connection, " UNION ALL ".join(ways), values)
    if not found and _tells_likeness(connection):
        found = _ranked(
            connection, _way("round((1 - similarity(lower(name), %(text)s)) * 10)::integer", _LIKE), values
        )
    return found


def _way(rank: str, condition: str) -> str:
    named = _NAMED.format(names=condition)
    return (
        f"(SELECT *, {rank} AS rank FROM ({named}) n ORDER BY rank, length(name), id LIMIT {CANDIDATES_MAX})"  # noqa: S608 - constants
    )


def _ranked(connection: "Database", candidates: str, values: dict[str, Any]) -> list[Found]:
    rows = connection.execute(_RANKED.format(candidates=candidates, most=ACTIVITY_MAX), values)
    return [
        Found(id=id_, name=name, category=category, battles=battles) for id_, category, name, battles in rows
    ]


def _tells_likeness(connection: "Database") -> bool:
    row = connection.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')").fetchone()
    return bool(row and row[0])
