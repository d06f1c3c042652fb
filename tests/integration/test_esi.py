"""Killmails from ESI on loopback, within ESI's limits."""

import json
from collections.abc import Iterator

import pytest

from battlescope.errors import KillmailError
from battlescope.esi import COMPATIBILITY_DATE, Esi, EsiUnavailableError, pause_s
from battlescope.http import HttpClient
from tests.support.answers import BAD_GATEWAY, BROKEN_JSON, CUT_OFF, PAGE, SERVER_ERROR, Answer, refused, slow
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail, killmail_hash


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(time: FakeClock) -> Iterator[FeedsServer]:
    with FeedsServer([esi_killmail(7)], now=time.time) as running:
        yield running


@pytest.fixture
def esi(server: FeedsServer, time: FakeClock) -> Iterator[Esi]:
    http = HttpClient("battlescope-tests/1 (contact: nobody@example.org)", clock=time.clock)
    yield Esi(http, server.url)
    http.close()


def unavailable(esi: Esi) -> EsiUnavailableError:
    with pytest.raises(EsiUnavailableError) as caught:
        esi.killmail(7, killmail_hash(7))
    return caught.value


def test_a_killmail_by_its_id_and_hash(esi: Esi, server: FeedsServer) -> None:
    assert json.loads(esi.killmail(7, killmail_hash(7))) == esi_killmail(7)
    [request] = server.requests
    assert request.path == f"/killmails/7/{killmail_hash(7)}"
    assert request.headers["X-Compatibility-Date"] == COMPATIBILITY_DATE
    assert "contact" in request.headers["User-Agent"]


def test_a_question_that_is_posted(esi: Esi, server: FeedsServer) -> None:
    server.names = {99000001: "Some Alliance"}
    answer = esi.post("/universe/names", [99000001])
    assert json.loads(answer.body) == [{"id": 99000001, "name": "Some Alliance", "category": "alliance"}]
    assert server.requests[0].headers["X-Compatibility-Date"] == COMPATIBILITY_DATE
    assert server.requests[0].headers["Content-Type"] == "application/json"
    # an id that does not resolve is an answer too: the asker halves its batch
    assert esi.post("/universe/names", [99000001, 5]).status == 404


def test_what_is_posted_keeps_to_the_limits_too(esi: Esi, server: FeedsServer) -> None:
    server.script("/universe/names", Answer(420, {"X-ESI-Error-Limit-Reset": "33"}, b"{}"))
    with pytest.raises(EsiUnavailableError):
        esi.post("/universe/names", [99000001])
    assert unavailable(esi).wait_s == pytest.approx(33)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("killmail_id", "status"), [(8, 404), (7, 422)])
def test_a_wrong_hash_is_not_asked_for_again(
    esi: Esi, server: FeedsServer, killmail_id: int, status: int
) -> None:
    with pytest.raises(KillmailError, match=f"answered {status}: no such killmail"):
        esi.killmail(killmail_id, killmail_hash(99))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("killmail_id", "known_hash"), [(7, "../../admin"), (7, "A" * 40), (7, ""), (-1, "a" * 40)]
)
def test_an_address_is_made_of_nothing_but_an_id_and_a_hash(
    esi: Esi, server: FeedsServer, killmail_id: int, known_hash: str
) -> None:
    with pytest.raises(KillmailError, match="no killmail has"):
        esi.killmail(killmail_id, known_hash)
    assert server.requests == []


@pytest.mark.parametrize(
    "answer", [SERVER_ERROR, BAD_GATEWAY, PAGE, BROKEN_JSON, CUT_OFF, Answer(302, {}, b"")]
)
def test_failures_are_bounded_and_ever_rarer(
    esi: Esi, server: FeedsServer, time: FakeClock, answer: Answer
) -> None:
    server.always("/killmails/", answer)
    waits = []
    for _ in range(8):
        error = unavailable(esi)
        assert not error.was_asked_for
        waits.append(error.wait_s)
        time.now += error.wait_s
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60], abs=0.2)
    server.calm()
    assert esi.killmail(7, killmail_hash(7))


def test_an_answer_that_does_not_come_is_a_failure(
    esi: Esi, server: FeedsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("battlescope.esi.TIMEOUT_S", 0.05)
    server.script("/killmails/", slow(5))
    assert "timed out" in str(unavailable(esi))


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        (refused(429, "42"), 42),
        (refused(429), 60),
        (refused(403), 300),
        (Answer(420, {"X-ESI-Error-Limit-Reset": "33"}, b"{}"), 33),
        (Answer(420, {}, b"{}"), 60),
        (Answer(503, {"Retry-After": "20"}, b""), 20),
    ],
)
def test_esi_is_not_asked_before_it_said(
    esi: Esi, server: FeedsServer, time: FakeClock, answer: Answer, wait_s: float
) -> None:
    server.script("/killmails/", answer)
    error = unavailable(esi)
    assert error.wait_s == pytest.approx(wait_s)
    assert error.was_asked_for
    time.now += wait_s - 1
    assert unavailable(esi).wait_s == pytest.approx(1)
    assert len(server.requests) == 1
    time.now += 1
    assert esi.killmail(7, killmail_hash(7))


def test_the_bucket_is_never_emptied(esi: Esi, server: FeedsServer, time: FakeClock) -> None:
    began = time.now
    answers = 0
    while time.now - began < 900:
        try:
            esi.killmail(7, killmail_hash(7))
            answers += 1
        except EsiUnavailableError as error:
            time.now += error.wait_s
        assert server.esi_tokens > 0
    assert answers > 1700


def test_errors_left_before_420_are_kept(esi: Esi, server: FeedsServer, time: FakeClock) -> None:
    limits = {"X-ESI-Error-Limit-Remain": "10", "X-ESI-Error-Limit-Reset": "25"}
    server.script("/killmails/", Answer(404, limits, b"{}"))
    with pytest.raises(KillmailError):
        esi.killmail(7, killmail_hash(7))
    assert unavailable(esi).wait_s == pytest.approx(25)
    time.now += 25
    assert esi.killmail(7, killmail_hash(7))


@pytest.mark.parametrize(
    ("limit", "remaining", "seconds"),
    [
        ("3600/15m", "3000", 0),
        ("3600/15m", "720", 0),
        ("3600/15m", "719", 0.5),
        ("3600/15m", "20", 90),
        ("3600/15m", "0", 90),
        ("600/60s", "100", 0.2),
        ("nonsense", "0", 0),
        ("0/15m", "0", 0),
        ("3600/15m", "many", 0),
        ("3600/15m", None, 0),
    ],
)
def test_the_pause_grows_as_tokens_run_out(limit: str, remaining: str | None, seconds: float) -> None:
    headers = {"X-Ratelimit-Limit": limit}
    if remaining is not None:
        headers["X-Ratelimit-Remaining"] = remaining
    assert pause_s(headers) == pytest.approx(seconds)
