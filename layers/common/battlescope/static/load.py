"""Static data into the database, set by set; nothing is done where an edition is there already."""

from collections.abc import Sequence
from typing import Any

from battlescope.database import Database
from battlescope.static.tables import Edition, Region, ShipType, SolarSystem, Table

_LOCK = 7_236_114_002
"""Key of the advisory lock that lets one load run at a time."""

_UPSERTS = {
    "regions": """
        INSERT INTO regions AS held (region_id, name)
        SELECT * FROM unnest(%s::bigint[], %s::text[])
        ON CONFLICT (region_id) DO UPDATE SET name = excluded.name
        WHERE held IS DISTINCT FROM excluded
        """,
    "solar_systems": """
        INSERT INTO solar_systems AS held
            (system_id, name, constellation_id, constellation_name, region_id, security_status)
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::real[])
        ON CONFLICT (system_id) DO UPDATE SET
            name = excluded.name, constellation_id = excluded.constellation_id,
            constellation_name = excluded.constellation_name, region_id = excluded.region_id,
            security_status = excluded.security_status
        WHERE held IS DISTINCT FROM excluded
        """,
    "ship_types": """
        INSERT INTO ship_types AS held
            (ship_type_id, name, group_id, group_name, category_id, category_name)
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::text[])
        ON CONFLICT (ship_type_id) DO UPDATE SET
            name = excluded.name, group_id = excluded.group_id, group_name = excluded.group_name,
            category_id = excluded.category_id, category_name = excluded.category_name
        WHERE held IS DISTINCT FROM excluded
        """,
}


def load_edition(connection: Database, edition: Edition) -> list[str]:
    """Bring the static tables to `edition`; the names of those that changed.

    A table that holds a later build stays as it is, so that tables refreshed from CCP outlive the next start. Rows
    that an edition no longer has stay too: old killmails name them. Safe to run twice, and in parallel.
    """
    tables: dict[str, Table[Region] | Table[SolarSystem] | Table[ShipType]] = {
        "regions": edition.regions,
        "solar_systems": edition.solar_systems,
        "ship_types": edition.ship_types,
    }
    loaded = []
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        held: dict[str, str] = dict(
            connection.execute("SELECT table_name, digest FROM static_editions").fetchall()
        )
        for name, table in tables.items():
            if _is_newer(table, held.get(name)):
                _load(connection, name, table.build, table.digest(), table.rows)
                loaded.append(name)
        if "solar_systems" in loaded:
            connection.execute(
                """
                UPDATE battles b SET region_id = s.region_id FROM solar_systems s
                WHERE s.system_id = b.system_id AND b.region_id IS DISTINCT FROM s.region_id
                """
            )
    return loaded


def _is_newer(table: Table[Any], held: str | None) -> bool:
    if held is None:
        return True
    build, digest = held.split(":")
    return table.build >= int(build) and table.digest() != digest


def _load(
    connection: Database, name: str, build: int, digest: str, rows: Sequence[tuple[int | str | float, ...]]
) -> None:
    connection.execute(_UPSERTS[name].encode(), [list(column) for column in zip(*rows, strict=True)])
    connection.execute(
        """
        INSERT INTO static_editions (table_name, digest) VALUES (%s, %s)
        ON CONFLICT (table_name) DO UPDATE SET digest = excluded.digest, loaded_at = now()
        """,
        (name, f"{build}:{digest}"),
    )
