"""Re-clustering: whatever rules killmails were stored under, what comes out is what the present rules make of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from itertools import batched
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battlescope.database import Database, LazyConnection
from battlescope.killmail import Killmail
from cluster.clusterer import cluster
from cluster.engine.battle import battle_id
from cluster.engine.rules import Rules
from cluster.maintenance import reclustering
from cluster.maintenance.reclustering import Tally, Window, is_due, recluster
from tests.support.budgets import ample
from tests.support.dump import dump, empty, fingerprint, orphans, unresolved_aliases
from tests.support.killmails import NOON, kill, killmail_sets, pilot, real_day

RULES = [
    Rules(),
    Rules(fold_pods=False),
    Rules(min_kills=3),
    Rules(gap_max_s=120),
    Rules(link_rule="contiguous", gap_max_s=300, window_s=1200),
]
TAMA, HOUR = 30_002_813, 3600


def invocations_of_one_piece(connection: LazyConnection, rules: Rules, window: Window | None) -> Tally:
    """Each invocation has time for one piece only."""
    total = Tally()
    while True:
        done = recluster(connection, rules, window, iter((60.0, 0.0)).__next__)
        total += done
        if done.is_done:
            return total


def store(database: Database, killmails: Sequence[Killmail], rules: Rules, *, at_once: int = 4) -> set[UUID]:
    """As they arrive; every battle id that could be seen on the way."""
    served: set[UUID] = set()
    for batch in batched(killmails, at_once, strict=False):
        cluster(database, batch, rules)
        served.update(row[0] for row in database.execute("SELECT id FROM battles"))
    return served


def revisions(database: Database) -> dict[UUID, int]:
    return dict(database.execute("SELECT id, revision FROM battles").fetchall())


def untold(database: Database, served: set[UUID]) -> set[UUID]:
    """Ids that neither are a battle's nor lead to a killmail that is stored."""
    rows = database.execute(
        """
        SELECT id FROM battles UNION ALL SELECT a.id FROM battle_aliases a JOIN killmails k USING (killmail_id)
        """
    )
    return served - {row[0] for row in rows}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    uploads=killmail_sets(),
    before=st.sampled_from(RULES),
    now=st.sampled_from(RULES),
    late=st.integers(0, 4),
    piece=st.sampled_from([1, 3, 2000]),
)
def test_what_was_stored_under_other_rules_comes_out_as_under_these(
    database: Database,
    connection: LazyConnection,
    uploads: list[Killmail],
    before: Rules,
    now: Rules,
    late: int,
    piece: int,
) -> None:
    # given: all of it stored under the new rules from the start
    empty(database)
    store(database, uploads, now)
    expected = dump(database)
    # given: all of it stored under the old rules, but for a few that come when the workers know the new ones
    empty(database)
    early = uploads[: len(uploads) - late]
    served = store(database, early, before) | store(database, uploads[len(early) :], now)
    known = revisions(database)
    # when
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reclustering, "KILLMAILS_AT_ONCE", piece)
        invocations_of_one_piece(connection, now, None)
    # then
    assert dump(database) == expected
    assert orphans(database) == {}
    assert (untold(database, served), unresolved_aliases(database)) == (set(), [])
    assert {
        id_: revision for id_, revision in revisions(database).items() if revision < known.get(id_, 0)
    } == {}
    assert not is_due(database, now)
    # and: killmails that come again change nothing
    cluster(database, uploads, now)
    assert dump(database) == expected


def skirmishes() -> list[Killmail]:
    """Three fights: one that no rule here divides, one with a pause of ten minutes, and one of a ship and its pod."""
    alice, bob, carol, dave = (pilot(number) for number in range(1, 5))
    return [
        kill(11, 0, alice, bob),
        kill(12, 30, carol, bob),
        kill(21, HOUR, carol, dave),
        kill(22, HOUR + 60, alice, dave),
        kill(23, HOUR + 660, bob, dave),
        kill(24, HOUR + 690, carol, dave),
        kill(31, 2 * HOUR, alice, carol),
        kill(32, 2 * HOUR + 5, alice._replace(ship_type_id=670), carol),
    ]


def test_a_battle_that_is_divided_leaves_its_id_to_its_first_part_and_others_stay_untouched(
    database: Database, connection: LazyConnection
) -> None:
    store(database, skirmishes(), Rules(fold_pods=False), at_once=100)
    database.execute("UPDATE battles SET created_at = '2020-01-01', updated_at = '2020-01-01'")
    # when
    tally = recluster(connection, Rules(gap_max_s=300), None, ample)
    # then
    rows = database.execute(
        """
        SELECT first_killmail_id, revision, updated_at < '2021-01-01', created_at < '2021-01-01' FROM battles ORDER BY 1
        """
    ).fetchall()
    assert rows == [(11, 1, True, True), (21, 2, False, True), (23, 2, False, False)]
    assert (tally.changed, tally.removed, tally.is_done) == (2, 1, True)
    # and: what is none any more leads to its killmail
    assert database.execute("SELECT id, killmail_id, revision FROM battle_aliases").fetchall() == [
        (battle_id(TAMA, 31), 31, 1)
    ]
    # when: back again
    recluster(connection, Rules(fold_pods=False), None, ample)
    # then: revisions went on, past the alias' too
    assert revisions(database) == {battle_id(TAMA, 11): 1, battle_id(TAMA, 21): 3, battle_id(TAMA, 31): 2}
    assert untold(database, {battle_id(TAMA, 23)}) == set()


