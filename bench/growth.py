"""The cost per killmail as one battle grows from 100 to 10,000 kills, arriving in tens."""

import argparse
import time
from collections.abc import Sequence
from itertools import batched
from statistics import median

from battlescope.database import connect
from battlescope_local.new_eden import growing_battle
from bench.support import database, machine
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds.simulated import killmail_of

MARKS = (100, 300, 1000, 3000, 10_000)
WINDOW = 30
"""Batches of ten around each mark."""


def main(argv: Sequence[str]) -> None:
    """Print the median milliseconds per killmail at each size, and the ratio to the first."""
    parser = argparse.ArgumentParser(prog="bench growth", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    print(machine())
    took: list[float] = []
    with database() as url, connect(url) as connection:
        uploads = growing_battle(seed=options.seed, kills=MARKS[-1])
        for some in batched(uploads, 10, strict=False):
            killmails = list(map(killmail_of, some))
            started = time.perf_counter()
            cluster(connection, killmails, Rules())
            took.append((time.perf_counter() - started) / len(killmails) * 1000)
        held = connection.execute("SELECT max(total_kills), max(pilots), count(*) FROM battles").fetchone()
    print(
        f"{held[2] if held else 0} battle(s), the largest of {held[0] if held else 0} kills and {held[1] if held else 0} pilots"
    )
    first = None
    for mark in MARKS:
        last = mark // 10
        cost = median(took[max(0, last - WINDOW) : last])
        first = first or cost
        print(f"{mark:>7,} kills  {cost:6.3f} ms per killmail  {cost / first:5.2f}")
