"""Statistics and indexes: what is stale is analysed, what is bloated is built anew, while others write."""

from threading import Event, Thread

import psycopg
import pytest

from battlescope.database import Database, LazyConnection, connect
from cluster.maintenance import tables
from cluster.maintenance.store import catalog
from cluster.maintenance.store.catalog import Index
from cluster.maintenance.tables import is_bloated, keep_up
from tests.support.budgets import ample


def pages(database: Database, index: str) -> int:
    row = database.execute("SELECT pg_relation_size(%s::regclass) / 8192", (index,)).fetchone()
    assert row is not None
    return int(row[0])


def fill(database: Database, rows: int) -> None:
    database.execute(
        "INSERT INTO battle_participants (battle_id, start_hour, character_id, ship_type_id, is_victim)"
        " SELECT gen_random_uuid(), 1, n, 1, false FROM generate_series(1, %s) n",
        (rows,),
    )
    database.execute("SELECT pg_stat_force_next_flush()")


def bloat(database: Database) -> None:
    """Most rows gone, here and there, so that no page of an index is empty."""
    fill(database, 60_000)
    database.execute("DELETE FROM battle_participants WHERE character_id % 10 <> 0")
    database.execute("VACUUM ANALYZE battle_participants")


def test_a_table_is_analysed_once_it_has_changed(database: Database, connection: LazyConnection) -> None:
    assert keep_up(connection, ample).analyzed == []
    fill(database, 2000)
    tally = keep_up(connection, ample)
    assert (tally.analyzed, tally.rebuilt, tally.is_done) == (["battle_participants"], [], True)
    assert database.execute(
        "SELECT reltuples FROM pg_class WHERE relname = 'battle_participants'"
    ).fetchone() == (2000,)
    assert keep_up(connection, ample).analyzed == []


def test_a_new_index_is_estimated_well(database: Database) -> None:
    fill(database, 60_000)
    database.execute("ANALYZE")
    database.execute("REINDEX TABLE battle_participants")
    for index in catalog.indexes(database):
        if index.name.startswith("battle_participants"):
            assert index.expected_pages == pytest.approx(pages(database, index.name), rel=0.1)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (Index("grown out of use", 10_000, 2_000), True),
        (Index("in balance", 13_000, 10_000), False),
        (Index("bloated, but small", 1_000, 100), False),
        (Index("of equal keys", 1_000, 9_000), False),
    ],
)
def test_what_pays(index: Index, expected: bool) -> None:
    assert is_bloated(index) is expected


def test_a_bloated_index_is_built_anew_beside_writers(
    database: Database, connection: LazyConnection, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bloat(database)
    monkeypatch.setattr(tables, "WASTED_PAGES_MIN", 50)
    before = pages(database, "battle_participants_pkey")
    stop = Event()
    written: list[int] = []

    def write() -> None:
        with connect(db_url) as other:
            while not stop.is_set():
                fill(other, 1)
                written.append(1)

    writer = Thread(target=write)
    writer.start()
    try:
        tally = keep_up(connection, ample)
    finally:
        stop.set()
        writer.join()
    assert tally.rebuilt == ["battle_participants_pkey", "battle_participants_character"]
    assert tally.is_done
    assert pages(database, "battle_participants_pkey") < before / 3
    assert written
    # and: what was built anew is left alone
    database.execute("ANALYZE battle_participants")
    assert keep_up(connection, ample).rebuilt == []


def test_a_rebuild_that_takes_too_long_is_broken_off_and_cleared_away(
    database: Database, connection: LazyConnection, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bloat(database)
    monkeypatch.setattr(tables, "WASTED_PAGES_MIN", 50)
    # given: a transaction that a rebuild has to wait for
    with psycopg.connect(db_url) as other:
        other.execute("DELETE FROM battle_participants WHERE character_id = 10")
        tally = keep_up(connection, lambda: 1.0)
        assert (tally.rebuilt, tally.is_done) == ([], False)
        other.rollback()
    assert catalog.abandoned_indexes(database) != []
    # when
    tally = keep_up(connection, ample)
    # then
    assert len(tally.rebuilt) == 2
    assert catalog.abandoned_indexes(database) == []


def test_an_index_is_not_begun_without_time_for_it(
    database: Database, connection: LazyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bloat(database)
    monkeypatch.setattr(tables, "WASTED_PAGES_MIN", 50)
    monkeypatch.setattr(tables, "PAGES_PER_S", 1)
    assert keep_up(connection, ample).rebuilt == []


def test_a_role_that_owns_nothing_does_nothing(database: Database, db_url: str) -> None:
    fill(database, 2000)
    database.execute("DROP ROLE IF EXISTS reader")
    database.execute("CREATE ROLE reader LOGIN")
    try:
        connection = LazyConnection(psycopg.conninfo.make_conninfo(db_url, user="reader"))
        assert keep_up(connection, ample).analyzed == []
        connection.close()
    finally:
        database.execute("DROP ROLE reader")
