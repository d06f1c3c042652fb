"""Static data in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from battlescope import static
from battlescope.database import Database, connect
from battlescope.static.load import load_edition
from battlescope.static.tables import Edition, Region, ShipType, SolarSystem, Table


def edition(*regions: Region, build: int = 1) -> Edition:
    return Edition(
        regions=Table(row_type=Region, build=build, rows=regions),
        solar_systems=Table(
            row_type=SolarSystem, build=build, rows=(SolarSystem(30, "S", 20, "C", 10, 0.25),)
        ),
        ship_types=Table(row_type=ShipType, build=build, rows=(ShipType(1, "Hull", 2, "G", 6, "Ship"),)),
    )


def regions(database: Database) -> list[tuple[int, str]]:
    return database.execute("SELECT region_id, name FROM regions ORDER BY 1").fetchall()


def test_the_shipped_tables_are_loaded_once(database: Database) -> None:
    assert static.load_into(database) == ["regions", "solar_systems", "ship_types"]
    assert static.load_into(database) == []
    counts = database.execute(
        "SELECT (SELECT count(*) FROM regions), (SELECT count(*) FROM solar_systems), (SELECT count(*) FROM ship_types)"
    ).fetchone()
    assert counts == (len(static.regions()), len(static.solar_systems()), len(static.ship_types()))


def test_a_loaded_system_is_the_shipped_one(database: Database) -> None:
    static.load_into(database)
    row = database.execute(
        "SELECT name, constellation_name, region_id, security_status FROM solar_systems WHERE system_id = 30002813"
    ).fetchone()
    tama = static.solar_systems()[30002813]
    assert row is not None
    assert row[:3] == (tama.name, tama.constellation_name, tama.region_id)
    assert abs(row[3] - tama.security_status) < 1e-6


def test_a_changed_table_alone_is_loaded_again(database: Database) -> None:
    load_edition(database, edition(Region(10, "before"), Region(11, "same")))
    assert load_edition(database, edition(Region(10, "after"), Region(11, "same"))) == ["regions"]
    assert regions(database) == [(10, "after"), (11, "same")]


def test_rows_that_an_edition_no_longer_has_stay(database: Database) -> None:
    load_edition(database, edition(Region(10, "a"), Region(11, "gone")))
    load_edition(database, edition(Region(10, "a")))
    assert regions(database) == [(10, "a"), (11, "gone")]


def test_an_older_build_changes_nothing(database: Database) -> None:
    load_edition(database, edition(Region(10, "new"), build=8))
    assert load_edition(database, edition(Region(10, "old"), build=7)) == []
    assert regions(database) == [(10, "new")]


def test_the_same_rows_of_a_newer_build_are_not_loaded_again(database: Database) -> None:
    load_edition(database, edition(Region(10, "a"), build=7))
    assert load_edition(database, edition(Region(10, "a"), build=8)) == []


def test_parallel_loads_load_once(database: Database, db_url: str) -> None:
    def load(_: int) -> list[str]:
        with connect(db_url) as connection:
            return static.load_into(connection)

    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(load, range(4)))
    assert sorted(map(len, loaded)) == [0, 0, 0, 3]
    row = database.execute("SELECT count(*) FROM ship_types").fetchone()
    assert row == (len(static.ship_types()),)


def test_one_broken_table_leaves_the_database_as_it_was(database: Database) -> None:
    load_edition(database, edition(Region(10, "a")))
    twice = replace(
        edition(Region(10, "b")),
        ship_types=Table(
            row_type=ShipType,
            build=1,
            rows=(ShipType(5, "x", 2, "G", 6, "Ship"), ShipType(5, "y", 2, "G", 6, "Ship")),
        ),
    )
    with pytest.raises(psycopg.errors.CardinalityViolation):
        load_edition(database, twice)
    assert regions(database) == [(10, "a")]
