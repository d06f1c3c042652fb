"""More than the API can serve: what is too much is refused at once, with a time to come again, and probes are answered."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from api import connections
from api.shedding import PROBES_MAX, REQUESTS_PER_CONNECTION
from battlescope.database import connect
from battlescope.migrate import migrate
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.ports import free_port
from tests.integration.api.rows import Rows
from tests.integration.api.test_contract import assert_is_problem
from tests.integration.api.test_pages import BROWSER, assert_is_page
from tests.integration.api.test_server import eventually, served

CONNECTIONS = 2
ROOM = CONNECTIONS * REQUESTS_PER_CONNECTION


@contextmanager
def slow_database(url: str) -> Iterator[None]:
    """Whatever reads battles waits, as it would for a database that has too much to do."""
    with connect(url) as database, database.transaction():
        database.execute("LOCK TABLE battles IN ACCESS EXCLUSIVE MODE")
        yield


def timed(client: httpx.Client, path: str, **parts: Any) -> tuple[float, httpx.Response]:
    started = time.monotonic()
    response = client.get(path, timeout=20, **parts)
    return time.monotonic() - started, response


@pytest.mark.parametrize(("path", "headers"), [("/battles", {}), ("/", BROWSER)])
def test_overload_is_shed_while_probes_are_answered(
    url: str, rows: Rows, path: str, headers: dict[str, str]
) -> None:
    rows.battle()
    with (
        served(url, database_connections=CONNECTIONS, query_timeout_s=3) as api,
        ThreadPoolExecutor(4 * ROOM) as clients,
    ):
        api.get(path, headers=headers)  # makes what is made at first use
        threads_before = threading.active_count()
        with slow_database(url):
            asked = [clients.submit(timed, api, path, headers=headers) for _ in range(4 * ROOM)]
            time.sleep(0.4)
            probed = [timed(api, "/healthz?live=1") for _ in range(3)] + [timed(api, "/healthz")]
            threads_meanwhile = threading.active_count()
            answers = [one.result() for one in asked]
        afterwards = eventually(lambda: api.get(path, headers=headers).is_success)

    assert all(probe.status_code == 200 for _, probe in probed)
    assert max(took for took, _ in probed) < 0.5
    assert Counter(answer.status_code for _, answer in answers) == {503: 4 * ROOM}
    for _, answer in answers:
        assert answer.headers["retry-after"] == "5"
        (assert_is_page if headers else assert_is_problem)(answer, 503)
    # What there was no room for did not wait; what waited for a connection waited as long as it may.
    assert sum(took < 1 for took, _ in answers) == 3 * ROOM
    assert max(took for took, _ in answers) < 4.5
    assert threads_meanwhile - threads_before <= 4 * ROOM + ROOM + PROBES_MAX  # the test's own, and theirs
    assert afterwards
    if not headers:
        kinds = Counter(answer.json()["type"].rpartition(":")[2] for _, answer in answers)
        assert kinds == {"overloaded": 4 * ROOM - CONNECTIONS, "query-timeout": CONNECTIONS}


def test_a_flood_of_probes_is_shed_too(url: str) -> None:
    with served(url) as api, ThreadPoolExecutor(40) as clients, connect(url) as database:
        assert api.get("/healthz").status_code == 200
        with database.transaction():
            database.execute("LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE")
            answers = list(clients.map(lambda _: timed(api, "/healthz"), range(40)))
        assert eventually(lambda: api.get("/healthz").is_success)

    assert {answer.status_code for _, answer in answers} == {503}
    assert max(took for took, _ in answers) < 4.5


def test_a_reader_of_answers_who_does_not_read_holds_no_room(url: str, rows: Rows) -> None:
    for _ in range(50):
        rows.battle()
    with served(url, database_connections=1) as api, ExitStack() as slow:
        for _ in range(3 * REQUESTS_PER_CONNECTION):
            client = slow.enter_context(socket.create_connection(("127.0.0.1", api.base_url.port or 0)))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.sendall(b"GET /battles?limit=50 HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.02)
        answers = [api.get("/battles").status_code for _ in range(5)]

    assert answers == [200] * 5


def test_hundreds_of_connections_at_once_are_served(url: str, rows: Rows) -> None:
    rows.battle()
    with served(url) as api, ExitStack() as flood:
        for _ in range(300):
            flood.enter_context(socket.create_connection(("127.0.0.1", api.base_url.port or 0)))
        took, answer = timed(api, "/battles")
        probe_took, probe = timed(api, "/healthz")

    assert (answer.status_code, probe.status_code) == (200, 200)
    assert max(took, probe_took) < 1


def test_connections_beyond_the_limit_are_closed_and_make_room_when_they_go(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 20)
    with served(url) as api:
        address = ("127.0.0.1", api.base_url.port or 0)
        with ExitStack() as flood:
            held = [flood.enter_context(socket.create_connection(address)) for _ in range(40)]
            kept = [one for one in held if is_open(one)]
            assert api.get("/healthz?live=1").status_code == 200  # on the connection that it had before
        assert eventually(lambda: httpx.get(f"{api.base_url}/healthz?live=1").is_success)

    assert len(kept) == 19


@pytest.mark.parametrize("answers", [1, 100], ids=["the system takes it", "it waits here"])
def test_clients_that_never_read_their_answers_do_not_keep_others_out(
    url: str, monkeypatch: pytest.MonkeyPatch, answers: int
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 10)
    monkeypatch.setattr(connections, "REQUEST_WITHIN_S", 0.3)
    monkeypatch.setattr(connections, "READ_WITHIN_S", 0.3)
    with served(url) as api, ExitStack() as deaf:
        api.get("/healthz?live=1", headers={"Connection": "close"})
        for _ in range(10):
            client = deaf.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.connect(("127.0.0.1", api.base_url.port or 0))
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * answers)
        assert eventually(lambda: httpx.get(f"{api.base_url}/healthz?live=1").is_success)


def is_open(client: socket.socket) -> bool:
    """Whether the server holds on to a connection that says nothing."""
    client.settimeout(0.1)
    try:
        return client.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False


@pytest.mark.parametrize(
    "drip", [b"", b"GET /battles HTTP/1.1\r\n", b"G"], ids=["nothing", "headers that never end", "a byte"]
)
def test_a_request_that_does_not_come_is_not_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch, drip: bytes
) -> None:
    monkeypatch.setattr(connections, "REQUEST_WITHIN_S", 0.6)
    with served(url) as api:
        # Of a connection that is kept between requests, too.
        for first in (b"", b"GET /healthz?live=1 HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", api.base_url.port or 0)) as client:
                client.sendall(first)
                if first:
                    assert client.recv(4096).startswith(b"HTTP/1.1 200")
                started = time.monotonic()
                client.sendall(drip)
                client.settimeout(0.15)
                while time.monotonic() - started < 5:
                    try:
                        if client.recv(4096) == b"":
                            break
                    except TimeoutError:
                        client.sendall(b"X-Slow: 1\r\n" if len(drip) > 1 else b"")
                    except OSError:
                        break
                assert 0.4 < time.monotonic() - started < 2
        assert api.get("/healthz?live=1").status_code == 200


def test_an_answer_that_takes_its_time_is_not_cut_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_WITHIN_S", 0.3)
    with served(url) as api, ThreadPoolExecutor(1) as clients:
        api.get("/battles")
        with slow_database(url):
            asked = clients.submit(api.get, "/battles")
            time.sleep(0.8)
        assert asked.result().status_code == 200


def test_without_the_database_there_are_problems_and_pages_and_it_recovers_when_it_returns(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("gone") / "data", port=free_port(), settings={"fsync": "off"}
    )
    server.start()
    try:
        with connect(server.url("postgres")) as database:
            migrate(database)
            Rows(database).battle()
        with served(server.url("postgres")) as api, ThreadPoolExecutor(4) as clients:
            assert api.get("/battles").status_code == api.get("/", headers=BROWSER).status_code == 200

            for immediate in (False, True):
                server.stop(immediate=immediate)
                away = [
                    clients.submit(timed, api, path, headers=BROWSER if path == "/" else {})
                    for path in ("/", "/battles", "/battles", "/healthz")
                ]
                (page_took, page), *while_away = [one.result() for one in away]
                time.sleep(1)  # beyond what the pool tries on its own
                server.start()
                returned = time.monotonic()
                recovered: dict[str, float] = {}
                while len(recovered) < 3 and time.monotonic() - returned < 15:
                    for path in {"/battles", "/", "/healthz"} - recovered.keys():
                        if (
                            api.get(path, headers=BROWSER if path == "/" else {}, timeout=20).status_code
                            == 200
                        ):
                            recovered[path] = time.monotonic() - returned

                for took, answer in while_away:
                    assert_is_problem(answer, 503)
                    assert answer.json()["type"] == "urn:battlescope:problem:database-away"
                    assert answer.headers["retry-after"] == "5"
                    assert took < 4.5
                assert_is_page(page, 503)
                assert page.headers["retry-after"] == "5"
                assert page_took < 4.5
                assert len(recovered) == 3
                assert max(recovered.values()) < 5
    finally:
        server.stop()
