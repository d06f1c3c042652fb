"""A pool of connections, for a process that serves many requests at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from api.problems import ConnectionsBusyError
from battlescope.database import Database, connect, one_line
from battlescope.errors import DatabaseError

WAIT_S = 2.0
"""How long a request waits for a connection before it is told to come again."""

RECONNECT_S = 2.0
"""How long the pool tries on its own; then the next request makes it try at once, so that it is back with the database."""


class _Connection(psycopg.Connection[TupleRow]):
    """Opened in the one place that opens connections."""

    @classmethod
    def connect(cls, conninfo: str = "", **_: Any) -> Database:  # type: ignore[override]
        return connect(conninfo)


class Pool:
    """Up to `size` connections, opened as they are needed; the database may be away at the start and at any time."""

    def __init__(self, db_url: str, size: int) -> None:
        self._size = size
        self._lent = 0
        self._lock = Lock()
        self._pool = ConnectionPool(
            db_url,
            connection_class=_Connection,
            min_size=1,
            max_size=size,
            timeout=WAIT_S,
            reconnect_timeout=RECONNECT_S,
            name="api",
            open=False,
        )

    def __enter__(self) -> Self:
        self._pool.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.close()

    def run[T](self, work: Callable[[Database], T]) -> T:
        """`work(connection)`, once more on a new connection where the old one turned out to be broken.

        Raises:
            DatabaseError: no connection was to be had in time: `ConnectionsBusyError` where all served others.
        """
        with self._borrow() as connection:
            try:
                return work(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                if not (connection.closed or connection.broken):
                    raise  # the connection is sound, so the error is about the work
        self._pool.check()  # the server went away; the other connections are likely broken too
        with self._borrow() as connection:
            return work(connection)

    def state(self) -> dict[str, float]:
        """Connections in use and idle, and how many requests wait for one."""
        told = self._pool.get_stats()
        idle = told.get("pool_available", 0)
        return {
            "used": told.get("pool_size", 0) - idle,
            "idle": idle,
            "waiting": told.get("requests_waiting", 0),
        }

    @contextmanager
    def _borrow(self) -> Iterator[Database]:
        try:
            connection = self._pool.getconn()
        except psycopg.OperationalError as error:
            if self._lent >= self._size:
                raise ConnectionsBusyError(
                    f"all {self._size} connections were busy for {WAIT_S} s"
                ) from error
            raise DatabaseError(f"no connection to the database: {one_line(error)}") from error
        self._count(1)
        try:
            yield connection
        finally:
            self._pool.putconn(connection)
            self._count(-1)  # not before: none must seem idle that was handed on to whoever waited

    def _count(self, lent: int) -> None:
        with self._lock:
            self._lent += lent
