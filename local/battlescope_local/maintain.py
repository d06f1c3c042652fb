"""`battlescope maintain`: the maintenance handler, invoked until it is done."""

from threading import Event
from typing import Any

from rich.console import Console

from battlescope.runtime.context import Context
from cluster.maintenance.handler import handler
from cluster.maintenance.reclustering import Window

INVOCATION_S = 900.0
"""As long as Lambda gives at most."""


def maintain(recluster: Window | None, *, everything: bool, stop: Event, console: Console) -> int:
    """Do all upkeep that is due, or make battles anew; the exit code, 1 where something stood in the way.

    Args:
        recluster: make the battles of these days anew, and no other upkeep.
        everything: make all battles anew, and no other upkeep.
        stop: ends it in good order.
        console: where it says what it does.

    Raises:
        SettingsError: a setting is missing or wrong.
        DatabaseError: the database is away.
    """
    event: dict[str, Any] = {}
    if everything:
        event = {"recluster": "everything"}
    elif recluster is not None:
        event = {"recluster": {"first": str(recluster.first), "last": str(recluster.last)}}
    while True:
        context: Any = Context("maintenance", INVOCATION_S, stop)
        answer = handler(event, context)
        for name, report in answer["steps"].items():
            console.print(f"{name}: {_shown(report)}", markup=False, highlight=False, soft_wrap=True)
        failed = any(report.get("error") for report in answer["steps"].values())
        if answer["done"] or failed or stop.is_set():
            return 0 if answer["done"] else 1


def _shown(report: dict[str, Any]) -> str:
    if report.get("error"):
        return str(report["error"])
    told = [
        f"{value:,} {what}" if isinstance(value, int) else f"{what} {', '.join(value) or 'nothing'}"
        for what, value in report.items()
        if what != "done"
    ]
    return ", ".join(told or ["nothing due"]) + ("" if report["done"] else "; there is more to do")
