"""Processes that serve on loopback, and k6 that asks them."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from battlescope_local.ports import free_port

SCRIPT = Path(__file__).with_name("load.js")
START_TIMEOUT_S = 20.0


class Took(NamedTuple):
    """How long answers took, in milliseconds."""

    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.1f} ms   p95 {self.p95:.1f} ms   p99 {self.p99:.1f} ms"


class Step(NamedTuple):
    """What k6 measured.

    Attributes:
        served: answers 200, a second.
        took: those.
        shed: answers 503, of all requests.
        failed: other answers and none at all, of all requests.
        left_out: requests that were due while 200 others waited, of all that were due.
        probes: how long `/healthz` took; None where it was not asked, or did not say 200 every time.
    """

    served: float
    took: Took
    shed: float
    failed: float
    left_out: float
    probes: Took | None


class Serving(NamedTuple):
    """A process that serves."""

    url: str
    process_id: int


@contextmanager
def api(environment: Mapping[str, str]) -> Iterator[Serving]:
    """Our API, as `battlescope api` serves it."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("battlescope")), "api", "--port", str(port)]
    with _process(command, environment, port) as serving:
        yield serving


@contextmanager
def asgi(app: str, environment: Mapping[str, str]) -> Iterator[Serving]:
    """Another app, under uvicorn."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log"]
    with _process([*command, "--log-level", "warning"], environment, port) as serving:
        yield serving


def step(
    url: str,
    paths: Sequence[str],
    seconds: int,
    *,
    clients: int = 0,
    rate: float = 0,
    probes: bool = False,
) -> Step:
    """Ask for the paths in turns: as fast as so many clients can, or at so many requests a second.

    Raises:
        SystemExit: k6 is not here.
    """
    k6 = shutil.which("k6", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if k6 is None:
        raise SystemExit("this benchmark needs k6: make bench installs it")
    done = subprocess.run(
        [k6, "run", "--quiet", "--no-usage-report", "--log-output=none", str(SCRIPT)],
        env={
            **os.environ,
            "TARGET": url,
            "PATHS": json.dumps(paths),
            "SECONDS": str(seconds),
            "VUS": str(clients),
            "RATE": str(round(rate)),
            "PROBES": "1" if probes else "",
        },
        check=True,
        capture_output=True,
        text=True,
    )
    measured = json.loads(done.stdout)
    served = _count(measured, "served_ms")
    shed, failed, left_out = (_count(measured, name) for name in ("shed", "failed", "dropped_iterations"))
    asked = max(1.0, served + shed + failed)
    is_well = probes and not _count(measured, "probes_failed")
    return Step(
        served / seconds,
        _took(measured, "served_ms"),
        shed / asked,
        failed / asked,
        left_out / (asked + left_out),
        _took(measured, "probe_ms") if is_well else None,
    )


def _count(measured: Mapping[str, Any], name: str) -> float:
    return float(measured[name]["values"]["count"]) if name in measured else 0.0


def _took(measured: Mapping[str, Any], name: str) -> Took:
    values = measured[name]["values"] if name in measured else {}
    return Took(values.get("med", 0.0), values.get("p(95)", 0.0), values.get("p(99)", 0.0))


@contextmanager
def _process(command: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[Serving]:
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        command, env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(url)
        yield Serving(url, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/0", timeout=5).close()  # noqa: S310 - loopback
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer")
