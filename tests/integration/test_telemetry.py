"""What leaves a handler as logs and metrics."""

import io
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from battlescope import telemetry
from battlescope.errors import SettingsError
from battlescope.runtime.context import Context
from battlescope.telemetry import Metric, count, count_alone, gauge, logger, observed, span


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(telemetry, "_warm", set())
    telemetry._tracer.cache_clear()
    telemetry.metrics.provider.clear_metrics()
    yield
    telemetry._tracer.cache_clear()
    telemetry.metrics.provider.clear_metrics()


def sent(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Metrics, as printed."""
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [one for one in printed if "_aws" in one]


def invoke(handler: Any, event: dict[str, Any] | None = None) -> Any:
    return handler(event or {}, cast("Any", Context("some-function", 30, Event())))


def test_counts_leave_once_per_invocation_and_cold_starts_once_per_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @observed()
    def handler(event: dict[str, Any], context: Any) -> str:  # noqa: ARG001 - Lambda's signature
        count(Metric.KILLMAILS_STORED, 2)
        count(Metric.KILLMAILS_STORED, 3)
        count(Metric.KILLMAIL_CONFLICTS, 0)
        gauge(Metric.FEED_LAG, 7.5, MetricUnit.Seconds)
        return "done"

    assert [invoke(handler), invoke(handler)] == ["done", "done"]
    cold, first, second = sent(capsys)
    assert (cold["ColdStart"], cold["function_name"]) == ([1.0], "some-function")
    for one in (first, second):
        assert (one["KillmailsStored"], one["FeedLag"]) == ([2.0, 3.0], [7.5])
        assert one["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BattleScope"
        assert "KillmailConflicts" not in one


def test_an_invocation_that_fails_sends_what_it_counted(capsys: pytest.CaptureFixture[str]) -> None:
    @observed()
    def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001
        count(Metric.FEED_ERRORS)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        invoke(handler)
    assert sent(capsys)[-1]["FeedErrors"] == [1.0]


def test_where_metrics_are_turned_off_nothing_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")

    @observed()
    def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001
        count(Metric.FEED_ERRORS)
        count_alone(Metric.REDIS_ERRORS)

    invoke(handler)
    assert not sent(capsys)


def test_an_invocation_that_counts_nothing_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    handler = observed()(lambda _event, _context: None)
    invoke(handler)
    invoke(handler)
    assert [one.get("ColdStart") for one in sent(capsys)] == [[1.0]]


def test_log_lines_are_json_with_ids_that_end_with_their_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    (to_stdout,) = logging.getLogger(logger.service).handlers
    assert isinstance(to_stdout, logging.StreamHandler)
    monkeypatch.setattr(to_stdout, "stream", printed)

    @observed(correlation_id_path="requestContext.requestId")
    def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001
        if event:
            logger.append_keys(killmail_id=5)
        logger.warning("words", extra={"system_id": 30_000_142})

    invoke(handler, {"requestContext": {"requestId": "JKJaXmPLvHcESHA="}})
    invoke(handler)
    first, second = map(json.loads, printed.getvalue().splitlines())
    assert (first["correlation_id"], first["killmail_id"]) == ("JKJaXmPLvHcESHA=", 5)
    assert (first["message"], first["system_id"]) == ("words", 30_000_142)
    assert first["function_request_id"] != second["function_request_id"]
    assert "killmail_id" not in second
    assert "correlation_id" not in second


def test_tracing_is_off_until_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert telemetry._tracer() is None
    with span("part"):
        pass
    telemetry._tracer.cache_clear()
    monkeypatch.setenv("TRACING", "perhaps")
    with pytest.raises(SettingsError, match="TRACING"), span("part"):
        pass


TRACED = """
from battlescope.telemetry import observed, span

@observed()
def handler(event, context):
    with span("inner"):
        pass

from threading import Event
from battlescope.runtime.context import Context
handler({}, Context("some-function", 30, Event()))
"""


def test_parts_of_a_traced_invocation_reach_the_daemon() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        subprocess.run(
            [sys.executable, "-c", TRACED],
            env={
                **os.environ,
                "TRACING": "true",
                "LAMBDA_TASK_ROOT": "/var/task",  # else Powertools takes this for a laptop
                "_X_AMZN_TRACE_ID": "Root=1-61a35b80-0f1e2d3c4b5a69788796a5b4;Parent=53995c3f42cd8ad8;Sampled=1",
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            },
            check=True,
            capture_output=True,
        )
        parts = [json.loads(daemon.recv(65536).partition(b"\n")[2]) for _ in range(2)]
    inner, outer = parts
    assert (inner["name"], outer["name"]) == ("inner", "__main__")
    assert inner["parent_id"] == outer["id"]
    assert {part["trace_id"] for part in parts} == {"1-61a35b80-0f1e2d3c4b5a69788796a5b4"}


def test_every_metric_is_emitted_somewhere() -> None:
    root = Path(__file__).resolve().parents[2]
    source = "\n".join(
        path.read_text()
        for folder in ("functions", "layers/common/battlescope/runtime")
        for path in (root / folder).rglob("*.py")
    )
    assert [one.name for one in Metric if f"Metric.{one.name}" not in source] == []
