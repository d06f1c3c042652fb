"""Attackers in the database: what goes in comes out, for the store, for SQL, and through the migration that packed them."""

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battlescope.database import Database, connect
from battlescope.killmail import Attacker
from battlescope.migrate import migrate, shipped
from battlescope_local.embedded_postgres import EmbeddedPostgres
from cluster.store.attackers import attackers_of, columns_of, stored_attackers
from cluster.store.literals import literal

PACKED = 8
"""The migration that packs attackers."""

IDS = st.one_of(st.just(0), st.integers(0, 2**31), st.integers(0, 2**53 - 1))
NARROW = st.integers(0, 2**31 - 1)
ATTACKERS = st.lists(
    st.builds(Attacker, IDS, IDS, IDS, NARROW, NARROW, st.just(False)), min_size=1, max_size=4
)


@given(attackers=ATTACKERS, blow=st.integers(0, 4))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_stored_comes_back_and_sql_reads_the_same(
    database: Database, attackers: list[Attacker], blow: int
) -> None:
    # given: at most one of them with the final blow
    told = [who._replace(final_blow=place == blow) for place, who in enumerate(attackers, 1)]
    # when: stored as the clusterer does
    text, final_blow = stored_attackers(told)
    row = database.execute(
        """
        SELECT n.a, ARRAY(SELECT unnest(attacker_ids(n.a, 1))), ARRAY(SELECT unnest(attacker_ids(n.a, 2))),
               ARRAY(SELECT unnest(attacker_ids(n.a, 3)))
        FROM (SELECT t::integer[] AS a FROM unnest(%s::text[]) AS t) AS n
        """,
        (literal([text]),),
    ).fetchone()
    # then
    assert row is not None
    stored, *ids = row
    assert attackers_of(stored, final_blow) == tuple(told)
    assert ids == [list(column) for column in columns_of(stored)[:3]]


def test_the_migration_keeps_every_attacker(postgres: EmbeddedPostgres) -> None:
    # given: killmails as the version before stored them, one with an id of more than 31 bits
    wide = 2**52 + 5
    old = {
        1: ([90_000_001, 0], [98_000_001, 1_000_125], [99_000_001, 0], [587, 0], [900, 100]),
        2: ([wide], [98_000_001], [2**31], [587], [1000]),
        3: ([2**31 - 1], [0], [0], [670], [0]),
    }
    with connect(postgres.url("postgres")) as admin:
        admin.execute("DROP DATABASE IF EXISTS unpacked WITH (FORCE)")
        admin.execute("CREATE DATABASE unpacked")
    with psycopg.connect(postgres.url("unpacked"), autocommit=True) as before:
        before.execute(
            "CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        for migration in shipped()[: PACKED - 1]:
            before.execute(migration.sql.encode())
            before.execute(
                "INSERT INTO schema_migrations (version, name, digest) VALUES (%s, %s, %s)",
                (migration.version, migration.name, migration.digest),
            )
        for killmail_id, columns in old.items():
            before.execute(
                "INSERT INTO killmails VALUES (%s, '\\xab', to_timestamp(1640000400), 30002813, 1, 5, 6, 7, 8,"
                " %s, %s, %s, %s, %s, 1, NULL, 0)",
                (killmail_id, *columns),
            )
    # when
    with connect(postgres.url("unpacked")) as database:
        applied = migrate(database)
        rows = database.execute(
            "SELECT killmail_id, attackers, final_blow, victim_character_id, victim_ship_type_id, isk_value FROM killmails"
        ).fetchall()
    # then
    assert applied[0].startswith("0008")
    assert {row[0]: tuple(map(list, columns_of(row[1]))) for row in rows} == old
    assert {row[0]: len(row[1]) for row in rows} == {1: 5, 2: 8, 3: 5}
    assert {row[2:] for row in rows} == {(1, 5, 8, None)}
