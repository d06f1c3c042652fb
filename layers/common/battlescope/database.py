"""The one place that opens connections to PostgreSQL.

No pool here: a Lambda environment serves one request at a time, so one lazy connection per environment is all it
can use. Nothing on a connection pins it to a backend behind RDS Proxy, or is refused by it: no named prepared
statements, no start-up options, no SET, no session locks, no server-side cursors.
"""

from collections.abc import Callable

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from battlescope.errors import DatabaseError

CONNECT_TIMEOUT_S = 5

type Database = Connection[TupleRow]


def connect(db_url: str) -> Database:
    """A new autocommit connection; transactions are explicit, as `with connection.transaction()`.

    Args:
        db_url: a connection string, or the ARN of the secret that holds it.

    Raises:
        DatabaseError: the server is away or refuses, or the secret does.
    """
    if not db_url.startswith("arn:"):
        return _connect(db_url)
    from battlescope import database_secret  # noqa: PLC0415 - only on AWS

    url = database_secret.resolve(db_url)
    try:
        return _connect(url)
    except DatabaseError:
        renewed = database_secret.resolve(db_url, anew=True)  # it may have been rotated
        if renewed == url:
            raise
        return _connect(renewed)


def _connect(url: str) -> Database:
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="battlescope",
        )
    except psycopg.Error as error:
        raise DatabaseError(f"no connection to the database DB_URL names: {one_line(error)}") from error


class LazyConnection:
    """One connection per environment, opened at first use and again after it broke."""

    def __init__(self, db_url: str) -> None:
        self._db_url = db_url
        self._connection: Database | None = None

    def get(self) -> Database:
        """The connection, opened where there is none.

        Raises:
            DatabaseError: the server is away or refuses.
        """
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = connect(self._db_url)
        return self._connection

    def run[T](self, work: Callable[[Database], T]) -> T:
        """`work(connection)`, once more on a new connection where the old one turned out to be broken.

        `work` must be safe to repeat: what it did is rolled back with the connection, or is idempotent.

        Raises:
            DatabaseError: the server is away or refuses.
        """
        try:
            return work(self.get())
        except (psycopg.OperationalError, psycopg.InterfaceError):
            if self._connection is not None and not (self._connection.closed or self._connection.broken):
                raise  # the connection is sound, so the error is about the work
            self.close()
        try:
            return work(self.get())
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise DatabaseError(f"the database went away: {one_line(error)}") from error

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def one_line(error: BaseException) -> str:
    """An error's message on one line."""
    return " ".join(str(error).split())
