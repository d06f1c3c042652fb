"""Retention: what is wholly older goes, ids stay known, and what stays is what was stored without the rest."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battlescope.database import Database, LazyConnection
from battlescope.killmail import Killmail
from cluster.clusterer import cluster
from cluster.engine.battle import battle_id
from cluster.engine.linking import components
from cluster.engine.rules import Rules
from cluster.maintenance import retention
from cluster.maintenance.retention import cutoff, drop
from tests.support.budgets import ample
from tests.support.dump import dump, empty, orphans
from tests.support.killmails import NOON, kill, killmail_sets, pilot

TAMA, JITA = 30_002_813, 30_000_142
ALICE, BOB, CAROL = pilot(1), pilot(2), pilot(3)
NOW = datetime.fromtimestamp(NOON, UTC)


@pytest.mark.parametrize(
    ("now", "months", "first_kept"),
    [
        (datetime(2021, 12, 31, 23, tzinfo=UTC), 2, datetime(2021, 10, 1, tzinfo=UTC)),
        (datetime(2021, 2, 1, tzinfo=UTC), 2, datetime(2020, 12, 1, tzinfo=UTC)),
        (datetime(2021, 1, 31, tzinfo=UTC), 12, datetime(2020, 1, 1, tzinfo=UTC)),
        (datetime(2021, 1, 31, tzinfo=UTC), 13, datetime(2019, 12, 1, tzinfo=UTC)),
    ],
)
def test_whole_months_are_kept(now: datetime, months: int, first_kept: datetime) -> None:
    assert cutoff(now, months) == first_kept


def test_killmails_of_one_second_go_however_few_are_looked_at_at_once(
    database: Database, connection: LazyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a battle that lasts into what is kept, and lone losses in the second in which it began
    monkeypatch.setattr(retention, "KILLMAILS_AT_ONCE", 1)
    lone = [kill(number, 0, pilot(number), pilot(number + 1)) for number in (10, 20, 30)]
    cluster(database, [kill(1, 0, ALICE, BOB), *lone, kill(2, 60, CAROL, BOB)], Rules())
    # when
    tally = drop(connection, NOW + timedelta(seconds=30), ample)
    # then
    assert (tally.killmails, tally.is_done) == (3, True)
    assert database.execute("SELECT killmail_id FROM killmails ORDER BY 1").fetchall() == [(1,), (2,)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(uploads=killmail_sets(), kept_from_minute=st.integers(0, 76), at_once=st.sampled_from([1, 2, 1000]))
def test_what_stays_is_as_if_the_rest_had_never_been(
    database: Database,
    connection: LazyConnection,
    uploads: list[Killmail],
    kept_from_minute: int,
    at_once: int,
) -> None:
    before = NOW + timedelta(minutes=kept_from_minute)
    # given: only what is to stay, which is every component that reaches to the first moment kept
    systems = {killmail.solar_system_id for killmail in uploads}
    staying = {
        killmail.killmail_id
        for system_id in systems
        for members in components([k for k in uploads if k.solar_system_id == system_id], Rules())
        if any(k.killmail_time >= before.timestamp() for k in members)
        for killmail in members
    }
    empty(database)
    if staying:
        cluster(database, [killmail for killmail in uploads if killmail.killmail_id in staying], Rules())
    expected = dump(database)
    # given: all of it
    empty(database)
    cluster(database, uploads, Rules())
    served = {row[0] for row in database.execute("SELECT id FROM battles")}
    # when: interrupted again and again
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "KILLMAILS_AT_ONCE", at_once)
        for _ in range(100):
            if drop(connection, before, iter([60.0, 60.0, 60.0, 0.0]).__next__).is_done:
                break
        else:
            pytest.fail("it never comes to its end")
    # then
    assert dump(database) == expected
    assert orphans(database) == {}
    known = database.execute("SELECT id FROM battles UNION SELECT id FROM battle_aliases")
    assert served <= {row[0] for row in known}


def test_a_battle_that_was_dropped_is_an_alias_until_its_killmails_come_back(
    database: Database, connection: LazyConnection
) -> None:
    month = 31 * 24 * 3600
    old = [kill(1, -4 * month, ALICE, BOB), kill(2, 60 - 4 * month, CAROL, BOB)]
    elsewhere = [kill(5, -4 * month, ALICE, BOB, system=JITA)]
    kept = [kill(3, 0, ALICE, BOB), kill(4, 60, CAROL, BOB)]
    cluster(database, [*old, *elsewhere, *kept], Rules())
    before = cutoff(NOW, 2)
    # when
    tally = drop(connection, before, ample)
    # then
    assert (tally.killmails, tally.battles, tally.is_done) == (3, 1, True)
    assert database.execute("SELECT first_killmail_id FROM battles").fetchall() == [(3,)]
    alias = battle_id(TAMA, 1)
    assert database.execute("SELECT id, killmail_id, revision FROM battle_aliases").fetchall() == [
        (alias, 1, 1)
    ]
    # and: again, there is nothing to do
    assert drop(connection, before, ample).killmails == 0
    # when: they come back, as from a repair
    cluster(database, old, Rules())
    # then: the id is a battle's again, and its revision went on
    assert database.execute("SELECT revision FROM battles WHERE id = %s", (alias,)).fetchone() == (2,)
