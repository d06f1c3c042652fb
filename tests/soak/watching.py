"""What is seen of the system from outside while it runs: its API's answers and its processes' memory."""

import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

from battlescope.http import HttpClient, HttpError
from battlescope_local.parts import Part

PATHS = ("/healthz", "/battles?limit=20", "/changes")


class Watch:
    """Asks the API and reads resident sizes until its block ends."""

    def __init__(self, url: str, parts: Mapping[str, Part]) -> None:
        self.answers: Counter[int] = Counter()
        self.resident_mb: dict[str, list[float]] = {name: [] for name in parts}
        self._url = url
        self._parts = parts
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._ask, self._weigh)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def unexpected(self) -> dict[int, int]:
        """Answers that are neither good nor a 503 that says when to come back."""
        return {status: times for status, times in self.answers.items() if status not in {200, 503}}

    def growth(self, name: str) -> float:
        """A process's resident size in the last quarter of the run, to that in the second."""
        sizes = self.resident_mb[name]
        quarter = len(sizes) // 4
        return median(sizes[-quarter:]) / median(sizes[quarter : 2 * quarter]) if quarter else 1.0

    def _ask(self) -> None:
        client = HttpClient("battlescope-soak/1 (tests)", connect_timeout_s=1, timeout_s=10)
        started = False
        while not self._stop.wait(0.1):
            for path in PATHS:
                try:
                    self.answers[client.get(self._url + path).status] += 1
                    started = True
                except HttpError:
                    if started:  # no answer at all, once there was one
                        self.answers[0] += 1
        client.close()

    def _weigh(self) -> None:
        while not self._stop.wait(0.5):
            for name, part in self._parts.items():
                if (size := _resident_mb(part.process_id)) is not None:
                    self.resident_mb[name].append(size)


def _resident_mb(process_id: int | None) -> float | None:
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return None
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) / 1024 if sizes else None
