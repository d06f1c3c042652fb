"""Live progress on a terminal, and plain lines elsewhere."""

import time
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from battlescope_local.status import Status

PLAIN_EVERY_S = 10.0

RATE_READINGS = 20
"""A rate is taken over so many readings: killmails come in bursts."""


class Display:
    """Shows readings as they come (as a context manager)."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, refresh_per_second=4, transient=False) if console.is_terminal else None
        )
        self._readings: deque[Status] = deque(maxlen=RATE_READINGS)
        self._printed_at = 0.0

    def __enter__(self) -> Self:
        """Take the terminal."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()

    def show(self, status: Status, note: str = "") -> None:
        """Show a reading; `note` is what went wrong last with a part."""
        self._readings.append(status)
        first = self._readings[0]
        rate = (status.killmails - first.killmails) / max(status.at - first.at, 1.0)
        figures = {
            "killmails": f"{status.killmails:,}",
            "kills/s": f"{rate:,.1f}",
            "lag": "-" if status.lag_s is None else duration(status.lag_s),
            "queue": "?" if status.queue_depth is None else f"{status.queue_depth:,}",
            "battles": f"{status.battles:,}",
            "last error": status.last_error or note or "none",
        }
        if self._live is not None:
            table = Table(box=None, pad_edge=False, header_style="dim")
            for heading in figures:
                table.add_column(heading)
            table.add_row(*figures.values())
            self._live.update(table)
        elif time.monotonic() - self._printed_at >= PLAIN_EVERY_S:
            self._printed_at = time.monotonic()
            self._console.print(
                "  ".join(f"{heading} {value}" for heading, value in figures.items()), markup=False
            )


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    left = max(0, round(seconds))
    for size, unit, smaller_size, smaller in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if left >= size:
            return f"{left // size}{unit} {left % size // smaller_size}{smaller}"
    return f"{left}s"
