"""Every handler under Lambda's real runtime interface emulator: one real event each, against real servers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from battlescope.database import connect
from battlescope.migrate import newest_version
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.ports import free_port
from tests.support.feeds_server import FeedsServer
from tests.support.lambda_runtime import LambdaRuntime, Package
from tests.support.payloads import esi_killmail

EVENTS = Path(__file__).resolve().parents[1] / "events"

type Start = Callable[..., LambdaRuntime]


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedQueue]:
    server = EmbeddedQueue(tmp_path_factory.mktemp("queue"), port=free_port())
    with pytest.MonkeyPatch.context() as patch:
        for name in server.environment():
            patch.setenv(name, "")  # what the server sets is undone
        server.start()
        yield server
        server.stop()


@pytest.fixture
def start(package: Package, db_url: str, sqs: EmbeddedQueue, tmp_path: Path) -> Iterator[Start]:
    """Starts a function with the settings that a deployment gives it."""
    running: list[LambdaRuntime] = []

    def start(handler: str, *, timeout_s: int = 30, **settings: str) -> LambdaRuntime:
        environment = {"DB_URL": db_url, **sqs.environment(), **settings}
        function = LambdaRuntime(
            handler, package, environment, timeout_s=timeout_s, log=tmp_path / f"{handler}.log"
        )
        running.append(function)
        return function.__enter__()

    yield start
    for function in running:
        function.__exit__(None, None, None)


def outside(server: FeedsServer) -> dict[str, str]:
    """Settings that lead to the feeds' server on loopback."""
    return {
        "R2Z2_URL": server.url,
        "ESI_URL": server.url,
        "ZKB_USERAGENT": "battlescope tests (nobody@example.invalid)",
    }


def test_migrate(start: Start, postgres: EmbeddedPostgres) -> None:
    with connect(postgres.url("postgres")) as admin:
        admin.execute("CREATE DATABASE rie_migrate")
    function = start("migrate.handler.handler", DB_URL=postgres.url("rie_migrate"))
    assert len(function.invoke(event("migrate_by_hand"))["applied"]) == newest_version()
    assert function.invoke(event("migrate_by_hand")) == {"applied": [], "loaded": []}


def test_ingest(start: Start) -> None:
    with FeedsServer([esi_killmail(number) for number in range(1, 31)]) as server:
        function = start("ingest.handler.handler", timeout_s=22, R2Z2_LOOKBACK="30", **outside(server))
        answer = function.invoke(event("ingest_scheduled"))
    assert answer == {"ingested": 30, "rejected": 0, "drained": False}
    (counted,) = [line for line in function.printed() if "PollerRuns" in line]
    assert sum(counted["KillmailsIngested"]) == 30
    assert [line["function_name"] for line in function.printed() if "ColdStart" in line] == ["ingest"]


def test_cluster_and_api(start: Start) -> None:
    clusterer, api = start("cluster.handler.handler"), start("api.handler.handler")
    for _ in range(2):  # a message that comes twice changes nothing
        assert clusterer.invoke(event("cluster_killmails")) == {"batchItemFailures": []}
    first = next(line for line in clusterer.printed() if line.get("message") == "clustered")
    (record,) = event("cluster_killmails")["Records"]
    assert first["message_ids"] == [record["messageId"]]

    request = event("api_battles")
    request["rawQueryString"] = ""
    answer = api.invoke(request)
    assert answer["statusCode"] == 200
    battles = json.loads(answer["body"])["items"]
    assert [battle["id"] for battle in battles] == first["battle_ids"]
    assert sorted(
        json.loads(record["body"])["killmails"][n][0] for n in range(battles[0]["total_kills"])
    ) == (sorted(first["killmail_ids"]))


def test_a_message_that_is_poison(start: Start, sqs: EmbeddedQueue) -> None:
    function = start("cluster.handler.handler")
    poison = event("cluster_killmails")
    poison["Records"][0]["body"] = "no killmails"
    assert function.invoke(poison) == {"batchItemFailures": []}
    (letter,) = [line for line in function.printed() if line.get("message") == "dead letter"]
    assert letter["reason"].startswith("not a message of references")
    assert any("MessagesDeadLettered" in line for line in function.printed())
    assert sqs.is_running


def test_repair(start: Start) -> None:
    with FeedsServer() as server:
        for number in range(1, 4):
            server.archive(esi_killmail(number))
        function = start(
            "ingest.repair.handler", HISTORY_REQUESTS_PER_SECOND="10", REPAIR_DAYS="2", **outside(server)
        )
        answer = function.invoke(event("repair_scheduled"))
    assert (answer["done"], answer["error"]) == (True, None)


@pytest.mark.parametrize("asked", ["maintenance_scheduled", "maintenance_recluster"])
def test_maintenance(start: Start, asked: str) -> None:
    with FeedsServer() as server:
        function = start("cluster.maintenance.handler.handler", timeout_s=60, **outside(server))
        answer = function.invoke(event(asked))
    assert answer["done"], answer
    assert "recluster" in answer["steps"]


def test_a_wrong_setting_is_named(start: Start) -> None:
    function = start("api.handler.handler", FEED_STALE_MINUTES="soon")
    answer = function.invoke(event("api_battles"))
    assert answer["errorType"] == "SettingsError"
    assert answer["errorMessage"].startswith("FEED_STALE_MINUTES (")
