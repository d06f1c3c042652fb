"""The rows of CCP's static data, and the files that they ship in.

A file is a gzipped CSV: a line `build N` (CCP's number of the export, 0 for one from before exports had numbers), a
line of field names, then the rows in the order of their ids. The same rows make the same bytes.
"""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

SHIP_CATEGORY_IDS = frozenset({6, 8, 11, 18, 22, 23, 40, 46, 65, 66, 87})
"""What flies, shoots or is shot on killmails: ship, charge (missiles and bombs), entity (NPCs), drone, deployable,
starbase, sovereignty structure, orbital, structure, structure module, fighter."""

SHIP_GROUP_IDS = frozenset({1971, 1981})
"""Celestials that kill: Triglavian support pylons, abyssal hazards."""


class Region(NamedTuple):
    """A region."""

    region_id: int
    name: str


class SolarSystem(NamedTuple):
    """A solar system; `security_status` from -1 to 1, to six places."""

    system_id: int
    name: str
    constellation_id: int
    constellation_name: str
    region_id: int
    security_status: float


class ShipType(NamedTuple):
    """What the `ship_type_id` of a victim or an attacker can name."""

    ship_type_id: int
    name: str
    group_id: int
    group_name: str
    category_id: int
    category_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table[Row: (Region, SolarSystem, ShipType)]:
    """One edition of one table."""

    row_type: type[Row]
    build: int
    rows: tuple[Row, ...]

    def encode(self) -> bytes:
        """The file."""
        text = io.StringIO(newline="")
        text.write(f"build {self.build}\n")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.row_type._fields)
        writer.writerows(sorted(self.rows))
        return gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)

    def digest(self) -> str:
        """What tells this edition from others: a hash of the rows alone."""
        lines = "\n".join(repr(tuple(row)) for row in sorted(self.rows))
        return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The three tables."""

    regions: Table[Region]
    solar_systems: Table[SolarSystem]
    ship_types: Table[ShipType]


def decode[Row: (Region, SolarSystem, ShipType)](row_type: type[Row], data: bytes) -> Table[Row]:
    """The table in a file."""
    lines = io.StringIO(gzip.decompress(data).decode(), newline="")
    build = int(lines.readline().removeprefix("build "))
    reader = csv.reader(lines)
    next(reader)
    convert = tuple(row_type.__annotations__.values())
    rows = tuple(
        row_type(*(to_type(field) for to_type, field in zip(convert, row, strict=True))) for row in reader
    )
    return Table(row_type=row_type, build=build, rows=rows)


def is_ship_type(category_id: int, group_id: int) -> bool:
    """Whether a type belongs into the table of ship types."""
    return category_id in SHIP_CATEGORY_IDS or group_id in SHIP_GROUP_IDS


def solar_system_rows(
    systems: Iterable[tuple[int, str, int, float]], constellations: dict[int, tuple[str, int]]
) -> tuple[SolarSystem, ...]:
    """Rows from `(id, name, constellation, security)` and constellation -> `(name, region)`."""
    return tuple(
        SolarSystem(
            system_id, name, constellation_id, *constellations[constellation_id], round(security, 6) + 0.0
        )
        for system_id, name, constellation_id, security in systems
    )


def ship_type_rows(
    types: Iterable[tuple[int, str, int]], groups: dict[int, tuple[str, int]], categories: dict[int, str]
) -> tuple[ShipType, ...]:
    """Rows from `(id, name, group)`, group -> `(name, category)` and category -> name; other types are left out."""
    return tuple(
        ShipType(type_id, name, group_id, groups[group_id][0], category_id, categories[category_id])
        for type_id, name, group_id in types
        if is_ship_type(category_id := groups[group_id][1], group_id)
    )
