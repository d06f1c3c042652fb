"""Names for those who fight in a simulated New Eden: ESI knows none of them."""

from battlescope.database import Database
from battlescope_local.new_eden.names import invented_name

_NAMELESS = """
    SELECT e.category, e.id
    FROM (
        SELECT DISTINCT e.category, e.id
        FROM battles b
        JOIN battle_participants p ON p.battle_id = b.id
        CROSS JOIN LATERAL (
            VALUES ('alliance', p.alliance_id), ('corporation', p.corp_id), ('character', p.character_id)
        ) AS e (category, id)
        WHERE b.changed_in >= %s::xid8 AND e.id > 0
    ) e
    WHERE NOT EXISTS (SELECT FROM names n WHERE n.id = e.id)
"""


class Naming:
    """Names everybody in battles that came or grew since it was last asked."""

    def __init__(self) -> None:
        self._since = "0"

    def name_newcomers(self, connection: Database) -> int:
        """Give names to those who have none yet; how many."""
        row = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
        nameless = connection.execute(_NAMELESS, (self._since,)).fetchall()
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO names (id, category, name, activity) VALUES (%s, %s, %s, activity_of(%s, %s)) ON CONFLICT DO NOTHING",
                [(id_, category, invented_name(category, id_), id_, category) for category, id_ in nameless],
            )
        assert row is not None  # noqa: S101 - it selects one row
        self._since = row[0]
        return len(nameless)
