"""Which lists the benchmarks ask for: every filter alone, from busy to quiet, and some together or in other orders."""

from datetime import datetime, timedelta

from battlescope.database import Database

_RANKED = """
    SELECT {column} FROM (
        SELECT {column}, count(*) AS battles FROM {table} WHERE {column} IS NOT NULL GROUP BY 1
    ) counted ORDER BY battles DESC, 1 OFFSET {place} LIMIT 1
"""


def asked_of(connection: Database) -> dict[str, dict[str, str]]:
    """By name, the query of each list, for what this database holds."""

    def of(column: str, table: str, share: float) -> str:
        return ranked(connection, column, table, share)

    newest = newest_end(connection)
    alliances = "(SELECT * FROM battle_entities WHERE entity_id >= 99000000) e"
    busy, second = of("entity_id", alliances, 0), of("entity_id", alliances, 0.01)
    middling, quiet = of("entity_id", alliances, 0.3), of("entity_id", alliances, 0.95)
    pilot, quiet_pilot = (of("character_id", "battle_participants", share) for share in (0, 0.9))
    region, quiet_region = (of("region_id", "battles", share) for share in (0, 0.9))
    system, quiet_system = (of("system_id", "battles", share) for share in (0, 0.9))
    days_ago = (newest - timedelta(days=3)).isoformat()
    halfway = (newest - (newest - _oldest_start(connection)) / 2).isoformat()
    return {
        "all": {},
        "all, limit=100": {"limit": "100"},
        **{f"space={space}": {"space": space} for space in ("kspace", "jspace", "pochven", "void")},
        **{f"security={band}": {"security": band} for band in ("highsec", "lowsec", "nullsec")},
        "busy region": {"region": region},
        "quiet region": {"region": quiet_region},
        "busy system": {"system": system},
        "quiet system": {"system": quiet_system},
        "busy alliance": {"alliance": busy},
        "middling alliance": {"alliance": middling},
        "quiet alliance": {"alliance": quiet},
        "busy pilot": {"character": pilot},
        "quiet pilot": {"character": quiet_pilot},
        "busy alliance against busy": {"alliance": busy, "against": second},
        "middling alliance against busy": {"alliance": middling, "against": busy},
        "busy alliance and pilot": {"alliance": busy, "character": pilot},
        "busy alliance in jspace": {"alliance": busy, "space": "jspace"},
        "busy alliance, min_kills=100": {"alliance": busy, "min_kills": "100"},
        "since three days": {"since": days_ago},
        "until three days ago": {"until": days_ago},
        "live": {"live": "true"},
        **{f"min_kills={least}": {"min_kills": str(least)} for least in (5, 20, 100, 400)},
        **{f"min_pilots={least}": {"min_pilots": str(least)} for least in (20, 80, 400)},
        **{f"min_isk={least}b": {"min_isk": f"{least}000000000"} for least in (1, 5, 50, 200)},
        **{f"order={order}": {"order": order} for order in ("end", "isk", "kills", "pilots")},
        **{
            f"{title}, order={order}": {name: value, "order": order}
            for order in ("end", "isk")
            for title, name, value in (
                ("busy alliance", "alliance", busy),
                ("middling alliance", "alliance", middling),
                ("busy pilot", "character", pilot),
                ("busy system", "system", system),
                ("quiet region", "region", quiet_region),
                ("lowsec", "security", "lowsec"),
                ("three days", "since", days_ago),
                ("the older half", "until", halfway),
            )
        },
    }


def newest_end(connection: Database) -> datetime:
    """When the last of the battles ended, so far."""
    row = connection.execute("SELECT max(end_time) FROM battles").fetchone()
    assert row is not None
    newest: datetime = row[0]
    return newest


def _oldest_start(connection: Database) -> datetime:
    row = connection.execute("SELECT min(start_time) FROM battles").fetchone()
    assert row is not None
    oldest: datetime = row[0]
    return oldest


def ranked(connection: Database, column: str, table: str, share: float) -> str:
    """The one at this share of all, from the one with the most battles (0) to the one with the fewest (1)."""
    row = connection.execute(f"SELECT count(DISTINCT {column}) FROM {table}".encode()).fetchone()  # noqa: S608 - constants
    assert row is not None
    statement = _RANKED.format(column=column, table=table, place=int(share * (row[0] - 1)))
    found = connection.execute(statement.encode()).fetchone()
    assert found is not None
    return str(found[0])
