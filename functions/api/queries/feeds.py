"""How far each feed was read."""

from datetime import timedelta
from typing import TYPE_CHECKING

from api.models.service import FeedHealth

if TYPE_CHECKING:
    from battlescope.database import Database


def feed_health(connection: "Database", stale_after: timedelta) -> list[FeedHealth]:
    """Every feed that was ever read, by name; ages by the database's clock, as the cursors' times are."""
    rows = connection.execute(
        """
        SELECT feed, moved_at, newest_killmail, extract(epoch FROM clock_timestamp() - moved_at)::float8
        FROM feed_cursors
        ORDER BY feed
        """
    )
    return [
        FeedHealth(
            feed=feed,
            status="ok" if age_s is not None and age_s <= stale_after.total_seconds() else "stale",
            moved_at=moved_at,
            age_s=None if age_s is None else round(age_s, 1),
            newest_killmail=newest_killmail,
        )
        for feed, moved_at, newest_killmail, age_s in rows
    ]
