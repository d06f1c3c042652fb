"""How active those are who have names, which searches go by: told when a name is found, and counted anew once a day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from battlescope.database import Database, LazyConnection
from cluster.maintenance.store import names as names_store
from cluster.maintenance.store import progress
from cluster.maintenance.store.names import Counted

STEP = "activity"
EVERY = timedelta(days=1)
NAMES_AT_ONCE = 1000


@dataclass(slots=True)
class Tally:
    """What was done."""

    changed: int = 0
    is_done: bool = False


def count_all(connection: LazyConnection, remaining_s: Callable[[], float]) -> Tally:
    """Go round all names, by id, for as long as there is time; where the last round was begun long enough ago."""
    tally = Tally()
    at = connection.run(_resume)
    while at is not None:
        if remaining_s() <= 0:
            return tally
        counted = connection.run(partial(_count_next, after=at))
        tally.changed += counted.changed
        at = counted.last
    tally.is_done = True
    return tally


def _resume(connection: Database) -> int | None:
    """After which id to go on; None where no round is due."""
    at = progress.load(connection, STEP)
    if at is None or (at.is_finished and at.age >= EVERY):
        progress.begin(connection, STEP, {"after": 0})
        return 0
    return None if at.is_finished else at.position["after"]


def _count_next(connection: Database, after: int) -> Counted:
    with connection.transaction():
        counted = names_store.count_activity(connection, after, NAMES_AT_ONCE)
        progress.save(connection, STEP, {"after": counted.last}, is_finished=counted.last is None)
    return counted
