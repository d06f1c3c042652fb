"""Names by what a player types: alliances, corporations, characters, solar systems, ship types.

A name is found by its beginning, by the beginnings of its words in any order, and, where the database has pg_trgm and
nothing else was found, by its likeness. Of what is found, whole names come first, then beginnings, then words, or the
likest; within these the most active, counted in battles up to ACTIVITY_MAX.

Very many names may begin as typed, so they are read in bands of activity, from the busiest down, until there are enough: each
band has indexes of its own (migration `0013_activity.sql`), and the bands above it are far smaller than it is.
"""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from api.models.search import Category, Found

if TYPE_CHECKING:
    from battlescope.database import Database

PLACES_MAX = 200
"""Solar systems and ship types that are looked at; those with the shortest names, since most of what is typed is there."""

ACTIVITY_MAX = 1000
"""Battles that are counted, at most: who has more is as active as can be. `activity_of` counts as far."""

ENTITIES = ("alliance", "corporation", "character")
CATEGORIES = (*ENTITIES, "system", "ship_type")

_WORD = re.compile(r"\w+")

_BANDS = {"busy": "activity >= 1000", "active": "activity BETWEEN 32 AND 999", "others": "activity < 32"}
"""As the indexes have them, from the busiest down."""

_LIKENESS_BANDS = ("activity >= 32", "activity < 32")
"""The index of likeness has the first by themselves."""

_LIKENESS_MIN = 0.3
"""Of 1; what is less like is not found."""

WORDS_MAX = 8
"""Words that are looked for; more of them are told by the others."""

LETTERS_LIKE_MAX = 50
"""A text that is longer than any name, or of more than WORDS_MAX words, is not compared by likeness: it has very many trigrams."""

_WHOLE = "lower(name) ~>=~ %(text)s AND lower(name) ~<=~ %(text)s"
"""As an equation PostgreSQL may ask the index of likeness, which takes long."""

_BEGINNING = "lower(name) LIKE %(beginning)s"
_WORDS = "to_tsvector('simple', name) @@ to_tsquery('simple', %(words)s)"
_LIKE = "lower(name) %% %(text)s"
_UNLIKE = "round((1 - similarity(lower(name), %(text)s)) * 10)::integer"


class _Named(NamedTuple):
    """Who or what was found, and where it stands among the others: rank first, from 0."""

    rank: int
    id: int
    category: Category
    name: str
    activity: int

    @property
    def place(self) -> tuple[int, int, int, str, int]:
        return self.rank, -self.activity, len(self.name), self.name, self.id


def search(
    connection: "Database", text: str, limit: int, categories: Collection[str] = CATEGORIES
) -> list[Found]:
    """Up to `limit` names of these categories for what was typed, the likeliest first."""
    typed = text.lower()
    words = _WORD.findall(typed)
    values = {
        "text": typed,
        "beginning": re.sub(r"([\\%_])", r"\\\1", typed) + "%",
        "words": " & ".join(f"{word}:*" for word in words[:WORDS_MAX]),
        "limit": limit,
        "entities": [one for one in ENTITIES if one in categories],
        "systems": "system" in categories,
        "ship_types": "ship_type" in categories,
    }
    found = _all_of(connection, f"{_any(0, _WHOLE)} UNION ALL {_in_bands(1, _BEGINNING)}", values)
    if len(found) < limit and words:
        found = _all_of(connection, _in_bands(2, _WORDS), values) | found
    is_name = len(typed) <= LETTERS_LIKE_MAX and len(words) <= WORDS_MAX
    if not found and is_name and _tells_likeness(connection, typed):
        found = _likest(connection, values, limit)
    likeliest = sorted(found.values(), key=lambda one: one.place)[:limit]
    return [
        Found(id=one.id, name=one.name, category=one.category, battles=one.activity)
        for one in sorted(_counted_anew(connection, likeliest), key=lambda one: one.place)
    ]


