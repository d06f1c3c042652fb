"""A dump that was restored into a server with fewer transactions: the change feed tells of it, and of what comes after."""

from unittest.mock import patch
from uuid import UUID

from api.cursor import ChangeKey
from api.queries.changes import changes
from battlescope.database import Database, LazyConnection, connect
from cluster.maintenance import restored
from cluster.maintenance.restored import renew_stamps
from tests.integration.api.rows import Rows
from tests.support.budgets import ample

FIRST: ChangeKey = (0, 0, UUID(int=0))
AHEAD = 1_000_000_000
"""More transactions than the test's server has had."""


def restore(database: Database) -> None:
    """Stamps as another server made them, in their order."""
    for table in ("battles", "battle_aliases"):
        database.execute(f"UPDATE {table} SET changed_in = (changed_in::text::bigint + {AHEAD})::text::xid8")


def told(database: Database) -> list[str]:
    return [str(change["id"]) for change in changes(database, FIRST, 100).items]


def test_what_was_restored_and_what_comes_after_is_told(
    database: Database, connection: LazyConnection
) -> None:
    rows = Rows(database)
    old, alias = rows.battle(), rows.alias(1)
    restore(database)
    new = rows.battle()
    assert told(database) == [str(new)]  # and would be all for a thousand million transactions

    renewed = renew_stamps(connection, ample)

    assert (renewed.renewed, renewed.is_done) == (2, True)
    assert told(database) == [str(new), str(old), str(alias)]
    assert renew_stamps(connection, ample).renewed == 0


def test_it_goes_on_where_time_ran_out(database: Database, connection: LazyConnection) -> None:
    rows = Rows(database)
    ids = {str(rows.battle()) for _ in range(5)}
    restore(database)
    left = iter([1.0, 1.0, 0.0])
    with patch.object(restored, "ROWS_AT_ONCE", 2):
        first = renew_stamps(connection, lambda: next(left))
        assert (first.renewed, first.is_done) == (4, False)
        assert renew_stamps(connection, ample).renewed == 1
    assert set(told(database)) == ids


def test_a_row_that_a_worker_holds_is_left_to_it(
    database: Database, connection: LazyConnection, db_url: str
) -> None:
    rows = Rows(database)
    held, free = rows.battle(), rows.battle()
    restore(database)
    with connect(db_url) as worker, worker.transaction():
        Rows(worker).grow(held)
        assert renew_stamps(connection, ample).renewed == 1
        assert told(database) == []  # what began before it is not done
    assert set(told(database)) == {str(held), str(free)}
