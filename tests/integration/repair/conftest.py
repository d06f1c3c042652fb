"""A BattleScope to be repaired, and one that had no outage."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from threading import Event
from typing import Any

import boto3
import pytest

from battlescope.database import connect
from battlescope.http import HttpClient
from battlescope.runtime.context import Context
from battlescope_local.embedded_postgres import EmbeddedPostgres
from ingest import repair as module
from tests.integration.repair.outage import AGENT, DAY_S, DAYS, MIDNIGHT, System, publish
from tests.support.clock import FakeClock
from tests.support.dump import fingerprint
from tests.support.feeds_server import FeedsServer


@pytest.fixture
def time() -> FakeClock:
    return FakeClock(MIDNIGHT + 3 * DAY_S + 3600)


@pytest.fixture
def server(time: FakeClock) -> Iterator[FeedsServer]:
    with FeedsServer(now=time.time) as running:
        yield running


@pytest.fixture
def make_system(
    postgres: EmbeddedPostgres,
    in_process_sqs: None,  # noqa: ARG001 - queues are made in it
    server: FeedsServer,
    time: FakeClock,
) -> Iterator[Callable[[], System]]:
    made: list[System] = []

    def make() -> System:
        name = f"repair_{uuid.uuid4().hex}"
        with connect(postgres.url("postgres")) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template_battlescope")
        url = postgres.url(name)
        queue_url = boto3.client("sqs").create_queue(
            QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"}
        )["QueueUrl"]
        made.append(System(url, connect(url), queue_url, server, time))
        return made[-1]

    yield make
    for system in made:
        system.database.close()


@pytest.fixture
def system(make_system: Callable[[], System]) -> System:
    return make_system()


@pytest.fixture
def repair(
    system: System, server: FeedsServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Invokes the handler with an event."""
    for name, value in {
        "DB_URL": system.db_url,
        "QUEUE_URL": system.queue_url,
        "ZKB_USERAGENT": AGENT,
        "R2Z2_URL": server.url,
        "ESI_URL": server.url,
        "HISTORY_REQUESTS_PER_SECOND": "10",
        "HISTORY_WAIT_MAX_S": "2",
        "REPAIR_ESI_MAX": "20",
    }.items():
        monkeypatch.setenv(name, value)
    module.environment.cache_clear()
    client = partial(HttpClient, clock=system.time.clock)
    monkeypatch.setattr(module, "HttpClient", client)
    monkeypatch.setattr("ingest.history.sources.HttpClient", client)

    def invoke(remaining_s: float = 120, **event: str) -> dict[str, Any]:
        answer = module.handler({"days": DAYS} | event, Context("repair", remaining_s, Event()))
        return dict(answer)

    yield invoke
    if module.environment.cache_info().currsize:
        module.environment().connection.close()
    module.environment.cache_clear()


@pytest.fixture
def control(make_system: Callable[[], System], time: FakeClock) -> dict[str, str]:
    """What a run without an outage ends in."""
    with FeedsServer(now=time.time) as whole:
        publish(whole)
        system = make_system()
        system.server = whole
        system.poll()
        ended_in = fingerprint(system.database)
        system.drop_values()
        return {
            f"{table} without values": rows for table, rows in fingerprint(system.database).items()
        } | ended_in
