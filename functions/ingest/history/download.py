"""Documents and files of a source of whole days: one connection, one request at a time, and no more than it bears.

A service that fails is asked again a few times, ever later. One that says 429 or 403 is not asked before it said;
where that is longer than this run may wait, the run is over.
"""

from collections.abc import Callable
from math import inf
from pathlib import Path

from battlescope.backoff import Backoff
from battlescope.errors import FeedError
from battlescope.http import HttpClient, HttpError, Response
from battlescope.telemetry import logger
from ingest.history.source import Validators

ATTEMPTS = 4

REFUSED = frozenset({403, 429})
ANSWERED = frozenset({200, 304, 404})


class HistoryUnavailableError(FeedError):
    """A source is not to be asked for `wait_s` seconds, or failed too often.

    Attributes:
        wait_s: how long to stay away.
        was_asked_for: whether the source itself asked for it.
    """

    def __init__(self, reason: str, *, wait_s: float, was_asked_for: bool) -> None:
        super().__init__(f"{reason}: ask again in {wait_s:.0f} s; what was done is kept")
        self.wait_s = wait_s
        self.was_asked_for = was_asked_for


class Downloader:
    """One source's documents and files.

    Args:
        http: the client, with the source's rate.
        bytes_max: a larger file is not believed.
        timeout_s: for one file.
        wait_max_s: how long to wait for a source that refuses or fails, at one time.
        remaining_s: seconds that are left for all of it.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        bytes_max: int,
        timeout_s: float,
        wait_max_s: float,
        remaining_s: Callable[[], float] = lambda: inf,
    ) -> None:
        self._http = http
        self._bytes_max = bytes_max
        self._timeout_s = timeout_s
        self._wait_max_s = wait_max_s
        self._remaining_s = remaining_s
        self._backoff = Backoff()
        self._problem_before: str | None = None

    def document(self, url: str) -> bytes | None:
        """A small document; None where there is none.

        Raises:
            HistoryUnavailableError: it cannot be had now.
        """
        response = self._ask(url, None, None)
        return None if response.status == 404 else response.body

    def file(self, url: str, to: Path, known: Validators | None) -> Response:
        """A file into `to`: status 200, 404, or 304 where it is the version that is known.

        Raises:
            HistoryUnavailableError: it cannot be had now.
        """
        return self._ask(url, to, known)

    def _ask(self, url: str, to: Path | None, known: Validators | None) -> Response:
        clock = self._http.clock
        for attempt in range(1, ATTEMPTS + 1):
            self._wait(url)
            try:
                response = self._request(url, to, known)
                problem = self._problem(response)
            except HttpError as error:
                response, problem = None, str(error)
            if problem is None and response is not None:
                self._backoff.answered()
                return response
            if response is not None and response.status in REFUSED:
                self._backoff.refused(response.status, response.retry_after_s, clock.wall())
            else:
                self._backoff.failed(None if response is None else response.retry_after_s, clock.wall())
            self._problem_before = problem
            logger.warning("history failed", extra={"url": url, "attempt": attempt, "error": problem})
        raise self._unavailable(f"{problem}, {ATTEMPTS} times")

    def _request(self, url: str, to: Path | None, known: Validators | None) -> Response:
        if to is None:
            return self._http.get(url)
        conditions = {
            name: value
            for name, value in (
                ("If-None-Match", known and known.etag),
                ("If-Modified-Since", known and known.last_modified),
            )
            if value
        }
        timeout_s = max(1.0, min(self._timeout_s, self._remaining_s()))
        with to.open("wb") as file:
            return self._http.download(
                url, file, bytes_max=self._bytes_max, headers=conditions, timeout_s=timeout_s
            )

    def _problem(self, response: Response) -> str | None:
        if response.status not in ANSWERED:
            return str(response)
        if not response.is_complete:
            return (
                f"{response.url} was cut off, took too long, or is larger than HISTORY_MEGABYTES_MAX allows"
            )
        return None

    def _wait(self, url: str) -> None:
        clock = self._http.clock
        wait_s = self._backoff.wait_s(clock.wall())
        if wait_s > 0 and wait_s > min(self._wait_max_s, self._remaining_s()):
            raise self._unavailable(self._problem_before or f"{url} is not to be asked now")
        if wait_s > 0:
            clock.sleep(wait_s)

    def _unavailable(self, reason: str) -> HistoryUnavailableError:
        return HistoryUnavailableError(
            reason,
            wait_s=self._backoff.wait_s(self._http.clock.wall()),
            was_asked_for=self._backoff.was_asked_for,
        )
