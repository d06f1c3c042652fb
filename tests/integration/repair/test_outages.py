"""After an outage of the feed, one repair restores what a run without it holds."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.repair.outage import (
    KILLMAILS,
    MIDNIGHT,
    PER_DAY,
    TWO_DAYS,
    TWO_HOURS,
    System,
    publish,
    without_values,
)
from tests.support.dump import fingerprint
from tests.support.feeds_server import FIRST_SEQUENCE, FeedsServer
from tests.support.history_files import listing


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
