"""How much of each day is held."""

from datetime import date
from typing import TYPE_CHECKING

from api.models.service import DayCompleteness

if TYPE_CHECKING:
    from battlescope.database import Database


def list_days(connection: "Database", before: date | None, limit: int) -> list[DayCompleteness]:
    """Up to `limit` days that were checked, newest first, from the one before `before` on."""
    rows = connection.execute(
        f"""
        SELECT day, expected, held, missing_sent, unobtainable, checked_at
        FROM day_completeness
        {"WHERE day < %s" if before else ""}
        ORDER BY day DESC
        LIMIT %s
        """,  # noqa: S608 - constant condition
        (*([before] if before else []), limit),
    )
    return [
        DayCompleteness(
            day=day,
            is_complete=held + unobtainable >= expected,
            expected=expected,
            held=held,
            missing_sent=missing_sent,
            unobtainable=unobtainable,
            checked_at=checked_at,
        )
        for day, expected, held, missing_sent, unobtainable, checked_at in rows
    ]
