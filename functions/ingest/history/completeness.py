"""How much of each day we hold: the table `day_completeness`, and the questions that fill it.

Days are compared by the ids that R2Z2 lists for them, not by counting what we hold of a day: an id can stand under
two days, killmails arrive years late, and a list of ids needs no index but the primary key.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime

from battlescope.database import Database
from ingest.history.days import Span

FEED = "repair"
"""What `rejected_killmails` calls what repair could not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check of a day found; see the columns of `day_completeness`. `checked_at` is None until it is kept."""

    day: date
    feed_total: int
    expected: int
    held: int
    missing_sent: int
    unobtainable: int
    checked_at: datetime | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing more to be had."""
        return self.held + self.unobtainable >= self.expected

    def is_older_than(self, moment: datetime | None) -> bool:
        """Whether it was made before `moment`; always, where that is None."""
        return moment is None or self.checked_at is None or self.checked_at < moment


def find_checks(connection: Database, span: Span) -> dict[date, Check]:
    """The last check of each day that was ever checked."""
    rows = connection.execute(
        """
        SELECT day, feed_total, expected, held, missing_sent, unobtainable, checked_at
        FROM day_completeness
        WHERE day BETWEEN %s AND %s
        """,
        span,
    )
    names = [field.name for field in fields(Check)]
    checks = [Check(**dict(zip(names, row, strict=True))) for row in rows]
    return {check.day: check for check in checks}


def note_check(connection: Database, check: Check) -> None:
    """Keep what a check found, in the place of the one before."""
    connection.execute(
        """
        INSERT INTO day_completeness AS c (day, feed_total, expected, held, missing_sent, unobtainable)
        VALUES (%(day)s, %(feed_total)s, %(expected)s, %(held)s, %(missing_sent)s, %(unobtainable)s)
        ON CONFLICT (day) DO UPDATE SET
            feed_total = excluded.feed_total, expected = excluded.expected, held = excluded.held,
            missing_sent = excluded.missing_sent, unobtainable = excluded.unobtainable,
            checked_at = excluded.checked_at
        """,
        asdict(check),
    )


def held_ids(connection: Database, killmail_ids: Collection[int]) -> set[int]:
    """Which of these killmails are stored."""
    rows = connection.execute(
        "SELECT killmail_id FROM killmails WHERE killmail_id = ANY(%s::bigint[])", (list(killmail_ids),)
    )
    return {row[0] for row in rows}


def unobtainable_ids(connection: Database, killmail_ids: Collection[int]) -> set[int]:
    """Which of these were tried before, and are no killmail that could be kept or are not to be had."""
    rows = connection.execute(
        "SELECT killmail_id FROM rejected_killmails WHERE killmail_id = ANY(%s::bigint[]) AND feed = %s",
        (list(killmail_ids), FEED),
    )
    return {row[0] for row in rows}
