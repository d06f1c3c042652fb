"""A part that waits until the database is migrated: in a pod, before what would fail on an older schema."""

from threading import Event

import psycopg

from battlescope.database import LazyConnection, one_line
from battlescope.errors import DatabaseError
from battlescope.migrate import current_version, newest_version
from battlescope.telemetry import logger

ASK_EVERY_S = 1.0


def wait_for_schema(db_url: str, stop: Event) -> bool:
    """Wait until the database has this version's schema, or a newer one; False where `stop` was set before.

    A database that is away is waited for as well.
    """
    connection = LazyConnection(db_url)
    told = ""
    while not stop.is_set():
        try:
            version = connection.run(current_version)
        except (DatabaseError, psycopg.Error) as error:
            reason = one_line(error)
        else:
            if version >= newest_version():
                connection.close()
                return True
            reason = f"the database has schema version {version}, {newest_version()} is needed"
        if reason != told:
            logger.info("waiting for the schema", extra={"reason": reason})
            told = reason
        stop.wait(ASK_EVERY_S)
    connection.close()
    return False
