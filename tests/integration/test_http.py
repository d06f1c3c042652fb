"""The HTTP client on loopback: rate, time, size, and what an answer is."""

import gzip
import socket
import time as system_time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from threading import Thread

import pytest

from battlescope.http import HttpClient, HttpError, retry_after_s
from tests.support.answers import CUT_OFF, Answer, refused, slow
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer

AGENT = "battlescope-tests/1 (contact: nobody@example.org)"


@pytest.fixture
def server() -> Iterator[FeedsServer]:
    with FeedsServer() as running:
        yield running


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient(AGENT, clock=FakeClock().clock)
    yield client
    client.close()


def test_an_answer_has_status_headers_and_body(http: HttpClient, server: FeedsServer) -> None:
    server.script("/x", Answer(418, {"X-Tea": "green"}, b"no coffee"))
    answer = http.get(f"{server.url}/x")
    assert (answer.status, answer.headers["x-tea"], answer.body) == (418, "green", b"no coffee")
    assert answer.is_complete
    assert str(answer) == f"{server.url}/x answered 418"


def test_a_packed_body_is_unpacked(http: HttpClient, server: FeedsServer) -> None:
    server.script("/x", Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(b"text" * 100_000)))
    assert http.get(f"{server.url}/x").body == b"text" * 100_000
    assert "gzip" in server.requests[0].headers["Accept-Encoding"]


@pytest.mark.parametrize(
    "answer",
    [
        CUT_OFF,
        Answer(200, {}, b"x" * 100_000, is_cut_off=True),
        Answer(200, {"Content-Encoding": "gzip"}, b"not packed at all"),
    ],
)
def test_a_body_that_is_cut_off_is_not_complete(
    http: HttpClient, server: FeedsServer, answer: Answer
) -> None:
    server.script("/x", answer)
    assert not http.get(f"{server.url}/x").is_complete


def test_a_body_is_read_up_to_its_limit(
    http: HttpClient, server: FeedsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("battlescope.http.BODY_BYTES_MAX", 100_000)
    packed = gzip.compress(b"\0" * 50_000_000)
    server.script("/x", Answer(200, {"Content-Encoding": "gzip"}, packed), Answer(200, {}, b"x" * 100_000))
    answer = http.get(f"{server.url}/x")
    assert (len(answer.body), answer.is_complete) == (100_000, False)
    assert http.get(f"{server.url}/x").is_complete


def test_redirects_are_not_followed(http: HttpClient, server: FeedsServer) -> None:
    server.script("/x", Answer(302, {"Location": "/y"}, b""))
    assert http.get(f"{server.url}/x").status == 302
    assert server.asked("/y") == []


def test_an_answer_that_does_not_come_in_time(server: FeedsServer) -> None:
    http = HttpClient(AGENT)
    server.script("/x", slow(5))
    with pytest.raises(HttpError, match="timed out"):
        http.get(f"{server.url}/x", timeout_s=0.05)
    http.close()


@contextmanager
def spoken(*parts: bytes, every_s: float = 0.0) -> Iterator[str]:
    """The address of a server that sends these to whoever asks first, then hangs up."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            for part in parts:
                connection.sendall(part)
                system_time.sleep(every_s)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        speaking = Thread(target=answer)
        speaking.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    speaking.join()


def test_a_head_that_drips_is_waited_for_no_longer_than_any_other() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Padding: " + b"a" * 100
    with spoken(*(head[n : n + 1] for n in range(len(head))), every_s=0.02) as url:
        began = system_time.monotonic()
        with pytest.raises(HttpError, match="no answer from"):
            HttpClient(AGENT).get(url, timeout_s=0.2)
        assert system_time.monotonic() - began < 1  # all of it takes 2.6 s


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Ty", b"HTTP/1.1 200 OK\r\nX-A: b\r\n"])
def test_a_head_that_is_cut_off_is_no_answer(http: HttpClient, head: bytes) -> None:
    with spoken(head) as url, pytest.raises(HttpError, match="before its head did"):
        http.get(url)


def test_a_body_may_take_its_time_between_two_parts_after_a_head_that_took_its_own() -> None:
    parts = [b"HTTP/1.1 200 OK\r\n", b"Content-Length: 4\r\n\r\n", b"ab", b"cd"]
    with spoken(*parts, every_s=0.15) as url:
        answer = HttpClient(AGENT).get(url, timeout_s=1)
    assert (answer.body, answer.is_complete) == (b"abcd", True)


def test_a_server_that_is_away(http: HttpClient) -> None:
    with FeedsServer() as gone:
        url = gone.url
    with pytest.raises(HttpError, match=f"no answer from {url}"):
        http.get(url)


def test_requests_to_one_host_start_apart(server: FeedsServer) -> None:
    time = FakeClock()
    http = HttpClient(AGENT, requests_per_second=4, clock=time.clock)
    starts = []
    for _ in range(5):
        http.get(f"{server.url}/x")
        starts.append(time.now)
    http.get(f"{server.url}/x", requests_per_second=0.5)
    starts.append(time.now)
    apart = [later - earlier for earlier, later in pairwise(starts)]
    assert apart == pytest.approx([0.25] * 4 + [2], abs=1e-6)
    time.now += 60
    before = time.now
    http.get(f"{server.url}/x", requests_per_second=100)
    assert time.now == before
    http.close()


def test_another_host_has_a_rate_of_its_own(http: HttpClient, server: FeedsServer) -> None:
    with FeedsServer() as other:
        http.get(f"{server.url}/x")
        before = http.clock.monotonic()
        http.get(f"{other.url}/x")
        assert http.clock.monotonic() == before


def test_a_connection_is_used_again(server: FeedsServer) -> None:
    http = HttpClient(AGENT, requests_per_second=10)
    began = system_time.monotonic()
    http.get(f"{server.url}/x")
    http.get(f"{server.url}/x")
    assert system_time.monotonic() - began >= 0.1
    assert server.connections == 1
    http.close()


def test_retry_after_is_part_of_the_answer(http: HttpClient, server: FeedsServer) -> None:
    server.script("/x", refused(429, "17"), refused(429))
    assert http.get(f"{server.url}/x").retry_after_s == 17
    assert http.get(f"{server.url}/x").retry_after_s is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 80),
        ("Wed, 21 Oct 2026 07:28:00 -0000", 80),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, now=1_792_567_600) == seconds
