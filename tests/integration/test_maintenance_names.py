"""Names from ESI on loopback: batches, halving, limits and failures, age, and going on where time ran out."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from battlescope.database import Database, LazyConnection, connect
from battlescope.errors import FeedError
from battlescope.esi import Esi, EsiUnavailableError
from battlescope.http import HttpClient
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from cluster.maintenance import naming
from cluster.maintenance.naming import Naming
from cluster.maintenance.store.names import Name, save_names
from tests.support.answers import BAD_GATEWAY, PAGE, Answer, refused
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer
from tests.support.killmails import kill, pilot
from tests.support.waiting import wait_until

PATH = "/universe/names"


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(time: FakeClock) -> Iterator[FeedsServer]:
    with FeedsServer(now=time.time) as running:
        yield running


type Run = Callable[..., Naming]


@pytest.fixture
def run(connection: LazyConnection, server: FeedsServer, time: FakeClock) -> Iterator[Run]:
    """One invocation of `seconds`; by its answer's `is_done` as the last of `answers`."""
    http = HttpClient("battlescope-tests/1 (contact: nobody@example.org)", clock=time.clock)

    def invoke(seconds: float = 600.0, *, is_done: bool = True) -> Naming:
        end = time.now + seconds
        one = Naming(
            connection, Esi(http, server.url), time.clock, timedelta(days=30), lambda: end - time.now
        )
        assert one.run() is is_done
        return one

    yield invoke
    http.close()


def names(database: Database) -> dict[int, str]:
    return dict(database.execute("SELECT id, name FROM names").fetchall())


def store(database: Database, *numbers: int) -> set[int]:
    """A killmail for each pair of pilots (alliance and corporation are of their own); everybody's ids."""
    killmails = [
        kill(100 + n, 3600 * n, pilot(2 * n, alliance=99_000_000 + n), pilot(2 * n + 1)) for n in numbers
    ]
    cluster(database, killmails, Rules())
    return {
        id_
        for killmail in killmails
        for someone in (killmail.victim, *killmail.attackers)
        for id_ in someone[:3]
    } - {0}


def test_everybody_on_killmails_gets_a_name_once(database: Database, server: FeedsServer, run: Run) -> None:
    ids = store(database, 1, 2, 3)
    server.names = {id_: f"name of {id_}" for id_ in ids}
    assert run().resolved == len(ids)
    assert names(database) == server.names
    assert len(server.requests) == 1
    # and: what is known is not asked again
    assert run().resolved == 0
    assert len(server.requests) == 1
    # and: who comes later is, also on a killmail that is older than all that were looked at
    late = store(database, 0)
    server.names |= {id_: f"name of {id_}" for id_ in late}
    assert run().resolved == len(late)


def test_no_killmails(run: Run, server: FeedsServer) -> None:
    assert run().resolved == 0
    assert server.requests == []


def test_one_id_that_does_not_resolve_costs_nobody_else_the_name(
    database: Database, server: FeedsServer, run: Run
) -> None:
    ids = store(database, *range(1, 60))
    server.names = {id_: f"name of {id_}" for id_ in ids - {90_000_013, 99_000_007}}
    assert run().resolved == len(ids) - 2
    assert names(database) == server.names
    assert database.execute("SELECT id FROM unresolvable_names ORDER BY 1").fetchall() == [
        (90_000_013,),
        (99_000_007,),
    ]
    # halving finds two of hundreds in a few requests
    assert len(server.requests) < 40
    # and: they are not asked for again, until they are old
    before = len(server.requests)
    run()
    assert len(server.requests) == before
    database.execute("UPDATE unresolvable_names SET asked_at = now() - interval '31 days'")
    server.names[90_000_013] = "found after all"
    assert run().resolved == 1
    assert names(database)[90_000_013] == "found after all"
    assert database.execute("SELECT id FROM unresolvable_names").fetchall() == [(99_000_007,)]


def test_a_request_has_a_thousand_different_ids_at_most(
    database: Database, server: FeedsServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "KILLMAILS_AT_ONCE", 150)
    ids = store(database, *range(1, 400)) | store(database, *range(400, 450))
    server.names = dict.fromkeys(ids, "x")
    assert run().resolved == len(ids)
    asked: list[list[int]] = [json.loads(request.posted) for request in server.requests]
    assert [len(batch) for batch in asked] == [1000, 1000, len(ids) - 2000]
    assert sorted(id_ for batch in asked for id_ in batch) == sorted(ids)
    # the newest killmails' first
    assert min(id_ for id_ in asked[0] if id_ < 98_000_000) > max(id_ for id_ in asked[2] if id_ < 98_000_000)


