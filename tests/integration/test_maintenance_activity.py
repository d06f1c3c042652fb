"""How active those with names are: counted once a day, going on where time ran out."""

from unittest.mock import patch

import pytest

from battlescope.database import Database, LazyConnection
from cluster.maintenance import activity
from cluster.maintenance.activity import count_all
from cluster.maintenance.store.names import Name, save_names
from tests.integration.api.rows import Pilot, Rows
from tests.support.budgets import ample

ALLIANCE = 99_000_001
PILOT = 90_000_001


@pytest.fixture
def rows(database: Database) -> Rows:
    """An alliance in two battles, and a pilot in one of them, named when there was none."""
    rows = Rows(database)
    rows.name(ALLIANCE, "Goonswarm Federation", "alliance")
    rows.name(PILOT, "Tama Goon", "character")
    rows.battle(entities=[ALLIANCE], pilots=[Pilot(character=PILOT)])
    rows.battle(entities=[ALLIANCE])
    return rows


def told(database: Database) -> dict[int, int]:
    return dict(database.execute("SELECT id, activity FROM names").fetchall())


def a_day_passes(database: Database) -> None:
    database.execute(
        "UPDATE maintenance_progress SET started_at = started_at - interval '1 day' WHERE step = 'activity'"
    )


def test_all_are_counted_once_a_day(database: Database, connection: LazyConnection, rows: Rows) -> None:
    first = count_all(connection, ample)
    assert (first.changed, first.is_done) == (2, True)
    assert told(database) == {ALLIANCE: 2, PILOT: 1}
    # and: who is in another battle the same day is counted the next one
    rows.battle(entities=[ALLIANCE])
    assert count_all(connection, ample) == activity.Tally(changed=0, is_done=True)
    a_day_passes(database)
    assert count_all(connection, ample).changed == 1
    assert told(database) == {ALLIANCE: 3, PILOT: 1}


def test_it_goes_on_where_time_ran_out(database: Database, connection: LazyConnection, rows: Rows) -> None:
    more = [99_000_002 + number for number in range(5)]
    for one in more:
        rows.name(one, f"Alliance {one}", "alliance")
    rows.battle(entities=more)
    left = iter([1.0, 1.0, 0.0])
    with patch.object(activity, "NAMES_AT_ONCE", 2):
        first = count_all(connection, lambda: next(left))
        assert (first.changed, first.is_done) == (4, False)
        # and: a day later the round is still the one that was begun
        a_day_passes(database)
        assert count_all(connection, ample) == activity.Tally(changed=3, is_done=True)
    assert told(database) == {PILOT: 1, ALLIANCE: 2} | dict.fromkeys(more, 1)


@pytest.mark.usefixtures("rows")
def test_it_is_told_when_a_name_is_found_and_when_it_is_asked_for_again(database: Database) -> None:
    save_names(
        database,
        [Name(ALLIANCE, "alliance", "Goonswarm Federation"), Name(98_000_001, "corporation", "Goons")],
        [],
    )
    assert told(database) == {ALLIANCE: 2, PILOT: 0, 98_000_001: 0}


@pytest.mark.usefixtures("rows")
def test_a_thousand_is_as_active_as_can_be(database: Database, connection: LazyConnection) -> None:
    database.execute(
        "INSERT INTO battle_entities (entity_id, first_killmail_id, start_hour) SELECT %s, n, 1 FROM generate_series(1, 1200) n",
        (ALLIANCE,),
    )
    count_all(connection, ample)
    assert told(database)[ALLIANCE] == 1000
    # and: what retention drops counts no more
    database.execute("DELETE FROM battle_entities WHERE start_hour = 1")
    a_day_passes(database)
    count_all(connection, ample)
    assert told(database)[ALLIANCE] == 2