def _likest(
    connection: "Database", values: Mapping[str, Any], limit: int
) -> dict[tuple[Category, int], _Named]:
    """Who is called like it, and places.

    The few who are active are read first: of all the others only those matter who are as like as the last of these.
    """
    active, others = _LIKENESS_BANDS
    found = _all_of(connection, _any(_UNLIKE, _LIKE, active), values)
    if len(found) >= limit:
        unlikest = sorted(one.rank for one in found.values())[limit - 1]
        least = max(_LIKENESS_MIN, 1 - (unlikest + 0.5) / 10)  # the ranks are rounded
        connection.execute(f"SET LOCAL pg_trgm.similarity_threshold = {least:.2f}")
    return _all_of(connection, f"({_entities(_UNLIKE, f'{_LIKE} AND {others}')})", values) | found


def _in_bands(rank: int, condition: str) -> str:
    """Entities band by band, until there are enough; and places."""
    bands: list[str] = []
    for name, band in _BANDS.items():
        left = "".join(f" - (SELECT count(*) FROM {other})" for other in list(_BANDS)[: len(bands)])  # noqa: S608 - constants
        bands.append(f"{name} AS MATERIALIZED ({_entities(rank, f'{condition} AND {band}')}{left})")
    every = " UNION ALL ".join(f"SELECT * FROM {name}" for name in _BANDS)  # noqa: S608 - constants
    return f"(WITH {', '.join(bands)} {every}) UNION ALL {_places(rank, condition)}"


def _any(rank: int | str, condition: str, band: str = "TRUE") -> str:
    return f"({_entities(rank, f'{condition} AND {band}')}) UNION ALL {_places(rank, condition)}"


def _entities(rank: int | str, condition: str) -> str:
    return f"""
        SELECT {rank} AS rank, id, category, name, activity FROM names
        WHERE category = ANY(%(entities)s) AND {condition}
        ORDER BY rank, activity DESC, length(name), name, id LIMIT %(limit)s
    """  # noqa: S608 - constants


def _places(rank: int | str, condition: str) -> str:
    return f"""
        (
            SELECT rank, system_id, 'system', name, (
                SELECT count(*) FROM (SELECT FROM battles b WHERE b.system_id = s.system_id LIMIT {ACTIVITY_MAX}) counted
            )
            FROM (
                SELECT {rank} AS rank, system_id, name FROM solar_systems WHERE %(systems)s AND {condition}
                ORDER BY rank, length(name), system_id LIMIT {PLACES_MAX}
            ) s
        )
        UNION ALL (
            SELECT {rank} AS rank, ship_type_id, 'ship_type', name, 0 FROM ship_types WHERE %(ship_types)s AND {condition}
            ORDER BY rank, length(name), ship_type_id LIMIT {PLACES_MAX}
        )
    """  # noqa: S608 - constants


def _all_of(
    connection: "Database", statement: str, values: Mapping[str, Any]
) -> dict[tuple[Category, int], _Named]:
    """What was found, each in the best of its ranks."""
    rows = [_Named(*row) for row in connection.execute(statement.encode(), values)]
    return {(one.category, one.id): one for one in sorted(rows, reverse=True)}


def _counted_anew(connection: "Database", named: Collection[_Named]) -> list[_Named]:
    """With the battles that entities have by now: what stands beside the names is as of the latest upkeep."""
    entities = [one for one in named if one.category in ENTITIES]
    rows = connection.execute(
        "SELECT id, activity_of(id, category) FROM unnest(%s::bigint[], %s::text[]) AS named (id, category)",
        ([one.id for one in entities], [one.category for one in entities]),
    )
    now: dict[int, int] = dict(rows.fetchall())
    return [one._replace(activity=now[one.id]) if one.category in ENTITIES else one for one in named]


def _tells_likeness(connection: "Database", text: str) -> bool:
    """Whether there is pg_trgm, and anything in the text that it compares: else it reads all names, and finds none."""
    row = connection.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')").fetchone()
    if row is None or not row[0]:
        return False
    trigrams = connection.execute("SELECT show_trgm(%s)", (text,)).fetchone()
    return trigrams is not None and bool(trigrams[0])
