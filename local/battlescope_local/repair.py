"""`battlescope repair`: the repair handler, invoked until it is done."""

from datetime import UTC, datetime
from threading import Event
from typing import Any

from rich.console import Console

from battlescope.runtime.context import Context
from ingest.history.days import Span
from ingest.repair import handler

INVOCATION_S = 900.0
"""As long as Lambda gives at most."""

INVOCATIONS_MAX = 1000
"""Ten days of work: enough for every day that there is."""


def repair(span: Span | None, *, stop: Event, console: Console) -> int:
    """Repair these days (None: those that a scheduled repair looks after); the exit code, 1 where it was not all.

    Raises:
        SettingsError: a setting is missing or wrong.
        QueueError: the queue is away.
        DatabaseError: the database is away.
    """
    event = {"checked_before": datetime.now(UTC).isoformat()}
    if span is not None:
        event["days"] = f"{span.first}..{span.last}"
    sent = closed = 0
    for _ in range(INVOCATIONS_MAX):
        context: Any = Context("repair", INVOCATION_S, stop)
        answer = handler(event, context)
        for day in answer.get("days", ()):
            console.print(
                f"{day['day']}: {day['held']:,} of {day['expected']:,} held, {day['missing_sent']:,} sent, "
                f"{day['unobtainable']:,} not to be had",
                highlight=False,
                soft_wrap=True,
            )
        sent += answer.get("sent", 0)
        closed += answer.get("holes_closed", 0)
        if answer["error"] is not None:
            console.print(answer["error"], markup=False, highlight=False, soft_wrap=True)
            return 1
        if answer["done"] or stop.is_set():
            break
    console.print(f"sent {sent:,} killmails; holes closed: {closed:,}", highlight=False)
    return 0 if answer["done"] else 1
