"""The baseline of everything that writes: a bare COPY of the very rows that were written."""

import time
from collections.abc import Iterator
from itertools import batched

from battlescope.database import Database

TABLES = (
    "killmails",
    "battles",
    "battle_killmails",
    "battle_participants",
    "battle_entities",
    "battle_sides",
)
COPIES = 5
"""The median of so many COPYs: each takes part of a second, and a shared machine is not always as quick."""


def copies(connection: Database) -> Iterator[float]:
    """Seconds of each COPY of all rows, in one transaction, into empty tables with the same indexes."""
    rows = {}
    columns = {}
    for table in TABLES:
        names = connection.execute(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
            (table,),
        ).fetchone()
        assert names is not None
        columns[table] = names[0]
        with connection.cursor().copy(f"COPY {table} ({columns[table]}) TO STDOUT".encode()) as out:
            rows[table] = [bytes(block) for block in out]
    for _ in range(COPIES):
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS copy_{table}".encode())
            connection.execute(f"CREATE TABLE copy_{table} (LIKE {table} INCLUDING ALL)".encode())
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            for table in TABLES:
                with cursor.copy(f"COPY copy_{table} ({columns[table]}) FROM STDIN".encode()) as copy:
                    for block in batched(rows[table], 500, strict=False):
                        copy.write(b"".join(block))
        yield time.perf_counter() - started
