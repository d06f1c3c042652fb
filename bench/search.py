"""What a search costs among very many names, beside few.

All of EVE has some millions of pilots who were on a killmail. Names are of one or two words, of which some are far more frequent than
others; a quarter was in no battle, a thirteenth in 32 or more, one of 150 in a thousand.
"""

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median, quantiles

from api.queries.search import search
from battlescope.database import Database, connect
from battlescope.static import load_into
from bench.support import database, machine

TIMES = 20
LIMIT = 10
TYPED = (
    "ka",
    "the",
    "dark",
    "captain",
    "dark st",
    "vor ka",
    "mokranzul",
    "jita",
    "j1",
    "karann sttar",
    "drak lrod",
    "the dark captain",
    "qqqq",
    "+++",
)

_WORDS = """
CREATE TEMP TABLE words AS
SELECT n, CASE
    WHEN n <= 9 THEN (ARRAY['Dark','The','Captain','Star','Lord','Black','Red','Van','Death'])[n]
    ELSE initcap(
        (ARRAY['ka','lo','mi','tu','re','sha','vor','nax','be','stel','dri','o','e','ju','zan','cor'])[1 + (hashint8(n) & 15)]
        || (ARRAY['ran','dil','mok','tes','lia','gor','ven','zul','','na','ri','s','th','ko','vax','el'])[1 + (hashint8(n) >> 4 & 15)]
        || (ARRAY['','','n','star','ia','us','ra','on'])[1 + (hashint8(n) >> 8 & 7)]
    )
END AS word
FROM generate_series(1, 60000) n
"""
_NAMES = """
INSERT INTO names (id, category, name, activity)
SELECT 90000000 + number, CASE WHEN number %% 12 = 0 THEN 'corporation' ELSE 'character' END, a.word || coalesce(' ' || b.word, ''),
    least(1000, floor(1.2 * power(1 - random(), -1 / 0.75)) - 1)
FROM (
    SELECT number, floor(power(60000, random()))::integer AS first,
        CASE WHEN random() < 0.9 THEN floor(power(60000, random()))::integer END AS last
    FROM generate_series(1, %s) number
) picked
JOIN words a ON a.n = first LEFT JOIN words b ON b.n = last
"""


def main(argv: Sequence[str]) -> None:
    """Print what each text takes in both."""
    parser = argparse.ArgumentParser(prog="bench search", description=__doc__)
    parser.add_argument("--names", type=int, default=3_000_000)
    parser.add_argument("--few", type=int, default=30_000)
    options = parser.parse_args(argv)
    print(machine())
    with ExitStack() as stack:
        few, many = (_named(stack, names) for names in (options.few, options.names))
        print(f"{'':24}{f'{options.few:,} names':>26}{f'{options.names:,} names':>26}")
        print(f"{'typed':24}{'p50':>9}{'p99':>9}{'found':>8}{'p50':>9}{'p99':>9}{'found':>8}  ms")
        for typed in TYPED:
            print(f"{typed:24}{_took(few, typed)}{_took(many, typed)}", flush=True)


def _named(stack: ExitStack, names: int) -> Database:
    connection = stack.enter_context(connect(stack.enter_context(database())))
    load_into(connection)
    connection.execute("SET jit = off")
    connection.execute("SELECT setseed(0.5)")
    connection.execute(_WORDS.encode())
    connection.execute(_NAMES.encode(), (names,))
    connection.execute("VACUUM ANALYZE")
    return connection


def _took(connection: Database, typed: str) -> str:
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        with connection.transaction():
            found = search(connection, typed, LIMIT)
        times.append((time.perf_counter() - started) * 1000)
    return f"{median(times):>9.2f}{quantiles(times, n=100)[-1]:>9.2f}{len(found):>8}"
