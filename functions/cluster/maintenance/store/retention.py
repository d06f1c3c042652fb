"""Dropping what is older than is kept."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from battlescope.database import Database


class Old(NamedTuple):
    """Some of a system's oldest killmails, as the components that they are in.

    Attributes:
        latest: when the last of them was, in Unix seconds.
        components: those that are wholly older than is kept.
    """

    latest: int
    components: list[int]


def oldest(connection: Database, system_id: int, since: int, until: datetime, killmails: int) -> Old | None:
    """The components of a system's first killmails from `since` on and before `until`; None where there are none.

    About so many killmails are looked at; those of the last one's second are all among them.
    """
    row = connection.execute(
        """
        WITH first AS MATERIALIZED (
            SELECT killmail_time, component_id FROM killmails
            WHERE system_id = %s AND killmail_time >= to_timestamp(%s) AND killmail_time < %s
            ORDER BY killmail_time FETCH FIRST (%s) ROWS WITH TIES  -- seconds as a whole, since the next look is after them
        )
        SELECT (SELECT extract(epoch FROM max(killmail_time))::bigint FROM first),
               (SELECT array_agg(DISTINCT component_id) FROM first f WHERE NOT EXISTS (
                   SELECT FROM killmails k WHERE k.component_id = f.component_id AND k.killmail_time >= %s))
        """,
        (system_id, since, until, killmails, until),
    ).fetchone()
    return None if row is None or row[0] is None else Old(row[0], row[1] or [])


def delete_killmails(connection: Database, component_ids: Collection[int]) -> int:
    """Remove the killmails of these components; how many there were. Their battles must be gone already."""
    return connection.execute(
        "DELETE FROM killmails WHERE component_id = ANY(%s)", (list(component_ids),)
    ).rowcount
