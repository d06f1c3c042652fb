"""What the endpoints need of a database. `api.snapshots` is the one that there is; it imports the driver."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from battlescope.database import Database


class Reader(Protocol):
    """Runs reads."""

    def read[T](self, work: "Callable[[Database], T]") -> T:
        """`work(connection)`, in one read-only snapshot of the database and within a time limit.

        Raises:
            DatabaseError: the database is away, was too slow (`QueryTimeoutError`) or is not migrated
                (`MigrationError`).
        """
