"""What ids are the ids of."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from battlescope.database import Database


def kinds_of(connection: "Database", entity_ids: Iterable[int]) -> dict[int, str]:
    """alliance, corporation, character, ...: of those of these ids whose names are known."""
    rows = connection.execute("SELECT id, category FROM names WHERE id = ANY(%s)", (list(entity_ids),))
    return dict(rows.fetchall())
