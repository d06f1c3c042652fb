"""PostgreSQL's own tables: how stale statistics are, and how bloated indexes. No superuser is needed, only ownership."""

from typing import NamedTuple

from psycopg import sql

from battlescope.database import Database

_OURS = "c.relnamespace = current_schema()::regnamespace AND pg_has_role(c.relowner, 'USAGE')"
"""Tables and indexes that this role may maintain."""


class Index(NamedTuple):
    """A b-tree and its size.

    Attributes:
        name: of the index.
        pages: of 8 KiB, as they are.
        expected_pages: about as many as a new one would have.
    """

    name: str
    pages: int
    expected_pages: int


def stale_tables(connection: Database, *, rows: int, share: float) -> list[str]:
    """Tables of which more than `rows` rows and a `share` changed since they were analysed, or that never were."""
    found = connection.execute(
        f"""
        SELECT c.relname
        FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
        WHERE c.relkind = 'r' AND {_OURS}
          AND s.n_mod_since_analyze > %s + %s * greatest(c.reltuples, 0)
        ORDER BY c.relname
        """,  # noqa: S608 - a constant condition
        (rows, share),
    )
    return [row[0] for row in found]


def analyze(connection: Database, table: str) -> None:
    """Let the planner know what is in a table now; readers and writers go on."""
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def indexes(connection: Database) -> list[Index]:
    """Our b-trees on columns, the largest first.

    What a new one would have is told from the statistics: an entry takes its columns' average width, 8 bytes of head (with
    the null bitmap and alignment at most 8 more) and a pointer of 4; leaves are filled to 90 %. Equal keys share an
    entry since PostgreSQL 13, so that an index of many equal keys is smaller than told here, and so never looks bloated
    when it is not.
    """
    found = connection.execute(
        f"""
        SELECT c.relname, c.relpages,
               ceil(greatest(c.reltuples, 0) * (12 + 8 * ceil(width.bytes / 8.0)) / (0.9 * (8192 - 40)))::bigint + 2
        FROM pg_class c
        JOIN pg_index i ON i.indexrelid = c.oid
        JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
        CROSS JOIN LATERAL (
            SELECT sum(coalesce(s.avg_width, 8)) AS bytes
            FROM unnest(i.indkey) AS key (attnum)
            JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attnum = key.attnum
            LEFT JOIN pg_stats s
                ON s.schemaname = current_schema() AND s.tablename = i.indrelid::regclass::text
               AND s.attname = t.attname
        ) AS width
        WHERE c.relkind = 'i' AND i.indisvalid AND i.indexprs IS NULL AND {_OURS}  -- of expressions no width is known
        ORDER BY c.relpages DESC, c.relname
        """,  # noqa: S608 - a constant condition
    )
    return [Index(*row) for row in found]


def abandoned_indexes(connection: Database) -> list[str]:
    """What is left of rebuilds that were broken off."""
    found = connection.execute(
        rf"""
        SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
        WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)\d*$' AND {_OURS} ORDER BY c.relname
        """  # noqa: S608 - a constant condition
    )
    return [row[0] for row in found]


def drop_index(connection: Database, index: str) -> None:
    """Remove an index; readers and writers go on."""
    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(index)))


def rebuild_index(connection: Database, index: str) -> None:
    """Build an index anew beside the old one, and put it in its place; readers and writers go on."""
    connection.execute(sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(sql.Identifier(index)))
