"""Sides in the database: written with each battle, moved when the fight tells otherwise."""

from battlescope.database import Database
from cluster.clusterer import Outcome, cluster
from cluster.engine.rules import Rules
from tests.support.dump import dump, empty
from tests.support.killmails import kill
from tests.support.skirmish import BLUE, GREEN, MILLION, RED, of, skirmish


def stored_sides(database: Database) -> list[tuple[object, ...]]:
    return database.execute(
        """
        SELECT side_id, affiliation_ids, pilots, losses, isk_lost, isk_destroyed, round(efficiency::numeric, 2)::text
        FROM battle_sides ORDER BY side_id
        """
    ).fetchall()


def test_a_battle_is_stored_with_what_each_side_lost_and_destroyed(database: Database) -> None:
    cluster(database, skirmish(), Rules())
    assert stored_sides(database) == [
        (1, [BLUE], 3, 2, 800 * MILLION, 200 * MILLION, "0.20"),
        (2, [RED, GREEN], 2, 1, 200 * MILLION, 800 * MILLION, "0.80"),
    ]
    members = database.execute("SELECT killmail_id, side_id FROM battle_killmails ORDER BY 1").fetchall()
    assert members == [(1, 1), (2, 1), (3, 2)]


def test_the_larger_side_is_the_first_and_everything_stored_follows_it(database: Database) -> None:
    cluster(database, skirmish(), Rules())
    # when: two more reds arrive, so that red and green outnumber blue
    cluster(database, [kill(4, 180, of(BLUE, 1), of(RED, 2), of(RED, 3), isk=None)], Rules())
    # then
    assert [row[:3] for row in stored_sides(database)] == [(1, [RED, GREEN], 4), (2, [BLUE], 3)]
    assert dict(database.execute("SELECT killmail_id, side_id FROM battle_killmails").fetchall()) == {
        1: 2, 2: 2, 3: 1, 4: 2,
    }  # fmt: skip
    flown = database.execute("SELECT DISTINCT alliance_id, side_id FROM battle_participants").fetchall()
    assert sorted(flown) == [(RED, 1), (BLUE, 2), (GREEN, 1)]


def test_nothing_that_arrives_changes_nothing(database: Database) -> None:
    cluster(database, skirmish(), Rules())
    before = dump(database)
    assert cluster(database, [], Rules()) == Outcome()
    assert dump(database) == before


def test_a_new_value_changes_what_was_destroyed(database: Database) -> None:
    first, *others = skirmish()
    cluster(database, [first, *others], Rules())
    newer = kill(1, 0, of(BLUE, 1), of(RED, 1), of(GREEN, 1), isk=1_300 * MILLION, valued_at=5)
    cluster(database, [newer], Rules())
    assert [row[4:6] for row in stored_sides(database)] == [
        (1_800 * MILLION, 200 * MILLION),
        (200 * MILLION, 1_800 * MILLION),
    ]


def test_a_battle_from_before_sides_were_told_gets_them_when_it_grows(database: Database) -> None:
    # given: two battles as an earlier version left them
    cluster(database, skirmish()[:2], Rules())
    database.execute("UPDATE battles SET evidence = NULL")
    database.execute("DELETE FROM battle_sides")
    # when
    cluster(database, skirmish()[2:], Rules())
    # then: as if it had been stored by this one
    grown = dump(database)
    empty(database)
    cluster(database, skirmish(), Rules())
    assert dump(database) == grown
