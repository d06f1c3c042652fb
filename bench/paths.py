"""The API's paths under load: the highest steady rate of each, what saturates first, and what twice that rate does.

First as many clients as `--clients` ask as fast as they can; then at 0.9, 0.8, ... of what that gave, until a rate is found
at which every request is answered with 200; then at twice that. k6, the API (one process) and PostgreSQL share this
machine's cores. Loopback only; each step is bounded by `--seconds`.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from battlescope.database import Database, connect
from bench.asking import asked_of
from bench.building import built
from bench.processors import Taken
from bench.serving import Serving, Step, api, step
from bench.support import machine

BATTLES_ASKED = 500
SHARES = (0.9, 0.8, 0.7, 0.6, 0.5)
OVERLOAD = 2


def main(argv: Sequence[str]) -> None:
    """Print each path's rates."""
    parser = argparse.ArgumentParser(prog="bench paths", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the battles are kept, to be built once")
    parser.add_argument("--seconds", type=int, default=15, help="of each step")
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args(argv)
    print(machine())
    with built(options.battles, options.folder) as database:
        with connect(database.url) as connection:
            paths = _paths(connection)
            postmaster = _postmaster(connection)
        with api({**os.environ, "DB_URL": database.url}) as serving:
            for title, asked in paths.items():
                _measure(title, asked, serving, postmaster, options.seconds, options.clients)


def _measure(
    title: str, paths: Sequence[str], serving: Serving, postmaster: int, seconds: int, clients: int
) -> None:
    step(serving.url, paths, 3, clients=clients)
    taken = Taken({"API": serving.process_id, "PostgreSQL": postmaster})
    saturated = step(serving.url, paths, seconds, clients=clients)
    _print(f"{title}, saturated", saturated, str(taken))
    word = "not steady"
    for share in SHARES:
        rate = share * saturated.served
        steady = step(serving.url, paths, seconds, rate=rate)
        if steady.served >= 0.99 * rate and not (steady.shed or steady.failed or steady.left_out):
            word = "steady"
            break
    _print(f"{title}, {word}", steady, f"{share} of that")
    twice = step(serving.url, paths, seconds, rate=OVERLOAD * rate, probes=True)
    probes = "probes failed" if twice.probes is None else f"probes p99 {twice.probes.p99:.0f} ms"
    _print(f"{title}, twice", twice, f"shed {twice.shed:.2f}, not begun {twice.left_out:.2f}, {probes}")


def _paths(connection: Database) -> dict[str, list[str]]:
    """By name; battles are spread evenly over all there are, by when they began."""
    found = connection.execute(
        """
        SELECT id FROM (
            SELECT id, row_number() OVER (ORDER BY start_time, id) AS place, count(*) OVER () AS battles FROM battles
        ) numbered WHERE place %% greatest(1, battles / %s) = 0
        """,
        (BATTLES_ASKED,),
    ).fetchall()
    ids = [row[0] for row in found]
    return {
        "list": [f"/battles?{urlencode(query)}" for query in asked_of(connection).values()],
        "battle": [f"/battles/{battle_id}" for battle_id in ids],
        "page of a list": ["/"],
        "page of a battle": [f"/b/{battle_id}" for battle_id in ids],
    }


def _postmaster(connection: Database) -> int:
    """The process that all of PostgreSQL's are children of."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(Path(f"/proc/{row[0]}/stat").read_text().rpartition(")")[2].split()[1])


def _print(title: str, measured: Step, more: str) -> None:
    print(f"{title:28}{measured.served:>7.0f}/s   {measured.took}   failed {measured.failed:.4f}   {more}")
