"""What the API reads besides lists: profiles, one battle in its parts, search and the change feed; a million battles beside few.

Everybody in both databases is given a name first, made of syllables, so that search has something to search.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

from api.queries import changes, members, profiles
from api.queries.battles import find_battle
from api.queries.composition import composition_of
from api.queries.search import search
from api.queries.sides import sides_of
from api.queries.system_profiles import system_profile_of
from api.queries.timeline import step_s, timeline
from api.queries.top import top_of
from battlescope.database import Database, connect
from bench.asking import ranked
from bench.building import Built, built
from bench.support import machine

TIMES = 50

type Read = Callable[[Database], object]

_NAMES = """
INSERT INTO names (id, category, name)
SELECT id, category, initcap(
    (ARRAY['ka','lo','mi','tu','re','sha','vor','nax'])[1 + (hashint8(id) & 7)]
    || (ARRAY['ran','dil','mok','tes','lia','gor','ven','zul'])[1 + (hashint8(id) >> 3 & 7)]
    || (ARRAY[' star',' hawk',' fleet',' drift',' moon',' void',' forge',' wolf'])[1 + (hashint8(id) >> 6 & 7)]
    || to_hex(hashint8(id) >> 9 & 4095)
)
FROM (
    SELECT DISTINCT character_id AS id, 'character' AS category FROM battle_participants
    UNION SELECT DISTINCT corp_id, 'corporation' FROM battle_participants WHERE corp_id IS NOT NULL
    UNION SELECT DISTINCT alliance_id, 'alliance' FROM battle_participants WHERE alliance_id IS NOT NULL
) everybody
ON CONFLICT DO NOTHING
"""


def main(argv: Sequence[str]) -> None:
    """Time every read in both databases; print the medians, the 99th percentiles and the ratio."""
    parser = argparse.ArgumentParser(prog="bench reads", description=__doc__)
    parser.add_argument("--battles", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where the many are kept, to be built once")
    parser.add_argument("--few-folder", type=Path, help="and the few")
    options = parser.parse_args(argv)
    print(machine())
    with ExitStack() as stack:
        few = stack.enter_context(_named(stack.enter_context(built(options.few, options.few_folder))))
        many = stack.enter_context(_named(stack.enter_context(built(options.battles, options.folder))))
        ours = (_reads(few), _reads(many))
        print(f"{'':40}{'few':>16}{'many':>18}")
        print(f"{'read':40}{'p50':>8}{'p99':>8}{'p50':>9}{'p99':>9}{'ratio':>8}  ms")
        for name in ours[0]:
            (one, one_99), (other, other_99) = _ms(few, ours[0][name]), _ms(many, ours[1][name])
            print(
                f"{name:40}{one:>8.2f}{one_99:>8.2f}{other:>9.2f}{other_99:>9.2f}{other / one:>8.2f}",
                flush=True,
            )


def _named(database: Built) -> Database:
    connection = connect(database.url)
    connection.execute(_NAMES.encode())
    connection.execute("VACUUM ANALYZE")
    connection.execute("SET jit = off")
    return connection


def _reads(connection: Database) -> dict[str, Read]:
    alliances = "(SELECT * FROM battle_entities WHERE entity_id >= 99000000) e"
    alliance = int(ranked(connection, "entity_id", alliances, 0))
    quiet_alliance = int(ranked(connection, "entity_id", alliances, 0.9))
    pilot = int(ranked(connection, "character_id", "battle_participants", 0))
    system = int(ranked(connection, "system_id", "battles", 0))
    largest: UUID
    ((largest,),) = connection.execute("SELECT id FROM battles ORDER BY total_kills DESC LIMIT 1").fetchall()
    battle = find_battle(connection, largest)
    assert battle is not None
    step = step_s(battle["end_time"] - battle["start_time"])
    newest = changes.newest(connection)
    oldest = (0, 0, changes.FIRST)
    return {
        "profile, busiest alliance": lambda to: profiles.profile_of(to, "alliance", alliance),
        "profile, quiet alliance": lambda to: profiles.profile_of(to, "alliance", quiet_alliance),
        "profile, busiest pilot": lambda to: profiles.profile_of(to, "character", pilot),
        "profile, busiest system": lambda to: system_profile_of(to, system),
        "largest battle": lambda to: find_battle(to, largest),
        "largest battle, sides": lambda to: sides_of(to, largest),
        "largest battle, killmails": lambda to: members.killmails(to, largest, None, 100),
        "largest battle, participants": lambda to: members.participants(to, largest, None, 100),
        "largest battle, timeline": lambda to: timeline(to, largest, step),
        "largest battle, composition": lambda to: composition_of(to, largest),
        "largest battle, top": lambda to: top_of(to, largest, 10),
        "search, two letters": lambda to: search(to, "ka", 10),
        "search, a name": lambda to: search(to, "karan star", 10),
        "search, words": lambda to: search(to, "wolf vor", 10),
        "search, misspelt": lambda to: search(to, "karann sttar", 10),
        "changes, the oldest": lambda to: changes.changes(to, oldest, 100),
        "changes, the newest": lambda to: changes.changes(to, newest, 100),
    }


def _ms(connection: Database, read: Read) -> tuple[float, float]:
    took = []
    for _ in range(TIMES):
        started = time.perf_counter()
        read(connection)
        took.append((time.perf_counter() - started) * 1000)
    return median(took), quantiles(took, n=100)[-1]
