"""What a battle's sides lost, and when."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from api.models.fights import Bucket, BucketSide

if TYPE_CHECKING:
    from battlescope.database import Database

BUCKETS = 60
"""About so many, at most: what a chart can show."""

_STEPS_S = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)
"""Lengths of a bucket that people count in."""


def step_s(lasted: timedelta) -> int:
    """The length of a bucket, in seconds, of a battle that lasted so long: the shortest that makes at most BUCKETS."""
    wanted = lasted.total_seconds() / BUCKETS
    # The longest of them is good for two months; a battle beyond has more buckets.
    return next((step for step in _STEPS_S if step >= wanted), _STEPS_S[-1])


def timeline(connection: "Database", battle_id: UUID, step: int) -> list[Bucket]:
    """The stretches of `step` seconds in which a battle lost something, in order; sides by number."""
    rows = connection.execute(
        """
        SELECT date_bin(make_interval(secs => %s), "timestamp", timestamptz '2000-01-01 00:00Z') AS since, side_id,
               count(*), coalesce(sum(isk_value), 0)::bigint
        FROM battle_killmails WHERE battle_id = %s
        GROUP BY since, side_id
        ORDER BY since, side_id
        """,
        (step, battle_id),
    )
    buckets: list[Bucket] = []
    for since, side_id, killmails, isk_lost in rows:
        if not buckets or buckets[-1]["since"] != since:
            buckets.append(Bucket(since=since, sides=[]))
        buckets[-1]["sides"].append(BucketSide(side_id=side_id, killmails=killmails, isk_lost=isk_lost))
    return buckets
