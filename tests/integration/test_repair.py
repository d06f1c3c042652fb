"""Repair after outages: the real poller, the repair handler and the real clusterer, with the internet on loopback."""

import io
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import Any

import boto3
import pytest
from rich.console import Console

from battlescope import queue
from battlescope.database import Database, LazyConnection, connect
from battlescope.http import HttpClient
from battlescope.message import unpack
from battlescope.runtime.context import Context
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.repair import repair as run_command
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest import repair as module
from ingest.cursor import Cursors
from ingest.feeds.r2z2 import R2Z2Feed
from ingest.history.days import Span
from ingest.poller import MARGIN_S, Poller
from tests.support.clock import FakeClock
from tests.support.dump import fingerprint
from tests.support.feeds_server import FIRST_SEQUENCE, SERVER_ERROR, FeedsServer, refused
from tests.support.history_files import listing
from tests.support.payloads import Json, esi_killmail

AGENT = "battlescope-tests/1 (contact: nobody@example.org)"
MIDNIGHT = datetime(2026, 3, 28, tzinfo=UTC).timestamp()
DAY_S = 86_400
DAYS = "2026-03-28..2026-03-30"
INTERVAL_S = 600
PER_DAY = DAY_S // INTERVAL_S


def killmail(number: int) -> Json:
    """Three days of a killmail every ten minutes, in four solar systems for an hour each."""
    return esi_killmail(1000 + number, at=MIDNIGHT + number * INTERVAL_S, system=30_000_001 + number // 6 % 4)


KILLMAILS = [killmail(number) for number in range(3 * PER_DAY)]
TWO_HOURS = range(PER_DAY + 60, PER_DAY + 72)
TWO_DAYS = range(30, 30 + 2 * PER_DAY)


@dataclass
class System:
    """BattleScope with a database of its own: feed, queue, clusterer."""

    db_url: str
    database: Database
    queue_url: str
    server: FeedsServer
    time: FakeClock

    def poll(self, seconds: float = 300) -> None:
        """Read the live feed for so long, and cluster what came."""
        end = self.time.now + seconds + MARGIN_S
        connection = LazyConnection(self.db_url)
        http = HttpClient(AGENT, clock=self.time.clock)
        Poller(
            R2Z2Feed(http, base_url=self.server.url, lookback=self.server.newest - FIRST_SEQUENCE),
            Cursors(connection),
            lambda messages: queue.send(self.queue_url, messages),
            clock=self.time.time,
            nap=self.time.sleep,
        ).run("poller", lambda: end - self.time.now)
        http.close()
        connection.close()
        self.drain()

    def drain(self) -> int:
        """Cluster what is in the queue; how many killmails that were."""
        sqs = boto3.client("sqs")
        killmails = 0
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                arrived = unpack(message["Body"]).killmails
                cluster(self.database, arrived, Rules())
                killmails += len(arrived)
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return killmails

    def completeness(self) -> dict[str, tuple[int, int, int, int]]:
        rows = self.database.execute(
            "SELECT day::text, expected, held, missing_sent, unobtainable FROM day_completeness ORDER BY day"
        )
        return {day: tuple(counts) for day, *counts in rows}

    def open_holes(self) -> int:
        row = self.database.execute("SELECT count(*) FROM feed_holes WHERE closed_at IS NULL").fetchone()
        assert row is not None
        return int(row[0])

    def drop_values(self) -> None:
        """Forget values, and what is told from them: those of the live feed and estimates differ."""
        self.database.execute("UPDATE killmails SET isk_value = NULL, valued_at = 0")
        self.database.execute("UPDATE battle_killmails SET isk_value = NULL")
        self.database.execute("UPDATE battles SET total_isk_destroyed = 0, evidence = NULL")
        self.database.execute("UPDATE battle_killmails SET side_id = 0")
        self.database.execute("UPDATE battle_participants SET side_id = 0")
        self.database.execute("DELETE FROM battle_sides")


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


def publish(server: FeedsServer, without: range = range(0)) -> None:
    """The live feed, which has no files for some killmails; history and ESI have all of them."""
    for number, one in enumerate(KILLMAILS):
        if number in without:
            server.leave_out()
            server.archive(one)
        else:
            server.publish(one, uploaded_at=MIDNIGHT)


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


def without_values(system: System) -> dict[str, str]:
    system.drop_values()
    return {f"{table} without values": rows for table, rows in fingerprint(system.database).items()}


def test_two_hours_whose_files_come_late_leave_no_trace(
    system: System, server: FeedsServer, repair: Callable[..., Any], control: dict[str, str]
) -> None:
    publish(server, without=TWO_HOURS)
    system.poll()
    assert system.open_holes()
    for number in TWO_HOURS:
        server.fill(FIRST_SEQUENCE + number, KILLMAILS[number])

    answer = repair()
    system.drain()

    assert (answer["done"], answer["sent"], system.open_holes()) == (True, len(TWO_HOURS), 0)
    # the time of the upload is another one: values are equal, when they were told is not
    system.database.execute("UPDATE killmails SET valued_at = %s", (int(MIDNIGHT),))
    assert fingerprint(system.database).items() <= control.items()


@pytest.mark.parametrize(
    ("outage", "asked"),
    [(TWO_HOURS, "/killmails/"), (TWO_DAYS, "/history/raw/")],
    ids=["two hours", "two days"],
)
def test_what_the_feed_never_had_comes_from_history(
    system: System,
    server: FeedsServer,
    repair: Callable[..., Any],
    control: dict[str, str],
    outage: range,
    asked: str,
) -> None:
    server.prices = [{"type_id": 11129, "average_price": 250.0}, {"type_id": 1405, "average_price": 4.5}]
    system.database.execute("INSERT INTO type_prices (type_id, price) VALUES (11129, 250), (1405, 4.5)")
    publish(server, without=outage)
    system.poll()

    answer = repair()
    system.drain()

    assert (answer["done"], answer["sent"]) == (True, len(outage))
    assert server.asked(asked)
    estimated = system.database.execute(
        "SELECT count(*), min(isk_value), max(isk_value) FROM killmails WHERE valued_at = 0"
    ).fetchone()
    assert estimated == (len(outage), 255, 255)  # the ship and one item: 254.50, rounded
    assert without_values(system).items() <= control.items()

    # what arrived is for the next run to tell
    assert not {expected for expected, held, *_ in system.completeness().values()} - {PER_DAY}
    again = repair()
    assert (again["sent"], system.drain()) == (0, 0)
    assert system.completeness() == dict.fromkeys(
        ("2026-03-28", "2026-03-29", "2026-03-30"), (PER_DAY, PER_DAY, 0, 0)
    )


def test_a_service_that_was_away_beyond_the_feed_s_retention(
    system: System, server: FeedsServer, repair: Callable[..., Any], control: dict[str, str]
) -> None:
    for one in KILLMAILS[:30]:
        server.publish(one, uploaded_at=MIDNIGHT)
    system.poll()
    for one in KILLMAILS[30:]:
        server.publish(one, uploaded_at=MIDNIGHT)
    server.forget_before(FIRST_SEQUENCE + 30 + 2 * PER_DAY)
    system.poll()
    assert system.open_holes() == 1

    assert repair()["sent"] == 2 * PER_DAY
    system.drain()

    assert without_values(system).items() <= control.items()


def test_holes_are_closed_once_their_days_are_complete(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server, without=TWO_HOURS)
    system.poll()
    system.database.execute("UPDATE feed_holes SET noted_at = '2026-03-30T12:00:00Z'")

    assert repair()["holes_closed"] == 0  # what was sent may not have arrived
    system.drain()
    assert repair()["holes_closed"] > 0
    assert system.open_holes() == 0


def test_an_id_under_two_days_is_fetched_once(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server, without=range(PER_DAY - 1, PER_DAY))
    system.poll()
    server.placed["/history/20260329.json"] = listing(KILLMAILS[PER_DAY - 1 : 2 * PER_DAY])

    assert repair()["sent"] == 1
    assert system.drain() == 1
    repair()

    assert system.completeness()["2026-03-28"] == (PER_DAY, PER_DAY, 0, 0)
    assert system.completeness()["2026-03-29"] == (PER_DAY + 1, PER_DAY + 1, 0, 0)


def test_what_nobody_has_is_asked_for_once(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server)
    system.poll()
    server.placed["/history/20260329.json"] = listing([*KILLMAILS[PER_DAY : 2 * PER_DAY], esi_killmail(7)])

    assert repair()["done"]
    assert system.completeness()["2026-03-29"] == (PER_DAY + 1, PER_DAY, 0, 1)
    assert len(server.asked("/killmails/7/")) == 1
    reasons = system.database.execute("SELECT killmail_id, reason FROM rejected_killmails").fetchall()
    assert [(killmail_id, "no such killmail" in reason) for killmail_id, reason in reasons] == [(7, True)]

    repair()
    assert len(server.asked("/killmails/7/")) == 1


def test_late_killmails_make_a_day_due_again(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server)
    system.poll()
    repair()
    scheduled = Context("repair", 120, Event())
    before = len(server.requests)
    module.handler({}, scheduled)
    assert [request.path for request in server.requests[before:]] == ["/history/totals.json"]

    server.archive(esi_killmail(5000, at=MIDNIGHT + DAY_S + 30))
    answer = module.handler({}, Context("repair", 120, Event()))

    assert [day["day"] for day in answer["days"]] == ["2026-03-29"]
    assert (answer["sent"], system.drain()) == (1, 1)


def test_a_run_without_time_leaves_the_rest_to_the_next(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server, without=TWO_HOURS)
    system.poll()

    assert repair(remaining_s=module.MARGIN_S - 1) == {
        "days": [],
        "sent": 0,
        "holes_closed": 0,
        "error": None,
        "done": False,
    }
    assert repair()["sent"] == len(TWO_HOURS)


def test_one_command_checks_no_day_twice(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server, without=TWO_HOURS)
    system.poll()
    since = datetime.now(UTC).isoformat()

    assert repair(checked_before=since)["sent"] == len(TWO_HOURS)
    assert repair(checked_before=since)["days"] == []  # although nothing has drained yet


def test_one_repair_at_a_time(system: System, server: FeedsServer, repair: Callable[..., Any]) -> None:
    publish(server)
    system.database.execute(
        "INSERT INTO leases VALUES ('repair', 'another', now() + interval '1 minute', NULL)"
    )
    assert repair() == {"done": False, "error": module.NOT_NOW}
    assert server.requests == []

    system.database.execute("UPDATE leases SET expires_at = now() - interval '1 second'")  # it died
    assert repair()["sent"] == len(KILLMAILS)


def test_r2z2_is_not_asked_before_it_said(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server)
    server.always("/history/", refused(429, "3600"))

    assert "ask again in 3600 s" in repair()["error"]
    server.calm()
    assert repair() == {"done": False, "error": module.NOT_NOW}
    assert len(server.requests) == 1

    system.database.execute("UPDATE leases SET not_before = now()")
    assert repair()["done"]


def test_a_failure_of_r2z2_is_tried_again_a_few_times(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server, without=TWO_HOURS)
    system.poll()
    server.script("/history/totals.json", SERVER_ERROR)
    assert repair()["sent"] == len(TWO_HOURS)

    server.always("/history/totals.json", SERVER_ERROR)
    before = len(server.asked("/history/totals.json"))
    assert "answered 500" in repair()["error"]
    assert 1 < len(server.asked("/history/totals.json")) - before <= 4


def test_a_day_whose_list_is_none_does_not_stop_the_others(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server, without=TWO_HOURS)
    system.poll()
    server.placed["/history/20260330.json"] = b"<html>"

    answer = repair()

    assert (answer["done"], answer["sent"]) == (False, len(TWO_HOURS))
    assert [day["day"] for day in answer["days"]] == ["2026-03-29", "2026-03-28"]


def test_a_killmail_that_cannot_be_read_is_kept_with_its_reason(
    system: System, server: FeedsServer, repair: Callable[..., Any]
) -> None:
    publish(server, without=TWO_DAYS)
    system.poll()
    broken = {**KILLMAILS[PER_DAY], "attackers": []}
    day = KILLMAILS[PER_DAY : 2 * PER_DAY]
    server.placed["/history/raw/20260329.json"] = json.dumps(
        {str(one["killmail_id"]): one for one in [broken, *day[1:]]}
    ).encode()

    assert repair()["sent"] == len(TWO_DAYS) - 1

    row = system.database.execute("SELECT killmail_id, reason FROM rejected_killmails").fetchone()
    assert row is not None
    assert row[0] == broken["killmail_id"]
    assert row[1].startswith(f"raw/20260329.json, killmail {row[0]}: attackers")
    assert system.completeness()["2026-03-29"][3] == 1


@pytest.mark.usefixtures("repair")
def test_the_command_repairs_until_it_is_done(
    system: System, server: FeedsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server, without=TWO_HOURS)
    system.poll()
    # each invocation has time for one day
    remaining = iter([100.0, 100.0, 100.0, 100.0, -1.0] * 20)
    monkeypatch.setattr(module, "_remaining_s", lambda _: next(remaining))
    printed = io.StringIO()

    code = run_command(Span.parse(DAYS), stop=Event(), console=Console(file=printed))

    assert code == 0
    days = [line.partition(":")[0] for line in printed.getvalue().splitlines()[:-1]]
    assert sorted(days) == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert "2026-03-29: 132 of 144 held, 12 sent, 0 not to be had" in printed.getvalue()
    assert printed.getvalue().endswith("sent 12 killmails; holes closed: 0\n")
    assert system.drain() == len(TWO_HOURS)

    server.always("/history/", refused(403))
    printed = io.StringIO()
    assert run_command(None, stop=Event(), console=Console(file=printed)) == 1
    assert "answered 403" in printed.getvalue()
