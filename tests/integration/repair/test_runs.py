"""One run of repair: what it asks, of whom, and what it leaves to the next."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from battlescope.runtime.context import Context
from battlescope_local.repair import repair as run_command
from ingest import repair as module
from ingest.history.days import Span
from tests.integration.repair.outage import (
    DAY_S,
    DAYS,
    KILLMAILS,
    MIDNIGHT,
    PER_DAY,
    TWO_DAYS,
    TWO_HOURS,
    System,
    publish,
)
from tests.support.answers import SERVER_ERROR, refused
from tests.support.feeds_server import FeedsServer
from tests.support.history_files import listing
from tests.support.payloads import esi_killmail


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
