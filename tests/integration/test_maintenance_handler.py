"""The maintenance handler as a schedule calls it, and the command that calls it by hand."""

import io
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from battlescope.database import Database, LazyConnection
from battlescope.errors import DatabaseError, MessageError, SettingsError
from battlescope.lease import Leases
from battlescope.runtime.context import Context
from battlescope_local.maintain import maintain
from cluster.clusterer import cluster
from cluster.engine.battle import battle_id
from cluster.engine.rules import Rules
from cluster.maintenance import handler as module
from cluster.maintenance.reclustering import Window
from cluster.maintenance.steps import TAKEN, RemainingS, Report, Step, run_steps
from tests.support.answers import BAD_GATEWAY
from tests.support.feeds_server import FeedsServer
from tests.support.killmails import NOON, kill, pilot
from tests.support.skirmish import skirmish

TAMA = 30_002_813


@pytest.fixture
def server() -> Iterator[FeedsServer]:
    with FeedsServer() as running:
        running.prices = [{"type_id": 587, "average_price": 400_000.0, "adjusted_price": 390_000.0}]
        yield running


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch, db_url: str, server: FeedsServer) -> Iterator[Any]:
    for name, value in {
        "DB_URL": db_url,
        "ESI_URL": server.url,
        "ZKB_USERAGENT": "battlescope-tests/1 (contact: nobody@example.org)",
    }.items():
        monkeypatch.setenv(name, value)
    module.environment.cache_clear()
    yield module.handler
    module.environment().connection.close()
    module.environment.cache_clear()


def context(timeout_s: float = 300.0) -> Any:
    return Context("maintenance", timeout_s, Event())


def everybody(database: Database) -> dict[int, str]:
    rows = database.execute(
        """
        SELECT unnest(attackers[1:3]) FROM killmails
        UNION SELECT unnest(ARRAY[victim_character_id, victim_corporation_id, victim_alliance_id]) FROM killmails
        """
    )
    return {row[0]: f"name of {row[0]}" for row in rows if row[0]}


