"""A service that refuses, fails, or does not answer."""

from email.utils import formatdate

import pytest

from battlescope.http import HttpClient
from ingest.feeds import Hole
from ingest.feeds.r2z2 import R2Z2Feed
from tests.integration.r2z2.polling import AGENT, Poller, caught_up, file, gaps
from tests.support.answers import BAD_GATEWAY, SERVER_ERROR, Answer, refused, slow
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail


@pytest.mark.parametrize(
    ("status", "waits"),
    [(429, [60, 120, 240, 480, 960, 1920, 3600, 3600]), (403, [300, 600, 1200, 2400, 3600, 3600])],
)
def test_a_refusal_stops_the_feed_ever_longer(
    poller: Poller, server: FeedsServer, time: FakeClock, status: int, waits: list[float]
) -> None:
    caught_up(poller)
    server.always("/ephemeral/", refused(status))
    for wait_s in waits:
        batch = poller.take(poller.poll())
        assert batch.wait_s == pytest.approx(wait_s, abs=0.5)
        assert batch.backed_off
        assert batch.error is not None
        assert str(status) in batch.error
        asked = len(server.requests)
        time.now += wait_s - 1
        batch = poller.take(poller.poll())
        assert batch.wait_s == pytest.approx(1, abs=0.5)
        assert batch.backed_off
        assert len(server.requests) == asked
        time.now += 1
    server.calm()
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]
    time.now += 10
    server.always("/ephemeral/", refused(status))
    assert poller.take(poller.poll()).wait_s == pytest.approx(waits[0], abs=0.5)


@pytest.mark.parametrize("status", [429, 403, 503])
def test_retry_after_is_honoured(poller: Poller, server: FeedsServer, time: FakeClock, status: int) -> None:
    caught_up(poller)
    server.script(
        "/ephemeral/", refused(status, "17"), refused(status, formatdate(time.now + 107, usegmt=True))
    )
    batch = poller.take(poller.poll())
    assert batch.wait_s == pytest.approx(17, abs=0.2)
    assert batch.backed_off
    time.now += 17
    assert 80 < poller.take(poller.poll()).wait_s <= 90


def test_a_retry_after_of_years_is_not_believed(poller: Poller, server: FeedsServer) -> None:
    server.script("/ephemeral/", refused(429, "99999999999"))
    assert poller.take(poller.poll()).wait_s == pytest.approx(86_400)


@pytest.mark.parametrize(
    "answer", [SERVER_ERROR, BAD_GATEWAY, Answer(420, body=b""), Answer(301, {"Location": "/"}, b"")]
)
def test_failures_are_retried_after_one_to_sixty_seconds(
    poller: Poller, server: FeedsServer, time: FakeClock, answer: Answer
) -> None:
    caught_up(poller)
    server.always("/ephemeral/", answer)
    waits = []
    for _ in range(9):
        batch = poller.take(poller.poll())
        assert not batch.backed_off
        waits.append(batch.wait_s)
        time.now += batch.wait_s
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60], abs=0.2)
    server.calm()
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]
    assert len(poller.errors) == 9
    assert (poller.holes, poller.rejected) == ([], [])


def test_a_server_that_is_away_is_a_failure_like_any_other(poller: Poller, time: FakeClock) -> None:
    with FeedsServer() as gone:
        away = Poller(gone, time)
        url = gone.url
    feed = R2Z2Feed(HttpClient(AGENT, clock=time.clock), base_url=url, lookback=10)
    batch = feed.poll(away.position, 10)
    assert batch.error is not None
    assert "no answer from http://127.0.0.1" in batch.error
    assert batch.wait_s == pytest.approx(1)
    assert poller.take(poller.poll()).error is None


def test_an_answer_that_does_not_come_is_a_failure(
    poller: Poller, server: FeedsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.feeds.r2z2.TIMEOUT_S", 0.05)
    server.script(file(server.newest - 10), slow(5))
    batch = poller.take(poller.poll())
    assert batch.error is not None
    assert "timed out" in batch.error
    poller.run(7)
    assert poller.ids == list(range(10, 21))


@pytest.mark.parametrize("answer", [SERVER_ERROR, Answer(400, body=b""), Answer(410, body=b"")])
def test_one_file_that_fails_for_ever_becomes_a_hole_and_stops_nothing(
    poller: Poller, server: FeedsServer, answer: Answer
) -> None:
    at_fault = server.newest - 5
    server.always(file(at_fault), answer)
    poller.run(60, until=lambda: len(poller.ids) == 10)
    assert poller.ids == [10, 11, 12, 13, 14, 16, 17, 18, 19, 20]
    poller.run(100)
    assert poller.holes == [Hole(first_sequence=at_fault, last_sequence=at_fault)]
    assert min(gaps(server, at_fault)[3:]) > 5.999


def test_many_files_that_fail_for_ever_stop_nothing(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    at_fault = []
    for number in range(21, 29):
        at_fault.append(server.publish(esi_killmail(number)))
        server.always(file(at_fault[-1]), SERVER_ERROR)
    server.publish(esi_killmail(29))
    poller.run(600, until=lambda: len(poller.ids) == 1)
    for number in range(30, 40):
        server.publish(esi_killmail(number))
        poller.run(10)
    poller.run(20)
    assert poller.ids == list(range(29, 40))
    poller.run(600)
    assert sorted(hole.first_sequence for hole in poller.holes) == at_fault
