"""Requests as Prometheus sees them, from a process that serves on loopback."""

from datetime import timedelta
from threading import Event, Thread

import httpx
import pytest

from api.server import serve
from battlescope import telemetry
from battlescope_local.ports import free_port
from tests.integration.api.conftest import api_settings
from tests.integration.api.rows import Rows
from tests.support.prometheus import scraped
from tests.support.waiting import wait_until


def test_requests_are_measured_by_route_and_status(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_exposition", None)
    rows.feed("r2z2", moved=timedelta(seconds=20))
    port, metrics_port, stop = free_port(), free_port(), Event()
    thread = Thread(
        target=serve,
        args=(api_settings(url), "127.0.0.1", port, stop),
        kwargs={"metrics_port": metrics_port},
    )
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as api:
            wait_until(lambda: _is_up(api), 20)
            api.get("/battles?limit=1")
            api.head("/battles")
            api.get("/battles/00000000-0000-0000-0000-000000000000")
            api.get("/battles/nonsense")
            api.get("/wp-login.php")
            api.get("/b/00000000-0000-0000-0000-000000000000")
        samples = scraped(f"http://127.0.0.1:{metrics_port}")
    finally:
        stop.set()
        thread.join(20)

    answered = {name: value for name, value in samples.items() if "request_seconds_count" in name}
    prefix = "battlescope_request_seconds_count"
    assert answered[f"{prefix} method=GET route=/battles status=200"] == 1
    assert answered[f"{prefix} method=HEAD route=/battles status=200"] == 1
    assert answered[f"{prefix} method=GET route=/battles/{{id}} status=404"] == 1
    assert answered[f"{prefix} method=GET route=/battles/{{id}} status=422"] == 1
    assert answered[f"{prefix} method=GET route=none status=404"] == 1
    assert answered[f"{prefix} method=GET route=/b status=404"] == 1
    assert 19 < samples["battlescope_feed_age_seconds feed=r2z2"] < 60
    assert samples["battlescope_database_pool state=waiting"] == 0
    assert (
        samples["battlescope_database_pool state=idle"] + samples["battlescope_database_pool state=used"] >= 1
    )


def _is_up(api: httpx.Client) -> bool:
    try:
        return api.get("/healthz?live=1").is_success
    except httpx.TransportError:
        return False