def test_a_scheduled_invocation_does_all_that_is_due(
    handler: Any, database: Database, server: FeedsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: killmails of 2021 and of today, stored under other rules
    monkeypatch.setenv("RETENTION_MONTHS", "2")
    now = int(datetime.now(UTC).timestamp()) - NOON
    cluster(database, skirmish(), Rules(min_kills=9))
    cluster(
        database,
        [kill(50, now - 60, pilot(50), pilot(51)), kill(51, now - 30, pilot(52), pilot(51))],
        Rules(min_kills=9),
    )
    server.names = everybody(database)
    # when
    answer = handler({"source": "aws.scheduler"}, context())
    # then
    analyzed = answer["steps"]["tables"].pop("analyzed")
    assert isinstance(analyzed, list)
    assert answer == {
        "steps": {
            "restored": {"renewed": 0, "done": True},
            "recluster": {"killmails": 5, "changed": 2, "removed": 0, "done": True},
            "retention": {"killmails": 3, "battles": 1, "done": True},
            "names": {"resolved": 6, "done": True},
            "activity": {"changed": 0, "done": True},
            "prices": {"types": 1, "done": True},
            "verify": {"battles": 2, "different": 0, "done": True},
            "tables": {"rebuilt": [], "done": True},
        },
        "done": True,
    }
    # and: the next one finds next to nothing
    assert handler({}, context())["steps"]["recluster"] == {"done": True}
    assert database.execute("SELECT count(*) FROM leases WHERE owner IS NOT NULL").fetchone() == (0,)


def test_what_differs_is_counted(
    handler: Any, database: Database, server: FeedsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster(database, skirmish(), Rules())
    server.names = everybody(database)
    handler({}, context())
    database.execute("UPDATE battles SET losses = losses + 1")
    capsys.readouterr()
    assert handler({}, context())["steps"]["verify"]["different"] == 1
    assert '"BattlesDifferent":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_service_that_fails_keeps_no_other_step_from_running(
    handler: Any, database: Database, server: FeedsServer
) -> None:
    cluster(database, skirmish(), Rules())
    server.always("/universe/names", BAD_GATEWAY)
    server.always("/markets/prices", BAD_GATEWAY)
    answer = handler({}, context(30.0))
    assert not answer["done"]
    assert {name for name, report in answer["steps"].items() if report["done"]} == {
        "restored",
        "recluster",
        "retention",
        "activity",
        "verify",
        "tables",
    }


def test_battles_are_made_anew_when_asked_for(handler: Any, database: Database) -> None:
    cluster(database, skirmish(), Rules())
    handler({"recluster": "everything"}, context())
    database.execute("UPDATE battles SET losses = losses + 1")
    day = str(datetime.fromtimestamp(NOON, UTC).date())
    outside = handler({"recluster": {"first": "2021-11-27", "last": "2021-11-28"}}, context())
    assert outside["steps"]["recluster"] == {"killmails": 0, "changed": 0, "removed": 0, "done": True}
    within = handler({"recluster": {"first": day, "last": day}}, context())
    assert within["steps"] == {"recluster": {"killmails": 3, "changed": 1, "removed": 0, "done": True}}
    # and: everything once more, although nothing is due
    again = handler({"recluster": "everything"}, context())
    assert again["steps"]["recluster"] == {"killmails": 3, "changed": 0, "removed": 0, "done": True}


@pytest.mark.parametrize(
    "asked", ["all", {"first": "2021-11-27"}, {"first": "2021-11-28", "last": "2021-11-27"}, 5]
)
def test_an_event_that_asks_for_what_there_is_not(handler: Any, asked: object) -> None:
    with pytest.raises(MessageError, match="recluster is `everything`, or `first` and `last` day"):
        handler({"recluster": asked}, context())


def test_without_time_nothing_is_done_and_nothing_lost(
    handler: Any, database: Database, server: FeedsServer
) -> None:
    cluster(database, skirmish(), Rules())
    assert not handler({}, context(module.MARGIN_S))["done"]
    server.names = everybody(database)
    assert handler({}, context())["done"]


@pytest.fixture
def leases(db_url: str) -> Iterator[Leases]:
    connection = LazyConnection(db_url)
    yield Leases(connection)
    connection.close()


def step(name: str, run: Callable[[RemainingS], Report]) -> Step:
    return Step(name, run)


def test_a_step_that_another_run_is_at_is_left_to_it(leases: Leases) -> None:
    leases.acquire("maintenance one", "another", 60)
    done: list[str] = []

    def run(_: RemainingS) -> Report:
        done.append("two")
        return {"done": True}

    reports = run_steps([step("one", run), step("two", run)], leases, "us", lambda: 10.0)
    assert reports == {"one": {"done": False, "error": TAKEN}, "two": {"done": True}}
    assert done == ["two"]


def test_steps_share_the_time_and_what_one_leaves_the_others_have(leases: Leases) -> None:
    left = 90.0
    shares: list[float] = []

    def quick(remaining_s: RemainingS) -> Report:
        shares.append(remaining_s())
        return {"done": True}

    def slow(remaining_s: RemainingS) -> Report:
        nonlocal left
        shares.append(remaining_s())
        left -= remaining_s()
        assert remaining_s() == 0
        return {"done": False}

    run_steps([step("1", slow), step("2", quick), step("3", slow)], leases, "us", lambda: left)
    assert shares == [30, 30, 60]


def test_a_step_that_fails_gives_its_lease_back_and_the_next_runs(leases: Leases) -> None:
    def fail(_: RemainingS) -> Report:
        raise ValueError("no such thing")

    steps = [step("1", fail), step("2", lambda _: {"done": True})]
    reports = run_steps(steps, leases, "us", lambda: 10.0)
    assert reports == {"1": {"done": False, "error": "ValueError: no such thing"}, "2": {"done": True}}
    assert leases.acquire("maintenance 1", "another", 1.0)


def test_a_database_that_is_away_ends_the_run(leases: Leases) -> None:
    def away(_: RemainingS) -> Report:
        raise DatabaseError("away")

    with pytest.raises(DatabaseError):
        run_steps([step("1", away)], leases, "us", lambda: 10.0)


def test_a_missing_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    module.environment.cache_clear()
    for name in [name for name in os.environ if name.upper() == "DB_URL"]:
        monkeypatch.delenv(name)
    with pytest.raises(SettingsError, match="DB_URL is not set"):
        module.handler({}, context())


def shown(run: Callable[[Console], int]) -> tuple[int, str]:
    text = io.StringIO()
    return run(Console(file=text, width=200)), text.getvalue()


@pytest.mark.usefixtures("handler")
def test_the_command_says_what_it_did(database: Database, server: FeedsServer) -> None:
    cluster(database, skirmish(), Rules(min_kills=9))
    server.names = everybody(database)
    code, text = shown(lambda console: maintain(None, everything=False, stop=Event(), console=console))
    assert code == 0
    assert "recluster: 3 killmails, 1 changed, 0 removed\n" in text
    assert "retention: nothing due\n" in text
    day = datetime.fromtimestamp(NOON, UTC).date()
    code, text = shown(
        lambda console: maintain(Window(day, day), everything=False, stop=Event(), console=console)
    )
    assert (code, text) == (0, "recluster: 3 killmails, 0 changed, 0 removed\n")
    assert database.execute("SELECT id FROM battles").fetchall() == [(battle_id(TAMA, 1),)]


@pytest.mark.usefixtures("handler")
def test_the_command_ends_where_something_stands_in_the_way(database: Database, leases: Leases) -> None:
    cluster(database, skirmish(), Rules())
    leases.acquire("maintenance recluster", "another", 60)
    code, text = shown(lambda console: maintain(None, everything=True, stop=Event(), console=console))
    assert (code, text) == (1, f"recluster: {TAKEN}\n")
