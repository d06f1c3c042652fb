"""`battlescope static update`: the static tables of the database, refreshed from CCP's export.

The export is a zip of JSON lines (facts of its shape: CCP's documentation of the static data export). A row's id is
`_key`; names come in all languages, as `{"en": ...}`; `_sde.jsonl` tells the build.
"""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Annotated

import urllib3
from pydantic import BaseModel, ConfigDict, Field

from battlescope.database import Database, one_line
from battlescope.errors import LaptopError
from battlescope.static.load import load_edition
from battlescope.static.tables import (
    Edition,
    Region,
    ShipType,
    SolarSystem,
    Table,
    ship_type_rows,
    solar_system_rows,
)

EXPORT_URL = "https://developers.eveonline.com/static-data/eve-online-static-data-latest-jsonl.zip"

ZIP_BYTES_MAX = 1 << 30
"""Ten times what the export takes; more is not the export."""

MEMBER_BYTES_MAX = 2 << 30
"""More than its largest file, unpacked."""

_MISSHAPEN = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, RuntimeError)
"""What zipfile, pydantic and the joins below raise for a file that is something else."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    key: Annotated[int, Field(alias="_key", ge=0)]


class _Name(BaseModel):
    en: str


class _Named(_Row):
    name: _Name


class _Constellation(_Named):
    region_id: Annotated[int, Field(alias="regionID", gt=0)]


class _SolarSystem(_Named):
    constellation_id: Annotated[int, Field(alias="constellationID", gt=0)]
    security_status: Annotated[float, Field(alias="securityStatus", ge=-1, le=1)] = 0.0


class _Group(_Named):
    category_id: Annotated[int, Field(alias="categoryID", ge=0)]


class _Type(_Named):
    group_id: Annotated[int, Field(alias="groupID", ge=0)]


class _Export(BaseModel):
    build: Annotated[int, Field(alias="buildNumber", gt=0)]


def update(connection: Database, *, url: str = EXPORT_URL, timeout_s: float = 30.0) -> list[str]:
    """Load CCP's export at `url` into the database; the names of the tables that changed.

    Raises:
        LaptopError: the export cannot be fetched, or is not what it should be; the database stays as it was.
    """
    with tempfile.TemporaryFile() as file:
        _fetch(url, file, timeout_s)
        try:
            edition = read_export(file)
        except _MISSHAPEN as error:
            raise LaptopError(
                f"{url} is not CCP's static data export in JSON lines: {type(error).__name__}: {one_line(error)}"
            ) from error
    return load_edition(connection, edition)


def read_export(file: IO[bytes]) -> Edition:
    """The static tables in CCP's zip of JSON lines.

    Raises:
        ValueError, LookupError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError: it is something else.
    """
    with zipfile.ZipFile(file) as archive:
        build = max(row.build for row in _rows(archive, "_sde.jsonl", _Export))
        constellations = {
            row.key: (row.name.en, row.region_id)
            for row in _rows(archive, "mapConstellations.jsonl", _Constellation)
        }
        regions = tuple(Region(row.key, row.name.en) for row in _rows(archive, "mapRegions.jsonl", _Named))
        systems = solar_system_rows(
            (
                (row.key, row.name.en, row.constellation_id, row.security_status)
                for row in _rows(archive, "mapSolarSystems.jsonl", _SolarSystem)
            ),
            constellations,
        )
        categories = {row.key: row.name.en for row in _rows(archive, "categories.jsonl", _Named)}
        groups = {row.key: (row.name.en, row.category_id) for row in _rows(archive, "groups.jsonl", _Group)}
        ship_types = ship_type_rows(
            ((row.key, row.name.en, row.group_id) for row in _rows(archive, "types.jsonl", _Type)),
            groups,
            categories,
        )
    return Edition(
        regions=Table(row_type=Region, build=build, rows=regions),
        solar_systems=Table(row_type=SolarSystem, build=build, rows=systems),
        ship_types=Table(row_type=ShipType, build=build, rows=ship_types),
    )


def _rows[Row: BaseModel](archive: zipfile.ZipFile, name: str, row_type: type[Row]) -> Iterator[Row]:
    if archive.getinfo(name).file_size > MEMBER_BYTES_MAX:
        raise zipfile.BadZipFile(f"{name} unpacks to more than {MEMBER_BYTES_MAX} bytes")
    count = 0
    with archive.open(name) as lines:
        for count, line in enumerate(lines, 1):  # noqa: B007 - it is needed after the loop
            yield row_type.model_validate_json(line)
    if not count:
        raise ValueError(f"{name} is empty")


def _fetch(url: str, file: IO[bytes], timeout_s: float) -> None:
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=timeout_s, read=timeout_s), retries=urllib3.Retry(2, redirect=5)
    )
    try:
        response = pool.request("GET", url, preload_content=False)
        try:
            if response.status != 200:
                raise LaptopError(f"{url} answered {response.status}: is this still where CCP's export lies?")
            while chunk := response.read(1 << 20):
                file.write(chunk)
                if file.tell() > ZIP_BYTES_MAX:
                    raise LaptopError(f"{url} sends more than {ZIP_BYTES_MAX} bytes: not CCP's export")
        finally:
            response.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise LaptopError(
            f"{url} cannot be fetched: {one_line(error)}; is the internet reachable from here?"
        ) from error
    finally:
        pool.clear()
