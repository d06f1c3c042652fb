"""The metrics of a pod, as Prometheus reads them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, cast

import httpx
import pytest
from aws_lambda_powertools.metrics import MetricUnit

from battlescope import telemetry
from battlescope.errors import DatabaseError, LaptopError
from battlescope.exposition import COUNTED_BY_CLUSTER, SILENCE_MAX_S, Exposition, name_of
from battlescope.runtime.context import Context
from battlescope.telemetry import Metric, count, gauge, observed
from battlescope_local.ports import free_port
from tests.support.prometheus import scraped
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_exposition", None)


@contextmanager
def served(exposition: Exposition) -> Iterator[str]:
    port = free_port()
    server = exposition.serve(port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()


def test_the_calls_that_go_to_cloudwatch_go_to_prometheus_instead(capsys: pytest.CaptureFixture[str]) -> None:
    exposition = Exposition(COUNTED_BY_CLUSTER)
    telemetry.expose(exposition)

    @observed()
    def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda's signature
        count(Metric.KILLMAILS_STORED, 2)
        count(Metric.NAMES_RESOLVED)
        gauge(Metric.FEED_LAG, 7.5, MetricUnit.Seconds)
        gauge(Metric.BATTLE_KILLS, 30, MetricUnit.Count)

    with served(exposition) as url:
        for _ in range(2):
            handler({}, cast("Any", Context("cluster", 30, Event())))
        samples = scraped(url)

    assert samples["battlescope_killmails_stored_total"] == 4
    assert samples["battlescope_messages_dead_lettered_total"] == 0
    assert samples["battlescope_names_resolved_total"] == 2
    assert samples["battlescope_feed_lag_seconds"] == 7.5
    assert samples["battlescope_battle_kills_count"] == 2
    assert samples["battlescope_battle_kills_bucket le=20.0"] == 0
    assert samples["battlescope_battle_kills_bucket le=50.0"] == 2
    assert samples["process_resident_memory_bytes"] > 0
    assert capsys.readouterr().out == ""


def test_every_metric_has_a_name_of_its_own() -> None:
    assert name_of(Metric.KILLMAIL_CONFLICTS) == "battlescope_killmail_conflicts"
    assert len({name_of(metric) for metric in Metric}) == len(Metric)


def test_what_cannot_be_read_is_left_out_and_the_rest_is_told() -> None:
    def away() -> dict[str, float]:
        raise DatabaseError("the database went away")

    exposition = Exposition()
    exposition.watch("battlescope_rows", "Rows.", "table", away)
    exposition.watch("battlescope_queue_messages", "Messages.", "queue", lambda: {"killmails": 3})
    with served(exposition) as url:
        samples = scraped(url)
    assert samples["battlescope_queue_messages queue=killmails"] == 3
    assert not any(name.startswith("battlescope_rows") for name in samples)


def test_a_loop_that_does_not_come_round_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    exposition = Exposition()
    with served(exposition) as url:
        healthy = httpx.get(f"{url}/healthz").status_code
        monkeypatch.setattr(exposition, "_beat_at", exposition._beat_at - SILENCE_MAX_S - 1)
        hangs = httpx.get(f"{url}/healthz").status_code
        exposition.beat()
        again = httpx.get(f"{url}/healthz").status_code
        elsewhere = httpx.get(f"{url}/").status_code
    assert (healthy, hangs, again, elsewhere) == (200, 503, 200, 404)


def test_a_port_in_use_is_told() -> None:
    exposition = Exposition()
    with served(exposition) as url, pytest.raises(LaptopError, match="METRICS_PORT"):
        exposition.serve(int(url.rpartition(":")[2]))


def test_lambda_does_not_import_it() -> None:
    program = (
        "import sys, api.handler, cluster.handler, ingest.handler; print('prometheus_client' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_poller_shows_itself_and_stops_on_a_signal(db_url: str, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    archive = tmp_path / "empty.jsonl"
    archive.write_text("")
    with subprocess.Popen(
        [sys.executable, "-m", "battlescope_local.cli", "ingest"],
        env={
            **os.environ,
            "DB_URL": db_url,
            "QUEUE_URL": "http://127.0.0.1:1/0/none.fifo",
            "ZKB_USERAGENT": "battlescope-tests/1 (contact: nobody@example.org)",
            "FEED": f"archive:{archive}",
            "METRICS_PORT": str(port),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        wait_until(lambda: _polled(url), 20)
        assert httpx.get(f"{url}/healthz").status_code == 200
        process.send_signal(signal.SIGTERM)
        printed = process.communicate(timeout=20)[0]
    assert process.returncode == 0, printed
    assert "CloudWatchMetrics" not in printed


def _polled(url: str) -> bool:
    try:
        return scraped(url)["battlescope_poller_runs_total"] == 1
    except httpx.TransportError:
        return False