def test_nothing_is_due_where_the_rules_are_the_same(database: Database, connection: LazyConnection) -> None:
    assert is_due(database, Rules())  # nobody knows under which rules it was stored
    store(database, skirmishes(), Rules())
    first = recluster(connection, Rules(), None, ample)
    assert (first.killmails, first.changed, first.removed, first.is_done) == (8, 0, 0, True)
    assert not is_due(database, Rules())
    # WINDOW_MINUTES means nothing to this rule
    assert not is_due(database, Rules(window_s=7200))
    assert is_due(database, Rules(min_kills=3))


def test_rules_that_change_back_before_all_was_done_begin_anew(
    database: Database, connection: LazyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(database, skirmishes(), Rules())
    recluster(connection, Rules(), None, ample)
    expected = dump(database)
    monkeypatch.setattr(reclustering, "KILLMAILS_AT_ONCE", 2)
    recluster(connection, Rules(min_kills=3), None, iter([60.0, 0.0]).__next__)
    assert dump(database) != expected
    assert is_due(database, Rules())
    recluster(connection, Rules(), None, ample)
    assert dump(database) == expected


def test_a_window_changes_only_what_reaches_into_it(database: Database, connection: LazyConnection) -> None:
    first_day = datetime.fromtimestamp(NOON, UTC).date()
    alice, bob, carol = pilot(1), pilot(2), pilot(3)
    day = 24 * HOUR
    midnight = day - NOON % day
    store(
        database,
        [
            kill(1, 0, alice, bob),
            kill(2, 60, carol, bob),
            kill(3, midnight - 30, alice, bob),
            kill(4, midnight + 30, carol, bob),
            kill(5, midnight + 2 * day, alice, bob),
            kill(6, midnight + 2 * day + 60, carol, bob),
        ],
        Rules(),
    )
    next_day = date.fromordinal(first_day.toordinal() + 1)
    tally = recluster(connection, Rules(min_kills=3), Window(next_day, next_day), ample)
    assert tally.is_done
    assert database.execute("SELECT first_killmail_id FROM battles ORDER BY 1").fetchall() == [(1,), (5,)]
    assert is_due(database, Rules(min_kills=3))  # a window is not everything


def test_battles_from_before_sides_were_told_are_told(database: Database, connection: LazyConnection) -> None:
    store(database, skirmishes(), Rules())
    expected = dump(database)
    database.execute("UPDATE battles SET evidence = NULL WHERE first_killmail_id = 21")
    database.execute("DELETE FROM battle_sides WHERE battle_id = %s", (battle_id(TAMA, 21),))
    database.execute("UPDATE battle_killmails SET side_id = 0 WHERE battle_id = %s", (battle_id(TAMA, 21),))
    tally = recluster(connection, Rules(), None, ample)
    assert dump(database) == expected
    assert tally.changed == 1


@pytest.fixture
def an_evening(real_data: Path) -> tuple[Killmail, ...]:
    return real_day(real_data, "2021-11-28")[-6000:]


@pytest.mark.parametrize("now", [Rules(gap_max_s=300, min_kills=3), RULES[-1]])
def test_a_real_evening_beside_workers_and_twice_at_once(
    db_url: str, database: Database, an_evening: tuple[Killmail, ...], now: Rules
) -> None:
    # given
    store(database, an_evening, now, at_once=2000)
    expected = fingerprint(database)
    empty(database)
    served = store(database, an_evening[:-1500], Rules(), at_once=2000)
    connections = [LazyConnection(db_url) for _ in range(3)]

    def upkeep(connection: LazyConnection) -> None:
        while is_due(connection.get(), now):
            recluster(connection, now, None, ample)

    def work() -> None:
        for batch in batched(an_evening[-1500:], 100, strict=False):
            connections[2].run(partial(cluster, killmails=batch, rules=now))

    # when
    with ThreadPoolExecutor(3) as threads:
        for job in [
            threads.submit(work),
            threads.submit(upkeep, connections[0]),
            threads.submit(upkeep, connections[1]),
        ]:
            job.result()
    # then
    assert fingerprint(database) == expected
    assert (orphans(database), untold(database, served)) == ({}, set())
    for connection in connections:
        connection.close()
