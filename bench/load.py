"""The API's lists over HTTP, under k6: how many requests a second, and how long one takes at a steady rate.

Everything shares this machine's cores: k6, uvicorn (one process) and PostgreSQL. The baseline, in the same run, is the
minimal app of `bench.minimal`, which runs the same statements and dumps their rows. Loopback only; each step is
bounded by `--seconds`.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from api.filters import BattlePage
from api.queries import battle_lists
from battlescope.database import Database, connect
from bench.asking import asked_of, newest_end
from bench.building import built
from bench.lists import LIVE
from bench.serving import Step, api, asgi, step
from bench.support import machine


def main(argv: Sequence[str]) -> None:
    """Saturate both apps, then ask ours at a steady rate."""
    parser = argparse.ArgumentParser(prog="bench load", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the battles are kept, to be built once")
    parser.add_argument("--seconds", type=int, default=20, help="of each step")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rate", type=int, default=200, help="requests a second of the last step")
    options = parser.parse_args(argv)
    print(machine())
    with built(options.battles, options.folder) as database, tempfile.TemporaryDirectory() as folder:
        with connect(database.url) as connection:
            asked = asked_of(connection)
            statements = Path(folder) / "statements.json"
            statements.write_text(json.dumps(_statements(connection, asked), default=_plain))
        environment = {**os.environ, "DB_URL": database.url, "STATEMENTS": str(statements)}
        ours = [f"/battles?{urlencode(query)}" for query in asked.values()]
        theirs = [f"/{number}" for number in range(len(asked))]
        with asgi("bench.minimal:app", environment) as minimal:
            baseline = step(minimal.url, theirs, options.seconds, clients=options.clients)
        with api(environment) as serving:
            saturated = step(serving.url, ours, options.seconds, clients=options.clients)
            steady = step(serving.url, ours, options.seconds, rate=options.rate)
        _print("minimal app, saturated", baseline)
        _print("API, saturated", saturated)
        _print(f"API, {options.rate}/s asked", steady)
        print(f"ratio {saturated.served / baseline.served:.2f}")


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


def _print(title: str, measured: Step) -> None:
    lost = measured.shed + measured.failed
    print(f"{title:26}{measured.served:>8.0f} requests/s   {measured.took}   not served {lost:.4f}")
