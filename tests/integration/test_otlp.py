"""Traces as a collector of OpenTelemetry receives them."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from battlescope.errors import SettingsError
from battlescope.settings import TracingSettings, load

TRACED = """
import asyncio
from threading import Event
import httpx
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from api.measured import Measured
from battlescope.runtime.context import Context
from battlescope.telemetry import observed, span

@observed()
def handler(event, context):
    with span("inner"):
        pass

def answer(request):
    with span("read"):
        return Response()

async def ask():
    routes = [Route("/battles/{id}", answer)]
    transport = httpx.ASGITransport(Measured(Starlette(routes=routes), None, routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as api:
        await api.get("/battles/7")

handler({}, Context("some-function", 30, Event()))
asyncio.run(ask())
"""


class Collector(HTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.received: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def run(endpoint: str) -> None:
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    }
    subprocess.run(
        [sys.executable, "-c", TRACED], env=environment, check=True, capture_output=True, timeout=60
    )


def test_invocations_and_requests_reach_the_collector_with_their_parts() -> None:
    with Collector() as collector:
        Thread(target=collector.serve_forever, daemon=True).start()
        run(collector.url)
        collector.shutdown()
    spans: dict[str, Span] = {}
    for path, body in collector.received:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {one.key: one.value.string_value for one in resource.resource.attributes}
            assert told["service.name"] == "battlescope"
            spans |= {span.name: span for scope in resource.scope_spans for span in scope.spans}

    assert spans.keys() == {"__main__", "inner", "GET /battles/{id}", "read"}
    assert spans["inner"].parent_span_id == spans["__main__"].span_id
    assert spans["read"].parent_span_id == spans["GET /battles/{id}"].span_id
    assert spans["inner"].trace_id != spans["read"].trace_id


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    run("http://127.0.0.1:1")


def test_an_endpoint_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        load(TracingSettings)