def test_an_old_name_is_asked_for_again(database: Database, server: FeedsServer, run: Run) -> None:
    ids = store(database, 1)
    server.names = {id_: f"name of {id_}" for id_ in ids}
    run()
    database.execute("UPDATE names SET resolved_at = now() - interval '31 days'")
    server.names[99_000_001] = "Renamed"
    del server.names[90_000_002]  # gone from ESI: it keeps the last name it had
    assert run().resolved == len(ids) - 1
    assert names(database) == server.names | {90_000_002: "name of 90000002"}
    assert database.execute("SELECT count(*) FROM unresolvable_names").fetchone() == (0,)
    assert run().resolved == 0


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        (refused(429, "7"), 7),
        (Answer(420, {"X-ESI-Error-Limit-Reset": "33"}, b"{}"), 33),
        (BAD_GATEWAY, 1),
        (PAGE, 1),
    ],
)
def test_a_limit_or_a_failure_is_waited_for(
    database: Database, server: FeedsServer, time: FakeClock, run: Run, answer: Answer, wait_s: float
) -> None:
    ids = store(database, 1)
    server.names = dict.fromkeys(ids, "x")
    server.script(PATH, answer)
    before = time.now
    assert run().resolved == len(ids)
    assert time.now - before == pytest.approx(wait_s, abs=1)
    assert len(server.requests) == 2


def test_a_limit_longer_than_there_is_time_is_left_to_the_next_invocation(
    database: Database, server: FeedsServer, time: FakeClock, run: Run
) -> None:
    ids = store(database, 1)
    server.names = dict.fromkeys(ids, "x")
    server.script(PATH, refused(429, "900"))
    before = time.now
    run(600, is_done=False)
    assert time.now - before < 1
    time.sleep(900)
    assert run().resolved == len(ids)


def test_a_service_that_is_away_ends_the_run(database: Database, server: FeedsServer, run: Run) -> None:
    store(database, 1)
    server.always(PATH, BAD_GATEWAY)
    with pytest.raises(EsiUnavailableError, match="502"):
        run()
    assert len(server.requests) == 5


def test_an_answer_that_holds_no_names_ends_the_run(
    database: Database, server: FeedsServer, run: Run
) -> None:
    store(database, 1)
    server.script(PATH, Answer(200, body=b'[{"id": 1}]'))
    with pytest.raises(FeedError, match=r"0\.category"):
        run()
    assert names(database) == {}


def test_what_there_was_no_time_for_comes_next(
    database: Database, server: FeedsServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "KILLMAILS_AT_ONCE", 10)
    monkeypatch.setattr(naming, "STRETCHES_HELD", 1)
    ids = store(database, *range(1, 100))
    server.names = dict.fromkeys(ids, "x")
    run(0.05, is_done=False)  # the second request would start a tenth of a second after the first
    first = names(database)
    assert set(range(90_000_180, 90_000_200)) <= first.keys() < ids
    # given: newer killmails in between
    newer = store(database, *range(200, 205))
    server.names |= dict.fromkeys(newer, "x")
    # when
    run(0.05, is_done=False)
    assert newer <= names(database).keys()
    run()
    # then: nobody was asked for twice
    assert names(database) == server.names
    assert len(server.requests) <= 12


def test_names_are_kept_beside_the_counting_of_activity(db_url: str, database: Database) -> None:
    save_names(database, [Name(id_, "alliance", "before") for id_ in (10, 20)], [])
    with connect(db_url) as counting, connect(db_url) as keeping, ThreadPoolExecutor(1) as other:
        with counting.transaction():
            counting.execute("SELECT FROM names WHERE id = 10 FOR NO KEY UPDATE")
            # when: one above it was found again, and it was not
            kept = other.submit(
                in_transaction, keeping, lambda: save_names(keeping, [Name(20, "alliance", "after")], [10])
            )
            wait_until(lambda: is_waiting(database, keeping), 10)
            # then: what comes next in the order is still to be had
            counting.execute("SELECT FROM names WHERE id = 20 FOR NO KEY UPDATE NOWAIT")
        kept.result()
    assert names(database) == {10: "before", 20: "after"}


def in_transaction(connection: Database, work: Callable[[], None]) -> None:
    with connection.transaction():
        work()


def is_waiting(database: Database, connection: Database) -> bool:
    row = database.execute(
        "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", (connection.info.backend_pid,)
    ).fetchone()
    return row == (True,)
