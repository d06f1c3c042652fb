"""Numbers that stay missing: passed when a higher one is known and a minute has gone by, and noted."""

import pytest

from ingest.feeds import Hole
from tests.integration.r2z2.polling import Poller, caught_up, file, gaps
from tests.support.answers import SERVER_ERROR, Answer
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail


def test_a_hole_holds_nothing_up_and_is_given_up_after_a_minute(
    poller: Poller, server: FeedsServer, time: FakeClock
) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(21))
    server.publish(esi_killmail(22))
    began = time.now
    poller.run(1)
    assert poller.ids == [21, 22]
    poller.run(58)
    assert poller.holes == []
    poller.run(10)
    assert poller.holes == [Hole(first_sequence=hole, last_sequence=hole)]
    assert all(gap > 5.999 for gap in gaps(server, hole))
    last = server.asked(file(hole))[-1]
    assert 60 <= last - began <= 68
    poller.run(30)
    assert server.asked(file(hole))[-1] == last


def test_a_hole_that_fills_late_is_read(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(40)
    server.fill(hole, esi_killmail(21))
    poller.run(60)
    assert poller.ids == [22, 21]
    assert poller.holes == []


def test_a_hole_is_as_old_as_the_knowledge_that_it_is_one(poller: Poller, server: FeedsServer) -> None:
    """A number that was 404 all night for want of kills is not old when the next kill comes (an edge's stale 404)."""
    caught_up(poller)
    poller.run(600)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(50)
    assert poller.holes == []
    server.fill(hole, esi_killmail(21))
    poller.run(10)
    assert poller.ids == [22, 21]


def test_a_hole_at_the_front_is_passed_although_sequence_json_lags(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    server.lag = 51
    hole = server.leave_out()
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]
    poller.run(70)
    assert poller.holes == [Hole(first_sequence=hole, last_sequence=hole)]


def test_two_holes_at_the_front_are_passed_when_sequence_json_tells(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    server.lag = 3
    server.leave_out(2)
    server.publish(esi_killmail(21))
    poller.run(30)
    assert poller.ids == []
    server.lag = 0
    poller.run(7)
    assert poller.ids == [21]


def test_a_long_row_that_is_missing_is_no_hole_before_it_is_a_minute_old(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    missing = server.newest + 1
    server.leave_out(300)
    server.publish(esi_killmail(500))
    poller.run(30)
    assert poller.holes == []
    for number in range(300):
        server.fill(missing + number, esi_killmail(100 + number))
    poller.run(60)
    assert sorted(poller.ids) == [*range(100, 400), 500]
    assert poller.holes == []


def test_a_sequence_json_that_runs_ahead_of_everything_does_not_stop_the_feed(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    server.script("/ephemeral/sequence.json", Answer(body=b'{"sequence": 900000000000}'))
    poller.run(30)
    server.newest += 20
    server.publish(esi_killmail(21))
    poller.run(30)
    assert poller.ids == [21]


def test_a_hole_that_is_named_as_uploaded_again_waits_its_turn(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22), sequence_updated=hole)
    poller.run(30)
    assert len(gaps(server, hole)) > 2
    assert min(gaps(server, hole)) > 5.999


def test_a_hole_is_not_given_up_for_one_failure(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(55)
    server.always(file(hole), SERVER_ERROR)
    asked = len(server.asked(file(hole)))
    poller.run(15)
    assert asked < len(server.asked(file(hole)))
    server.fill(hole, esi_killmail(21))
    server.calm()
    poller.run(10)
    assert (poller.ids, poller.holes) == ([22, 21], [])


@pytest.mark.parametrize("what", ["/ephemeral/", "/ephemeral/1"])
def test_a_hole_is_not_given_up_because_the_service_fails(
    poller: Poller, server: FeedsServer, what: str
) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(10)
    server.always(what, SERVER_ERROR)
    poller.run(900)
    assert poller.holes == []
    server.fill(hole, esi_killmail(21))
    server.calm()
    poller.run(70)
    assert (poller.ids, poller.holes) == ([22, 21], [])


def test_no_number_is_given_up_while_the_whole_service_fails(poller: Poller, server: FeedsServer) -> None:
    server.always("/ephemeral/1", SERVER_ERROR)
    poller.run(3600)
    server.calm()
    poller.run(120)
    assert sorted(poller.ids) == list(range(10, 21))
    assert poller.holes == []
