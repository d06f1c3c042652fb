"""What a page of each list costs the database, on many battles beside few.

The battles are made by SQL, shaped like real ones where it matters to the lists: sizes and values fall off as powers, a
few alliances, pilots, systems and regions are in a large part of all battles, most in next to none.
"""

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from api.filters import BattlePage, Constraint
from api.queries import battle_lists
from battlescope.database import Database, connect
from battlescope.static import load_into
from bench.support import database, machine

_BATTLES = """
INSERT INTO battles (
    id, system_id, space_type, start_time, end_time, total_kills, total_isk_destroyed, zkill_related_url,
    first_killmail_id, losses, pilots, region_id
)
SELECT gen_random_uuid(), system_id, space_type, start_time, start_time + size * interval '20 seconds',
       size, (size * 4e7 * exp(3 * random() - 1.5))::bigint, 'https://zkillboard.com/related/' || system_id || '/202111281000/',
       number, size, pilots, region_id
FROM (
    SELECT n AS number, s.system_id, s.region_id,
           CASE WHEN s.system_id >= 31000000 THEN 'jspace' ELSE 'kspace' END AS space_type,
           now() - (%(battles)s - n) * interval '57 seconds' AS start_time,
           least(2 + floor(power(random(), -0.7)) - 1, 4000)::integer AS size,
           least(3 + floor(3 * power(random(), -0.7)), 6000)::integer AS pilots
    FROM generate_series(1, %(battles)s) n
    JOIN (SELECT *, row_number() OVER (ORDER BY md5(system_id::text)) AS place FROM solar_systems) s
      ON s.place = (1 + floor((SELECT count(*) FROM solar_systems) * power(abs(hashint8(n)::bigint / 2147483649.0), 2.5)))::bigint
) made
"""

_ENTITIES = """
INSERT INTO battle_entities (first_killmail_id, start_hour, entity_id)
SELECT DISTINCT first_killmail_id, floor(extract(epoch FROM start_time) / 3600)::integer,
       99000000 + floor(3000 * power(random(), 4))::integer
FROM battles, generate_series(1, least(4 + pilots / 10, 60))
"""

_PARTICIPANTS = """
INSERT INTO battle_participants (battle_id, start_hour, character_id, ship_type_id, corp_id, alliance_id, side_id, is_victim)
SELECT DISTINCT ON (1, 3) id, floor(extract(epoch FROM start_time) / 3600)::integer,
       90000000 + floor(50000 * power(random(), 2))::integer, 587, 98000001, 99000001, 1, false
FROM battles, generate_series(1, least(pilots, %(pilots)s))
"""

_SIDES = """
INSERT INTO battle_sides (battle_id, side_id, affiliation_ids, pilots, losses, isk_lost, isk_destroyed)
SELECT battle_id, 1 + place %% 2, array_agg(entity_id), 1, 1, 1, 1
FROM (
    SELECT b.id AS battle_id, e.entity_id, row_number() OVER (PARTITION BY b.id) AS place
    FROM battle_entities e JOIN battles b USING (first_killmail_id)
) e
GROUP BY 1, 2
"""

_ORDERS = ("start", "end", "isk", "kills", "pilots")


def main(argv: Sequence[str]) -> None:
    """Print the median milliseconds of each list's first and second page, few battles beside many."""
    parser = argparse.ArgumentParser(prog="bench api_lists", description=__doc__)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--pilots", type=int, default=8, help="participants of a battle at most")
    parser.add_argument("--explain", action="append", default=[], help="print the plan of this list")
    options = parser.parse_args(argv)
    print(machine())
    took: dict[str, list[float]] = {}
    for battles in (options.few, options.many):
        with database() as url, connect(url) as connection:
            _fill(connection, battles, options.pilots)
            connection.execute("SET jit = off")
            for name, page in _lists(connection).items():
                plan = name in options.explain and battles == options.many
                took.setdefault(name, []).append(_page_ms(connection, page, plan=plan))
    print(f"{'list':44}{options.few:>12,}{options.many:>12,}{'ratio':>8}")
    for name, (few, many) in took.items():
        print(f"{name:44}{few:>9.2f} ms{many:>9.2f} ms{many / few:>8.2f}")


