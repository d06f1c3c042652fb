"""What a database holds, byte for byte, clock columns, revisions and the list of aliases aside."""

import hashlib
from uuid import UUID

from battlescope.database import Database
from cluster.engine.whole import digest

COMPARED = {
    "killmails": "*",
    "battles": (
        "id, system_id, space_type, start_time, end_time, total_kills, total_isk_destroyed, zkill_related_url,"
        " first_killmail_id, losses, pilots, evidence, region_id"
    ),
    "battle_killmails": "*",
    "battle_participants": "*",
    "battle_sides": "*",
    "battle_entities": "*",
}


def dump(database: Database) -> dict[str, list[str]]:
    """Every row of every table that is a function of the killmails stored, as text, sorted."""
    return {
        table: [
            row[0]
            for row in database.execute(
                f"SELECT (t.*)::text FROM (SELECT {columns} FROM {table}) t ORDER BY 1"
            )
        ]
        for table, columns in COMPARED.items()
    }


def empty(database: Database) -> None:
    """Forget all killmails and what was made of them; quicker than TRUNCATE where there is little to delete."""
    for table in (*COMPARED, "battle_aliases", "maintenance_progress"):
        database.execute(f"DELETE FROM {table}")


def fingerprint(database: Database) -> dict[str, str]:
    """`dump`, each table as the sha256 of its rows."""
    return {
        table: f"{len(rows)} rows {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()}"
        for table, rows in dump(database).items()
    }


def stored_digest(database: Database) -> str:
    """The digest of the stored battles, as the engine makes it."""
    rows = database.execute(
        "SELECT array_agg(killmail_id ORDER BY killmail_id) FROM battle_killmails GROUP BY battle_id"
    )
    return digest(row[0] for row in rows)


def unresolved_aliases(database: Database) -> list[UUID]:
    """Aliases whose killmail is not stored, so that they lead nowhere."""
    rows = database.execute(
        "SELECT id FROM battle_aliases a WHERE NOT EXISTS (SELECT FROM killmails k WHERE k.killmail_id = a.killmail_id)"
    )
    return [row[0] for row in rows]


def orphans(database: Database) -> dict[str, int]:
    """Rows of a battle's tables that belong to no battle."""
    found = {}
    for table, key, column in (
        ("battle_killmails", "battle_id", "id"),
        ("battle_participants", "battle_id", "id"),
        ("battle_entities", "first_killmail_id", "first_killmail_id"),
        ("battle_sides", "battle_id", "id"),
    ):
        row = database.execute(
            f"SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT FROM battles b WHERE b.{column} = t.{key})"
        ).fetchone()
        assert row is not None
        if row[0]:
            found[table] = row[0]
    return found
