"""The API's lists over HTTP, under k6: how many requests a second, and how long one takes at a steady rate.

Everything shares this machine's cores: k6, uvicorn (one process) and PostgreSQL. The baseline, in the same run, is the
minimal app of `bench.minimal`, which runs the same statements and dumps their rows. Loopback only; each step is
bounded by `--seconds`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from api.filters import BattlePage
from api.queries import battle_lists
from battlescope.database import Database, connect
from battlescope_local.ports import free_port
from bench.asking import asked_of, newest_end
from bench.building import built
from bench.lists import LIVE
from bench.support import machine

SCRIPT = Path(__file__).with_name("load.js")
START_TIMEOUT_S = 20.0


def main(argv: Sequence[str]) -> None:
    """Saturate both apps, then ask ours at a steady rate."""
    parser = argparse.ArgumentParser(prog="bench load", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the battles are kept, to be built once")
    parser.add_argument("--seconds", type=int, default=20, help="of each step")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rate", type=int, default=200, help="requests a second of the last step")
    options = parser.parse_args(argv)
    k6 = shutil.which("k6", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if k6 is None:
        raise SystemExit("this benchmark needs k6: make bench installs it")
    print(machine())
    with built(options.battles, options.folder) as database, tempfile.TemporaryDirectory() as folder:
        with connect(database.url) as connection:
            asked = asked_of(connection)
            statements = Path(folder) / "statements.json"
            statements.write_text(json.dumps(_statements(connection, asked), default=_plain))
        environment = {**os.environ, "DB_URL": database.url, "STATEMENTS": str(statements)}
        ours = [f"/battles?{urlencode(query)}" for query in asked.values()]
        theirs = [f"/{number}" for number in range(len(asked))]
        with _serving("bench.minimal:app", environment) as url:
            baseline = _step(k6, url, theirs, options.seconds, clients=options.clients)
        with _api(environment) as url:
            saturated = _step(k6, url, ours, options.seconds, clients=options.clients)
            steady = _step(k6, url, ours, options.seconds, rate=options.rate)
        _print("minimal app, saturated", baseline)
        _print("API, saturated", saturated)
        _print(f"API, {options.rate}/s asked", steady)
        print(f"ratio {_rate(saturated) / _rate(baseline):.2f}")


def _statements(connection: Database, asked: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """By number, what each list's first page asks of the database."""
    age = datetime.now(UTC) - newest_end(connection)
    recorded: list[list[Any]] = []

    class Recording:
        def execute(self, statement: str, values: Sequence[object]) -> object:
            recorded[-1].append((statement, list(values)))
            return connection.execute(statement.encode(), tuple(values))

    for query in asked.values():
        page = BattlePage.model_validate(query)
        recorded.append([])
        battle_lists.list_battles(
            Recording(),  # type: ignore[arg-type]
            page.constraints(),
            page.order,
            None,
            page.limit + 1,
            age + LIVE,
        )
    return {str(number): statements for number, statements in enumerate(recorded)}


def _plain(value: object) -> object:
    return {"seconds": value.total_seconds()} if isinstance(value, timedelta) else str(value)


@contextmanager
def _serving(app: str, environment: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log"]
    with _process([*command, "--log-level", "warning"], environment, port) as url:
        yield url


@contextmanager
def _api(environment: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("battlescope")), "api", "--port", str(port)]
    with _process(command, environment, port) as url:
        yield url


@contextmanager
def _process(command: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
    try:
        _wait_for(url)
        yield url
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


def _step(
    k6: str, url: str, paths: Sequence[str], seconds: int, *, clients: int = 0, rate: int = 0
) -> dict[str, Any]:
    """What k6 measured."""
    done = subprocess.run(
        [k6, "run", "--quiet", "--no-usage-report", "--log-output=none", str(SCRIPT)],
        env={
            **os.environ,
            "TARGET": url,
            "PATHS": json.dumps(paths),
            "SECONDS": str(seconds),
            "VUS": str(clients),
            "RATE": str(rate),
        },
        check=True,
        capture_output=True,
        text=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _rate(measured: Mapping[str, Any]) -> float:
    return float(measured["http_reqs"]["values"]["rate"])


def _print(title: str, measured: Mapping[str, Any]) -> None:
    took = measured["http_req_duration"]["values"]
    failed = measured["http_req_failed"]["values"]["rate"]
    print(
        f"{title:26}{_rate(measured):>8.0f} requests/s   p50 {took['med']:.1f} ms   p95 {took['p(95)']:.1f} ms"
        f"   p99 {took['p(99)']:.1f} ms   failed {failed:.4f}"
    )
