"""The days that were imported: the table `history_days`."""

from datetime import date, timedelta
from typing import NamedTuple

from battlescope.database import Database
from ingest.history.source import Validators


class Imported(NamedTuple):
    """A day that was imported: which version of its file, and how long ago its source was last asked for it."""

    validators: Validators
    age: timedelta


def find_imported(connection: Database, source: str, day: date) -> Imported | None:
    """What is known of a day; None where it was never imported whole."""
    row = connection.execute(
        "SELECT etag, last_modified, now() - asked_at FROM history_days WHERE day = %s AND source = %s",
        (day, source),
    ).fetchone()
    return None if row is None else Imported(Validators(etag=row[0], last_modified=row[1]), row[2])


def note_imported(
    connection: Database, source: str, day: date, validators: Validators, *, killmails: int, rejected: int
) -> None:
    """A day was imported whole."""
    connection.execute(
        """
        INSERT INTO history_days (day, source, etag, last_modified, killmails, rejected)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (day, source) DO UPDATE SET
            etag = excluded.etag, last_modified = excluded.last_modified, killmails = excluded.killmails,
            rejected = excluded.rejected, asked_at = excluded.asked_at
        """,
        (day, source, validators.etag, validators.last_modified, killmails, rejected),
    )


def note_unchanged(connection: Database, source: str, day: date) -> None:
    """The source has nothing newer."""
    connection.execute(
        "UPDATE history_days SET asked_at = now() WHERE day = %s AND source = %s", (day, source)
    )
