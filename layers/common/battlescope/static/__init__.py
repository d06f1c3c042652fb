"""CCP's static data: the tables that ship with the project, and their way into the database.

The files are made by `scripts/static_data.py`. An id that is not in them works, and shows as its number.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from battlescope.database import Database
from battlescope.static.load import load_edition
from battlescope.static.tables import Edition, Region, ShipType, SolarSystem, Table, decode

__all__ = [
    "Region",
    "ShipType",
    "SolarSystem",
    "load_into",
    "regions",
    "ship_types",
    "shipped",
    "solar_systems",
]


def load_into(connection: Database) -> list[str]:
    """Load the shipped tables where the database does not hold them or later ones; the tables that changed."""
    return load_edition(connection, shipped())


@cache
def shipped() -> Edition:
    """The tables of this version of BattleScope."""
    return Edition(
        regions=_read(Region, "regions"),
        solar_systems=_read(SolarSystem, "solar_systems"),
        ship_types=_read(ShipType, "ship_types"),
    )


@cache
def regions() -> Mapping[int, Region]:
    """Regions by id."""
    return {row.region_id: row for row in shipped().regions.rows}


@cache
def solar_systems() -> Mapping[int, SolarSystem]:
    """Solar systems by id."""
    return {row.system_id: row for row in shipped().solar_systems.rows}


@cache
def ship_types() -> Mapping[int, ShipType]:
    """Ship types by id."""
    return {row.ship_type_id: row for row in shipped().ship_types.rows}


def _read[Row: (Region, SolarSystem, ShipType)](row_type: type[Row], name: str) -> Table[Row]:
    return decode(row_type, files(__name__).joinpath(f"{name}.csv.gz").read_bytes())
