"""What each function takes under Lambda's runtime: cold start, warm invocation, memory. Written for docs/cost.md."""

import io
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.feeds_server import FeedsServer
from tests.support.lambda_runtime import ROOT, LambdaRuntime, Package, build

from battlescope.message import pack
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.ports import free_port
from battlescope_local.simulate import write
from bench.support import database, machine
from ingest.payload import parse_killmail

MEASURED = ROOT / "infra/cost/measured.json"
KILLMAILS = 2000
API_PATHS = ("/battles", "/battles?space=nullsec&limit=50", "/healthz")
API_ROUNDS = 50
INGEST_TIMEOUT_S = 40


def main(argv: Sequence[str]) -> None:  # noqa: ARG001 - the benchmarks' signature
    """Measure all handlers, print what was measured, and keep it for the page of costs."""
    uploads = _uploads()
    with tempfile.TemporaryDirectory() as folder, database() as db_url:
        sqs = EmbeddedQueue(Path(folder) / "queue", port=free_port())
        sqs.start()
        try:
            functions = _measure(Path(folder), {"DB_URL": db_url, **sqs.environment()}, uploads)
        finally:
            sqs.stop()
    measured = {
        "measured_at": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "functions": functions,
    }
    MEASURED.write_text(json.dumps(measured, indent=2) + "\n")
    print(json.dumps(measured, indent=2))


def _uploads() -> list[dict[str, Any]]:
    lines = io.StringIO()
    write(lines, seed=11, killmails=KILLMAILS)
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def _measure(
    folder: Path, environment: Mapping[str, str], uploads: Sequence[dict[str, Any]]
) -> dict[str, dict[str, float]]:
    package = build(folder / "package")
    killmails = [parse_killmail(json.dumps({**one["esi"], "killmail_hash": one["hash"]})) for one in uploads]
    messages = [body for batch in batched(killmails, 20, strict=False) for _, body in pack(batch)]
    measured = {}
    with FeedsServer(one["esi"] for one in uploads[:400]) as feeds:
        settings = {
            **environment,
            "R2Z2_URL": feeds.url,
            "ESI_URL": feeds.url,
            "ZKB_USERAGENT": "battlescope benchmark (nobody@example.invalid)",
        }
        with _running(package, "migrate.handler.handler", settings, folder) as migrate:
            measured["Migrate"] = _timed(migrate, [{}, {}])
        with _running(package, "cluster.handler.handler", settings, folder) as cluster:
            events = [_sqs_event(batch) for batch in batched(messages, 2, strict=False)]
            measured["Cluster"] = _timed(cluster, events)
            measured["Cluster"]["killmails_per_invocation"] = round(len(killmails) / len(events), 2)
        with _running(package, "api.handler.handler", settings, folder) as api:
            measured["Api"] = _timed(api, [_request(path) for path in API_PATHS * API_ROUNDS])
        with _running(package, "ingest.handler.handler", settings, folder, INGEST_TIMEOUT_S) as ingest:
            measured["Ingest"] = _timed(ingest, [{}])
        with _running(
            package, "ingest.repair.handler", {**settings, "REPAIR_DAYS": "2"}, folder, 120
        ) as repair:
            measured["Repair"] = _timed(repair, [{}, {}])
        with _running(package, "cluster.maintenance.handler.handler", settings, folder, 120) as maintenance:
            measured["Maintenance"] = _timed(maintenance, [{}, {}])
    return measured


@contextmanager
def _running(
    package: Package, handler: str, settings: Mapping[str, str], folder: Path, timeout_s: int = 30
) -> Iterator[LambdaRuntime]:
    with LambdaRuntime(handler, package, settings, timeout_s=timeout_s, log=folder / f"{handler}.log") as one:
        yield one


def _timed(function: LambdaRuntime, events: Sequence[dict[str, Any]]) -> dict[str, float]:
    took_ms = []
    for event in events:
        started = time.perf_counter()
        answer = function.invoke(event)
        if isinstance(answer, dict) and "errorType" in answer:
            raise SystemExit(f"a handler failed: {answer}")
        took_ms.append((time.perf_counter() - started) * 1000)
    return {
        "cold_ms": round(took_ms[0]),
        "warm_ms": round(median(took_ms[1:] or took_ms), 1),
        "peak_memory_mb": round(function.peak_memory_mb),
    }


def _request(target: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    event: dict[str, Any] = json.loads((ROOT / "tests/events/api_battles.json").read_text())
    event |= {"rawPath": path, "rawQueryString": query}
    event["requestContext"]["http"]["path"] = path
    return event


def _sqs_event(bodies: Sequence[str]) -> dict[str, Any]:
    (record,) = json.loads((ROOT / "tests/events/cluster_killmails.json").read_text())["Records"]
    return {"Records": [{**record, "messageId": str(n), "body": body} for n, body in enumerate(bodies)]}
