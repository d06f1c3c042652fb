"""The API as a process: uvicorn on a loopback port, and a pool of connections."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread

import httpx
import pytest

from api.pool import Pool
from api.server import serve
from api.snapshots import Snapshots
from battlescope.database import connect
from battlescope.errors import LaptopError
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.ports import free_port
from tests.integration.api.conftest import api_settings
from tests.integration.api.rows import Kill, Rows

SCRIPT = """
import sys
from api.server import serve
from battlescope.runtime.signals import stop_on_signals
from battlescope.settings import ApiSettings
serve(ApiSettings(), "127.0.0.1", int(sys.argv[1]), stop_on_signals())
"""


def eventually[T](attempt: Callable[[], T], timeout_s: float = 8) -> T:
    """What `attempt` returns, once it neither fails nor returns something false."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            result = attempt()
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        else:
            if result or time.monotonic() > deadline:
                return result
        time.sleep(0.02)


@contextmanager
def served(url: str, **settings: object) -> Iterator[httpx.Client]:
    port, stop = free_port(), Event()
    thread = Thread(target=serve, args=(api_settings(url, **settings), "127.0.0.1", port, stop))
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        try:
            eventually(lambda: client.get("/healthz?live=1").is_success)
            yield client
        finally:
            stop.set()
            thread.join(10)
    assert not thread.is_alive()


def test_serves_compressed_where_it_pays(url: str, rows: Rows) -> None:
    for _ in range(5):
        rows.battle(kills=[Kill()])

    with served(url) as api:
        large, small = api.get("/battles"), api.get("/healthz?live=1")
        head = api.head("/battles")

    assert len(large.json()["items"]) == 5
    assert large.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in small.headers
    assert (head.status_code, head.content) == (200, b"")


def test_no_answer_waits_for_an_acknowledgement(url: str) -> None:
    def asked_ms(api: httpx.Client) -> float:
        started = time.perf_counter()
        api.get("/healthz?live=1")
        return (time.perf_counter() - started) * 1000

    with served(url) as api:
        # Linux acknowledges the first segments of a connection at once, and later ones after 40 ms.
        took_ms = [asked_ms(api) for _ in range(60)][30:]

    assert min(took_ms) < 35


def test_recovers_when_the_database_comes_back(postgres: EmbeddedPostgres) -> None:
    name = f"late_{uuid.uuid4().hex}"
    with served(postgres.url(name)) as api, connect(postgres.url("postgres")) as admin:
        away = api.get("/battles")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template_battlescope")
        eventually(lambda: api.get("/battles").is_success, timeout_s=5)

        # A restart of the server breaks all connections at once.
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        after = [api.get("/battles").status_code for _ in range(3)]

    assert away.status_code == 503
    assert away.json()["type"] == "urn:battlescope:problem:database-away"
    assert after == [200, 200, 200]


def test_more_requests_than_connections_wait_for_one(url: str) -> None:
    with Pool(url, 2) as pool, ThreadPoolExecutor(8) as threads:
        snapshots = Snapshots(pool, query_timeout_s=5)
        pids = list(
            threads.map(
                lambda _: snapshots.read(
                    lambda c: c.execute("SELECT pg_backend_pid(), pg_sleep(0.02)").fetchone()
                ),
                range(16),
            )
        )

    assert len(pids) == 16
    assert len({pid for pid, _ in filter(None, pids)}) <= 2


def test_a_restart_of_the_database_breaks_no_request(url: str) -> None:
    with Pool(url, 4) as pool, connect(url) as admin, ThreadPoolExecutor(4) as threads:
        snapshots = Snapshots(pool, query_timeout_s=5)

        def backend(_: int) -> tuple[object, ...] | None:
            return snapshots.read(
                lambda reading: reading.execute("SELECT pg_backend_pid(), pg_sleep(0.05)").fetchone()
            )

        eventually(lambda: len(set(threads.map(backend, range(4)))) == 4)
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

        # One after the other: whoever meets a broken connection must not be given the next broken one.
        answers = [snapshots.read(lambda reading: reading.execute("SELECT 1").fetchone()) for _ in range(4)]

    assert answers == [(1,)] * 4


def test_a_port_in_use_says_so_and_what_to_do(url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaptopError, match=rf"port {port} is in use: .* --port"):
            serve(api_settings(url), "127.0.0.1", port, Event())


def test_a_signal_stops_it_in_good_order(url: str) -> None:
    port = free_port()
    environment = {**os.environ, "DB_URL": url}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz?live=1").is_success, timeout_s=20)
        process.send_signal(signal.SIGTERM)
        printed = process.communicate(timeout=10)[0]

    assert process.returncode == 0
    assert printed == ""
