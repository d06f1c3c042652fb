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
    """Asks the API and reads resident sizes until its block ends.

    Attributes:
        answers: by status; 0 where there was none.
        unexpected: those that are neither good nor a 503 that says when to come back.
        resident_mb: sizes of each part, twice a second.
    """

    def __init__(self, url: str, parts: Mapping[str, Part]) -> None:
        self.answers: Counter[int] = Counter()
        self.unexpected: Counter[int] = Counter()
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

    def growth(self, name: str) -> float:
        """A process's resident size in the last quarter of the run, to that in the second."""
        sizes = self.resident_mb[name]
        quarter = len(sizes) // 4
        return median(sizes[-quarter:]) / median(sizes[quarter : 2 * quarter]) if quarter else 1.0

    def _ask(self) -> None:
        client = HttpClient(
            "battlescope-soak/1 (tests)", requests_per_second=100, connect_timeout_s=1, timeout_s=10
        )
        while not self._stop.wait(0.1):
            for path in PATHS:
                status, is_expected = _answer(client, self._url + path)
                if status or self.answers:  # before it answers for the first time it starts
                    self.answers[status] += 1
                    self.unexpected[status] += not is_expected
        self.unexpected = +self.unexpected
        client.close()

    def _weigh(self) -> None:
        while not self._stop.wait(0.5):
            for name, part in self._parts.items():
                if (size := _resident_mb(part.process_id)) is not None:
                    self.resident_mb[name].append(size)


def _answer(client: HttpClient, url: str) -> tuple[int, bool]:
    """The status, and whether it may be so."""
    try:
        answer = client.get(url)
    except HttpError:
        return 0, False
    return answer.status, answer.status == 200 or (answer.status == 503 and answer.retry_after_s is not None)


def _resident_mb(process_id: int | None) -> float | None:
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return None
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) / 1024 if sizes else None