def _fill(connection: Database, battles: int, pilots: int) -> None:
    load_into(connection)
    values = {"battles": battles, "pilots": pilots}
    connection.execute("SET synchronous_commit = off; SET work_mem = '256MB'; SELECT setseed(0.5)")
    started = time.perf_counter()
    for statement in (_BATTLES, _ENTITIES, _PARTICIPANTS, _SIDES):
        connection.execute(statement.encode(), values)
    connection.execute("VACUUM ANALYZE")
    print(f"{battles:,} battles in {time.perf_counter() - started:.0f} s")
    for table, size in connection.execute(
        "SELECT relname, pg_indexes_size(oid) / %s FROM pg_class WHERE relname ~ '^battle' AND relkind = 'r' ORDER BY 1",
        (battles,),
    ):
        print(f"  {table}: {size} bytes of indexes a battle")


def _lists(connection: Database) -> dict[str, BattlePage]:
    """By name, lists with each filter, and some with several or in other orders."""

    def ranked(column: str, table: str, place: int) -> str:
        row = connection.execute(
            f"SELECT {column} FROM {table} GROUP BY 1 ORDER BY count(*) DESC, 1 OFFSET {place} LIMIT 1".encode()  # noqa: S608 - constants
        ).fetchone()
        assert row is not None
        return str(row[0])

    busy, second = ranked("entity_id", "battle_entities", 0), ranked("entity_id", "battle_entities", 1)
    middling = ranked("entity_id", "battle_entities", 400)
    pilot = ranked("character_id", "battle_participants", 0)
    week_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    asked: dict[str, dict[str, str]] = {
        "all": {},
        "space=jspace": {"space": "jspace"},
        "space=void": {"space": "void"},
        **{f"security={band}": {"security": band} for band in ("highsec", "lowsec", "nullsec")},
        "busy region": {"region": ranked("region_id", "battles", 0)},
        "quiet region": {"region": ranked("region_id", "battles", 60)},
        "busy system": {"system": ranked("system_id", "battles", 0)},
        "quiet system": {"system": ranked("system_id", "battles", 2000)},
        "busy alliance": {"alliance": busy},
        "middling alliance": {"alliance": middling},
        "quiet alliance": {"alliance": ranked("entity_id", "battle_entities", 2500)},
        "busy pilot": {"character": pilot},
        "quiet pilot": {"character": ranked("character_id", "battle_participants", 20000)},
        "busy alliance against busy": {"alliance": busy, "against": second},
        "middling alliance against busy": {"alliance": middling, "against": busy},
        "busy alliance in jspace": {"alliance": busy, "space": "jspace"},
        "busy alliance, min_kills=100": {"alliance": busy, "min_kills": "100"},
        "since three days": {"since": week_ago},
        "live": {"live": "true"},
        **{f"min_kills={least}": {"min_kills": str(least)} for least in (5, 20, 100, 400)},
        **{f"min_pilots={least}": {"min_pilots": str(least)} for least in (20, 80, 400)},
        **{f"min_isk={least}b": {"min_isk": f"{least}000000000"} for least in (1, 5, 50, 200)},
        **{f"order={order}": {"order": order} for order in _ORDERS[1:]},
        **{
            f"{title}, order={order}": {name: value, "order": order}
            for order in ("end", "isk")
            for title, name, value in (
                ("busy alliance", "alliance", busy),
                ("middling alliance", "alliance", middling),
                ("busy pilot", "character", pilot),
                ("busy system", "system", ranked("system_id", "battles", 0)),
                ("quiet region", "region", ranked("region_id", "battles", 60)),
                ("lowsec", "security", "lowsec"),
                ("three days", "since", week_ago),
            )
        },
    }
    return {name: BattlePage.model_validate(parameters) for name, parameters in asked.items()}


def _page_ms(connection: Database, asked: BattlePage, *, plan: bool) -> float:
    constraints: tuple[Constraint, ...] = asked.constraints()
    if plan:
        _explain(connection, asked)
    times = []
    for _ in range(12):
        started = time.perf_counter()
        battle_lists.list_battles(
            connection, constraints, asked.order, None, asked.limit + 1, timedelta(minutes=15)
        )
        times.append((time.perf_counter() - started) * 1000)
    return median(times)


def _explain(connection: Database, asked: BattlePage) -> None:
    """Print the plans of what a list asks."""

    class Explaining:
        def execute(self, statement: str, values: Sequence[object]) -> object:
            for (line,) in connection.execute(
                b"EXPLAIN (ANALYZE, BUFFERS) " + statement.encode(), tuple(values)
            ):
                print(line)
            return connection.execute(statement.encode(), tuple(values))

    battle_lists.list_battles(
        Explaining(),  # type: ignore[arg-type]
        asked.constraints(),
        asked.order,
        None,
        asked.limit + 1,
        timedelta(minutes=15),
    )
