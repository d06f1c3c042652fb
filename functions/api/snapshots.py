"""How the API reads: one bounded, read-only snapshot of PostgreSQL per request.

Where connections come from is the caller's business: one per Lambda environment (`OneConnection`), a pool in a
process that serves many requests at once (`api.pool`).
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Protocol

import psycopg

from api.problems import QueryTimeoutError
from battlescope.database import Database, LazyConnection, one_line
from battlescope.errors import DatabaseError, MigrationError


class Connections(Protocol):
    """Lends connections."""

    def run[T](self, work: Callable[[Database], T]) -> T:
        """`work(connection)`, once more on a new connection where the old one turned out to be broken."""


class OneConnection(LazyConnection):
    """A Lambda environment's only connection, for one request at a time."""

    def __init__(self, db_url: str) -> None:
        super().__init__(db_url)
        self._lock = Lock()

    def run[T](self, work: Callable[[Database], T]) -> T:
        """As `LazyConnection.run`, one after the other."""
        with self._lock:
            return super().run(work)


class Snapshots:
    """The `Reader` of PostgreSQL: each read is a transaction of its own.

    The transaction gives a request one snapshot (an answer never mixes two revisions of a battle), forbids writing,
    and carries the time limit and the time zone: SET LOCAL ends with it, so RDS Proxy keeps the connection for the
    transaction only, which it does anyway.

    Args:
        connections: where connections come from.
        query_timeout_s: after so long the database gives up on a statement.
    """

    def __init__(self, connections: Connections, query_timeout_s: float) -> None:
        self._connections = connections
        # One message, and so one round trip.
        self._begin = (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
            f"SET LOCAL statement_timeout = {round(query_timeout_s * 1000)}; SET LOCAL timezone = 'UTC';"
            # Compiling takes longer than any statement of this API.
            "SET LOCAL jit = off"
        )

    def read[T](self, work: Callable[[Database], T]) -> T:
        """`work(connection)`; see `Reader`."""
        try:
            return self._connections.run(lambda connection: self._in_snapshot(connection, work))
        except psycopg.errors.QueryCanceled as error:
            raise QueryTimeoutError(one_line(error)) from error
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise MigrationError(f"the schema is not this version's: {one_line(error)}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise DatabaseError(f"the database failed: {one_line(error)}") from error

    def _in_snapshot[T](self, connection: Database, work: Callable[[Database], T]) -> T:
        try:
            connection.execute(self._begin)
            found = work(connection)
        except BaseException:
            # Where this fails too the connection is broken, and what it was lent for says so.
            with suppress(psycopg.Error):
                connection.rollback()
            raise
        connection.commit()
        return found
