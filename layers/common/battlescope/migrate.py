"""Numbered `.sql` files, applied in order under an advisory lock.

Safe to run twice, in parallel and beside running workers: each file is one transaction, and what was applied is
recorded with its digest. A file that changed after it was applied is an error, and so is a database that a newer
version of BattleScope has migrated.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files

import psycopg

from battlescope.database import Database, one_line
from battlescope.errors import MigrationError

_LOCK = 7_236_114_001
"""Key of the advisory lock that lets one migration run at a time."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """What tells whether the file is the one that was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped() -> list[Migration]:
    """The migrations of this version, in order."""
    paths = [path for path in files("battlescope.migrations").iterdir() if path.name.endswith(".sql")]
    return sorted(
        (Migration(int(path.name[:4]), path.name.removesuffix(".sql"), path.read_text()) for path in paths),
        key=lambda migration: migration.version,
    )


def newest_version() -> int:
    """The schema version that this code needs."""
    return shipped()[-1].version


def current_version(connection: Database) -> int:
    """The schema version of the database, 0 where it was never migrated."""
    if connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,):
        return 0
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchone()
    return int(row[0]) if row else 0


def migrate(connection: Database) -> list[str]:
    """Bring the database to the newest version; the names of the migrations applied now.

    Raises:
        MigrationError: the database is newer than this code, or an applied file has changed, or a file fails.
    """
    applied = []
    for migration in [None, *shipped()]:
        with exclusively(connection):
            if migration is None:
                _prepare(connection)
            elif not _is_applied(connection, migration):
                _apply(connection, migration)
                applied.append(migration.name)
    return applied


@contextmanager
def exclusively(connection: Database) -> Iterator[None]:
    """A transaction that changes the schema, or who may do what in it; one at a time."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        yield


def _prepare(connection: Database) -> None:
    try:
        connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version    integer     PRIMARY KEY,
                name       text        NOT NULL,
                digest     text        NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
    except psycopg.Error as error:
        raise MigrationError(
            f"the database cannot be migrated ({one_line(error)}): "
            "does the role that DB_URL names have CREATE on its schema?"
        ) from error
    version = current_version(connection)
    if version > newest_version():
        raise MigrationError(
            f"the database has schema version {version}, this BattleScope knows up to {newest_version()}: "
            "use the newer BattleScope that migrated it"
        )


def _is_applied(connection: Database, migration: Migration) -> bool:
    row = connection.execute(
        "SELECT digest FROM schema_migrations WHERE version = %s", (migration.version,)
    ).fetchone()
    if row is not None and row[0] != migration.digest:
        raise MigrationError(f"migration {migration.name} was changed after it was applied to this database")
    return row is not None


def _apply(connection: Database, migration: Migration) -> None:
    try:
        connection.execute(migration.sql.encode())
    except psycopg.Error as error:
        raise MigrationError(f"migration {migration.name} failed: {one_line(error)}") from error
    connection.execute(
        "INSERT INTO schema_migrations (version, name, digest) VALUES (%s, %s, %s)",
        (migration.version, migration.name, migration.digest),
    )
