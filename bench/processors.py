"""How much of the processors each process takes."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Taken:
    """What these processes take from now on.

    Args:
        processes: their ids, by name.
    """

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = processes
        self._before = {name: _computed_s(process_id) for name, process_id in processes.items()}
        self._since = time.monotonic()

    def __str__(self) -> str:
        wall_s = time.monotonic() - self._since
        shares = ", ".join(
            f"{name} {(_computed_s(process_id) - self._before[name]) / wall_s:.2f}"
            for name, process_id in self._processes.items()
        )
        return f"of {os.cpu_count()} cores: {shares}"


def _computed_s(process_id: int) -> float:
    """Processor seconds that a process and its children took so far, those that ended included."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended just now
        is_child = int(fields[1]) == process_id
        if is_child or path.parent.name == str(process_id):
            ticks = fields[11:13] if is_child else fields[11:15]
            total += sum(map(int, ticks)) / _TICKS
    return total
