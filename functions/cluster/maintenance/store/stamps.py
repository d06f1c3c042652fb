"""Stamps of the change feed (`changed_in`) that no transaction of this server can have made.

The feed tells of a row once every transaction up to its stamp has ended, so it would wait for those for ever.
"""

from battlescope.database import Database

TABLES = ("battles", "battle_aliases")


def renew(connection: Database, table: str, limit: int) -> int:
    """Stamp up to so many such rows as changed now; how many there were.

    What a worker holds is left out: it stamps what it changes.
    """
    return connection.execute(
        f"""
        UPDATE {table} SET changed_in = pg_current_xact_id()
        WHERE id IN (
            SELECT id FROM {table} WHERE changed_in >= pg_snapshot_xmax(pg_current_snapshot())
            ORDER BY changed_in, id LIMIT %s
            FOR NO KEY UPDATE SKIP LOCKED
        )
        """,  # noqa: S608 - of TABLES
        (limit,),
    ).rowcount
