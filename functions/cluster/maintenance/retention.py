"""What is older than RETENTION_MONTHS, dropped: whole components, so that what stays is told from what is stored.

An id that was served stays known: it becomes an alias of a killmail that is gone, and the API answers 410 with the
killmail's page at zKillboard. Should the killmail come back, the id leads to it again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from battlescope.database import Database, LazyConnection
from cluster.maintenance.store import pieces, progress, retention
from cluster.store import battles as battles_store
from cluster.store import reading

STEP = "retention"
KILLMAILS_AT_ONCE = 1000


@dataclass(slots=True)
class Tally:
    """What was dropped."""

    killmails: int = 0
    battles: int = 0
    is_done: bool = False


def cutoff(now: datetime, months: int) -> datetime:
    """The first moment that is kept: that of the month which is this many before the present one."""
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.replace(year=max(years, 1), month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


def drop(connection: LazyConnection, before: datetime, remaining_s: Callable[[], float]) -> Tally:
    """Drop components that are wholly older; goes on where an earlier call ran out of time.

    Args:
        connection: where they are.
        before: the first moment that is kept.
        remaining_s: how long there is time.
    """
    system_id, since = connection.run(partial(_resume, before=before))
    tally = Tally()
    while remaining_s() > 0:
        old, killmails, battles = connection.run(
            partial(_drop_some, system_id=system_id, since=since, before=before)
        )
        tally.killmails += killmails
        tally.battles += battles
        if old is not None:
            since = old.latest + 1
        else:
            following = connection.run(partial(pieces.next_system, system_id=system_id))
            if following is None:
                tally.is_done = True
                break
            system_id, since = following, 0
    position = _position(before, system_id, since)
    connection.run(partial(progress.save, step=STEP, position=position, is_finished=tally.is_done))
    return tally


def _resume(connection: Database, before: datetime) -> tuple[int, int]:
    at = progress.load(connection, STEP)
    if at is None or at.is_finished or at.position["before"] != before.isoformat():
        progress.begin(connection, STEP, _position(before, 0, 0))
        return 0, 0
    return at.position["system_id"], at.position["since"]


def _position(before: datetime, system_id: int, since: int) -> dict[str, str | int]:
    return {"before": before.isoformat(), "system_id": system_id, "since": since}


def _drop_some(
    connection: Database, system_id: int, since: int, before: datetime
) -> tuple[retention.Old | None, int, int]:
    """Drop a system's next components; what was looked at, how many killmails and how many battles went."""
    with connection.transaction():
        pieces.lock(connection, system_id)
        old = retention.oldest(connection, system_id, since, before, KILLMAILS_AT_ONCE)
        if old is None or not old.components:
            return old, 0, 0
        battles = list(reading.battles_of(connection, old.components).values())
        battles_store.supersede_battles(connection, battles)
        battles_store.delete_battles(connection, battles)
        return old, retention.delete_killmails(connection, old.components), len(battles)
