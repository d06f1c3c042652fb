"""The tables that ship with the project."""

import csv
import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest

from battlescope import static
from battlescope.space import POCHVEN_SYSTEM_IDS, security_band
from battlescope.static.tables import (
    Region,
    ShipType,
    SolarSystem,
    Table,
    decode,
    is_ship_type,
    ship_type_rows,
    solar_system_rows,
)


def test_a_solar_system_tells_where_it_lies() -> None:
    jorund = static.solar_systems()[30001046]
    assert (jorund.name, static.regions()[jorund.region_id].name) == ("Jorund", "Curse")
    assert security_band(jorund.security_status) == "nullsec"


def test_a_ship_type_tells_its_group_and_category() -> None:
    assert static.ship_types()[670] == ShipType(670, "Capsule", 29, "Capsule", 6, "Ship")


def test_every_system_lies_in_a_known_region() -> None:
    assert {system.region_id for system in static.solar_systems().values()} <= set(static.regions())


def test_every_pochven_system_is_known() -> None:
    assert set(static.solar_systems()) >= POCHVEN_SYSTEM_IDS


@pytest.mark.parametrize(
    ("ship_type_id", "category"),
    [(587, "Ship"), (35832, "Structure"), (33475, "Deployable"), (3885, "Entity"), (2233, "Orbitals")],
)
def test_whatever_dies_or_kills_is_a_ship_type(ship_type_id: int, category: str) -> None:
    assert static.ship_types()[ship_type_id].category_name == category


def test_the_files_are_small() -> None:
    sizes = [len(path.read_bytes()) for path in _shipped_files()]
    assert len(sizes) == 3
    assert sum(sizes) < 300_000


def test_the_files_tell_nothing_of_when_and_where_they_were_made() -> None:
    for path in _shipped_files():
        head = path.read_bytes()[:10]
        assert head[3] == 0, "no file name"
        assert head[4:8] == bytes(4), "no time"


def test_a_table_survives_its_file() -> None:
    rows = (ShipType(1, 'Comma, "quote"\nline', 2, "Ünïcode", 6, "Ship"), ShipType(2, "b", 2, "", 6, "Ship"))
    table = Table(row_type=ShipType, build=77, rows=rows)
    assert decode(ShipType, table.encode()) == table


def test_the_order_of_rows_changes_neither_file_nor_digest() -> None:
    rows = (Region(1, "a"), Region(2, "b"))
    forward, backward = (
        Table(row_type=Region, build=1, rows=rows),
        Table(row_type=Region, build=1, rows=rows[::-1]),
    )
    assert forward.encode() == backward.encode()
    assert forward.digest() == backward.digest()


def test_the_digest_tells_a_changed_row() -> None:
    before = Table(row_type=Region, build=1, rows=(Region(1, "a"),))
    after = Table(row_type=Region, build=1, rows=(Region(1, "b"),))
    assert before.digest() != after.digest()


def test_rows_are_joined_and_others_left_out() -> None:
    systems = solar_system_rows([(30, "S", 20, -0.00000001)], {20: ("C", 10)})
    assert systems == (SolarSystem(30, "S", 20, "C", 10, 0.0),)
    assert str(systems[0].security_status) == "0.0"
    types = ship_type_rows(
        [(1, "Hull", 100), (2, "Skin", 200)], {100: ("G", 6), 200: ("K", 91)}, {6: "Ship", 91: "SKINs"}
    )
    assert types == (ShipType(1, "Hull", 100, "G", 6, "Ship"),)


def test_scenery_is_no_ship_type_but_abyssal_hazards_are() -> None:
    assert not is_ship_type(category_id=2, group_id=227)
    assert is_ship_type(category_id=2, group_id=1971)


@pytest.mark.real_days
def test_nearly_everything_on_real_killmails_is_known(real_data: Path) -> None:
    types, systems = static.ship_types(), static.solar_systems()
    named = unknown = 0
    with gzip.open(real_data / "killmails-2021-12-01.jsonl.gz", "rt") as lines:
        for line in lines:
            killmail = json.loads(line)
            assert killmail["solar_system_id"] in systems
            assert killmail["victim"]["ship_type_id"] in types
            ids = [attacker.get("ship_type_id") for attacker in killmail["attackers"]]
            named += sum(ship_type_id in types for ship_type_id in ids if ship_type_id)
            unknown += sum(ship_type_id not in types for ship_type_id in ids if ship_type_id)
    assert unknown < named / 1000


@pytest.mark.real_days
def test_the_tables_agree_with_those_of_august_2026(real_data: Path) -> None:
    with gzip.open(real_data / "solar_systems.csv.gz", "rt", newline="") as lines:
        systems = {int(row["solar_system_id"]): row for row in csv.DictReader(lines)}
    with gzip.open(real_data / "ship_types.csv.gz", "rt", newline="") as lines:
        types = {int(row["type_id"]): row for row in csv.DictReader(lines)}
    ours = static.solar_systems()
    newer = set(systems) - set(ours)
    assert len(newer) <= 54, "the region Exordium and one more system are newer than our source"
    for system_id in set(systems) - newer:
        theirs = systems[system_id]
        assert (ours[system_id].name, ours[system_id].constellation_name) == (
            theirs["solar_system_name"],
            theirs["constellation_name"],
        )
        assert security_band(ours[system_id].security_status) == security_band(
            float(theirs["security_status"])
        )
    for type_id, theirs in types.items():
        assert static.ship_types()[type_id].name == theirs["type_name"]


def _shipped_files() -> list[Path]:
    return [
        Path(str(path)) for path in files("battlescope.static").iterdir() if path.name.endswith(".csv.gz")
    ]
