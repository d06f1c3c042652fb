"""What lists are read by, beside the rows that they are read from: the hour of a battle's start, and its region."""

import pytest

from battlescope import static
from battlescope.database import Database
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from tests.support.dump import dump, empty
from tests.support.killmails import NOON, kill
from tests.support.skirmish import BLUE, GREEN, RED, of, skirmish

NEXT_HOUR = 3600 - NOON % 3600
"""Seconds after noon, as the tests count."""


def hours(database: Database) -> set[tuple[int]]:
    return set(
        database.execute(
            "SELECT start_hour FROM battle_entities UNION ALL SELECT start_hour FROM battle_participants"
        ).fetchall()
    )


@pytest.mark.parametrize("early_id", [1, 30], ids=["and another id", "with the same id"])
def test_a_battle_that_began_an_hour_earlier_than_was_known(database: Database, early_id: int) -> None:
    late = [kill(n, NEXT_HOUR + 10 * n, of(BLUE, n), of(RED, 1)) for n in (11, 12)]
    early = kill(early_id, NEXT_HOUR - 1, of(RED, 2), of(BLUE, 12), of(GREEN, 1))
    cluster(database, late, Rules())
    assert hours(database) == {((NOON + NEXT_HOUR) // 3600,)}

    cluster(database, [early], Rules())

    assert hours(database) == {((NOON + NEXT_HOUR) // 3600 - 1,)}
    as_it_came = dump(database)
    empty(database)
    cluster(database, [*late, early], Rules())
    assert dump(database) == as_it_came


def test_a_battle_has_the_region_of_its_system_whichever_is_stored_first(database: Database) -> None:
    cluster(database, skirmish(), Rules())
    assert database.execute("SELECT region_id FROM battles").fetchall() == [(None,)]

    static.load_into(database)
    cluster(database, [kill(9, 0, of(RED, 7), of(BLUE, 7), system=30_000_142)], Rules())
    cluster(database, [kill(10, 9, of(RED, 8), of(BLUE, 7), system=30_000_142)], Rules())

    found = database.execute("SELECT system_id, region_id FROM battles ORDER BY 1 DESC").fetchall()
    shipped = static.solar_systems()
    assert found == [(id_, shipped[id_].region_id) for id_ in (30_002_813, 30_000_142)]
