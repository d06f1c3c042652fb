"""ESI, CCP's official API, within its limits.

Limits: a bucket of tokens per address for killmails (`X-Ratelimit-Limit: 3600/15m`, `X-Ratelimit-Remaining`; an
answer costs 2, a 4xx 5), 429 once it is empty; and 100 errors a minute, then 420 on every route.
"""

import re
from collections.abc import Callable, Mapping

from pydantic_core import from_json

from battlescope.backoff import Backoff
from battlescope.errors import FeedError, KillmailError
from battlescope.http import HttpClient, HttpError, Response

COMPATIBILITY_DATE = "2026-11-01"
"""The version of ESI that this was written against."""

TIMEOUT_S = 4.0
"""As for R2Z2: a poll outlasts its budget by this at most."""

KILLMAIL_TOKENS = 2
SLOW_BELOW = 0.2
"""Below this share of its tokens, killmails are asked for no faster than tokens come back."""

TOKENS_KEPT = 20
"""A stock for the end: a wrong hash costs more than an answer, and others may share the address."""

ERRORS_KEPT = 10
ERROR_RESET_S = 60.0

_HASH = re.compile(r"[0-9a-f]{40}")
_LIMIT = re.compile(r"(\d+)/(\d+)([smh])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600}


class EsiUnavailableError(FeedError):
    """ESI is not to be asked for `wait_s` seconds.

    Attributes:
        wait_s: how long.
        was_asked_for: whether ESI's limits say so; else it failed.
    """

    def __init__(self, reason: str, *, wait_s: float, was_asked_for: bool) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.was_asked_for = was_asked_for


class Esi:
    """One address's way to ask ESI: every limit that an answer tells of holds for all requests after it.

    Args:
        http: the client; its clock is used.
        base_url: ESI's address.
    """

    def __init__(self, http: HttpClient, base_url: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._backoff = Backoff()

    def killmail(self, killmail_id: int, killmail_hash: str) -> bytes:
        """The body of one killmail.

        The address is built here, never taken from a feed's `href`.

        Raises:
            KillmailError: there is no such killmail (404, 422: the hash is wrong); asking again is of no use.
            EsiUnavailableError: it cannot be had now.
        """
        if killmail_id <= 0 or not _HASH.fullmatch(killmail_hash):
            raise KillmailError(f"no killmail has the id {killmail_id} and the hash {killmail_hash!r}")
        response = self.get(f"/killmails/{killmail_id}/{killmail_hash}")
        if response.status != 200:
            raise KillmailError(f"{response}: no such killmail, or not with this hash")
        return response.body

    def get(self, path: str, *, timeout_s: float | None = None) -> Response:
        """The answer to a GET: 200 with JSON, or 404 or 422.

        Args:
            path: of the route, from its slash on.
            timeout_s: for the whole request; TIMEOUT_S where None.

        Raises:
            EsiUnavailableError: it cannot be had now.
        """
        headers, timeout_s = {"X-Compatibility-Date": COMPATIBILITY_DATE}, timeout_s or TIMEOUT_S
        return self._ask(lambda: self._http.get(self._base_url + path, headers=headers, timeout_s=timeout_s))

    def post(self, path: str, document: object) -> Response:
        """The answer to a POST of a JSON document; see `get`.

        Raises:
            EsiUnavailableError: it cannot be had now.
        """
        headers = {"X-Compatibility-Date": COMPATIBILITY_DATE}
        return self._ask(
            lambda: self._http.post(self._base_url + path, document, headers=headers, timeout_s=TIMEOUT_S)
        )

    def _ask(self, request: Callable[[], Response]) -> Response:
        clock = self._http.clock
        if (wait_s := self._backoff.wait_s(clock.wall())) > 0:
            raise EsiUnavailableError(
                "ESI's limits are nearly used up", wait_s=wait_s, was_asked_for=self._backoff.was_asked_for
            )
        try:
            response = request()
        except HttpError as error:
            self._backoff.failed(None, clock.wall())
            raise self._unavailable(str(error)) from None
        return self._checked(response, clock.wall())

    def _checked(self, response: Response, now: float) -> Response:
        if response.status in {403, 420, 429}:
            reset_s = _number(response.headers, "X-ESI-Error-Limit-Reset") if response.status == 420 else None
            wait_s = response.retry_after_s if reset_s is None else reset_s
            self._backoff.refused(response.status, wait_s, now)
            raise self._unavailable(str(response))
        if response.status not in {200, 404, 422} or (response.status == 200 and not _is_json(response)):
            self._backoff.failed(response.retry_after_s, now)
            raise self._unavailable(f"{response}{', but not with JSON' if response.status == 200 else ''}")
        self._backoff.answered()
        if (wait_s := pause_s(response.headers)) > 0:
            self._backoff.refused(response.status, wait_s, now)
        return response

    def _unavailable(self, reason: str) -> EsiUnavailableError:
        return EsiUnavailableError(
            reason,
            wait_s=self._backoff.wait_s(self._http.clock.wall()),
            was_asked_for=self._backoff.was_asked_for,
        )


def pause_s(headers: Mapping[str, str]) -> float:
    """Seconds to pause after an answer with these headers, so that no limit is ever reached."""
    errors_left = _number(headers, "X-ESI-Error-Limit-Remain")
    if errors_left is not None and errors_left <= ERRORS_KEPT:
        return _number(headers, "X-ESI-Error-Limit-Reset") or ERROR_RESET_S
    left = _number(headers, "X-Ratelimit-Remaining")
    limit = _LIMIT.match(headers.get("X-Ratelimit-Limit", ""))
    if left is None or limit is None:
        return 0.0
    tokens, window_s = int(limit[1]), int(limit[2]) * _UNIT_S[limit[3]]
    if not tokens or left >= SLOW_BELOW * tokens:
        return 0.0
    if left <= TOKENS_KEPT:
        return window_s * KILLMAIL_TOKENS / TOKENS_KEPT  # so that what is kept lasts until the rest is back
    return window_s * KILLMAIL_TOKENS / tokens


def _is_json(response: Response) -> bool:
    try:
        from_json(response.body)
    except ValueError:
        return False
    return response.is_complete


def _number(headers: Mapping[str, str], name: str) -> float | None:
    value = headers.get(name, "")
    return float(value) if value.isascii() and value.isdigit() else None
