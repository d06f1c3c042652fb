"""The one HTTP client: names itself, keeps to a rate, bounds time and size, retries nothing.

What an answer means, and how long to stay away after it, is each service's own protocol and lives with its client.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import BinaryIO
from urllib.parse import urlsplit

import urllib3

from battlescope.clock import SYSTEM_CLOCK, Clock
from battlescope.database import one_line
from battlescope.errors import FeedError
from battlescope.http_head import pool_manager

BODY_BYTES_MAX = 16 * 1024 * 1024
"""More than any killmail or feed answer takes."""

STALLED_S = 30.0
"""A download that brings nothing for so long is cut off."""

_CHUNK_BYTES = 64 * 1024


class HttpError(FeedError):
    """No answer: not connected, or its head not there in time or cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, whatever its status.

    Attributes:
        url: what was asked.
        headers: names match whatever their case.
        body: all of it, but for what went to a file.
        is_complete: False where the body was cut off: by the far side, by time, or by its limit.
        retry_after_s: seconds the service asks us to stay away; None where it does not say.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_complete: bool = True
    retry_after_s: float | None = None

    def __str__(self) -> str:
        return f"{self.url} answered {self.status}"


class HttpClient:
    """One request at a time; connections are kept open.

    Args:
        user_agent: who we are, with a contact; an empty one gets 403 from zKillboard.
        requests_per_second: to one host; requests start at least the inverse apart.
        connect_timeout_s: for the connection, TLS included.
        timeout_s: for the whole request, where the caller sets no other.
        clock: where time comes from.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        requests_per_second: float = 10,
        connect_timeout_s: float = 5,
        timeout_s: float = 15,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.clock = clock
        self._requests_per_second = requests_per_second
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s
        self._pool = pool_manager(
            {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"}
        )
        self._last_start: dict[str, float] = {}

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        requests_per_second: float | None = None,
    ) -> Response:
        """The answer to one GET; redirects are answers like any other.

        Args:
            url: http or https.
            headers: beside the client's own.
            timeout_s: for the whole request, in place of the client's.
            requests_per_second: where this service allows less than the client's rate.

        Raises:
            HttpError: there was no answer.
        """
        return self._ask("GET", url, headers, timeout_s, requests_per_second)

    def post(
        self,
        url: str,
        document: object,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """The answer to one POST of a JSON document; see `get`.

        Raises:
            HttpError: there was no answer.
        """
        body = json.dumps(document, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        return self._ask("POST", url, headers, timeout_s, None, body=body)

    def close(self) -> None:
        """Close the connections that are open."""
        self._pool.clear()

    def download(
        self,
        url: str,
        into: BinaryIO,
        *,
        bytes_max: int,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """The answer to one GET whose body, with status 200, is written to `into`; see `get`.

        Args:
            url: http or https.
            into: a file, from where it stands.
            bytes_max: more is cut off, and `is_complete` False.
            headers: beside the client's own.
            timeout_s: for the whole request, in place of the client's.

        Raises:
            HttpError: there was no answer.
        """
        return self._ask(
            "GET", url, {"Accept": "*/*", **(headers or {})}, timeout_s, None, into=into, bytes_max=bytes_max
        )

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        timeout_s: float | None,
        requests_per_second: float | None,
        *,
        body: bytes | None = None,
        into: BinaryIO | None = None,
        bytes_max: int | None = None,
    ) -> Response:
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        self._keep_to_rate(url, requests_per_second)
        deadline = self.clock.monotonic() + timeout_s
        connect_s = min(self._connect_timeout_s, timeout_s)
        read_s = timeout_s if into is None else min(STALLED_S, timeout_s)
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={**self._pool.headers, **(headers or {})},
                timeout=urllib3.Timeout(connect=connect_s, read=read_s),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise HttpError(f"no answer from {url}: {one_line(error)}") from error
        answer = io.BytesIO()
        is_wanted = into is not None and response.status == 200
        is_complete = self._read(
            response,
            deadline,
            into if into is not None and is_wanted else answer,
            bytes_max if bytes_max is not None and is_wanted else BODY_BYTES_MAX,
        )
        return Response(
            url=url,
            status=response.status,
            headers=response.headers,
            body=answer.getvalue(),
            is_complete=is_complete,
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), self.clock.wall()),
        )

    def _keep_to_rate(self, url: str, requests_per_second: float | None) -> None:
        host = urlsplit(url).netloc
        rate = min(self._requests_per_second, requests_per_second or self._requests_per_second)
        now = self.clock.monotonic()
        start = max(now, self._last_start.get(host, now - 1 / rate) + 1 / rate)
        if start > now:
            self.clock.sleep(start - now)
        self._last_start[host] = start

    def _read(
        self, response: urllib3.BaseHTTPResponse, deadline: float, into: BinaryIO, bytes_max: int
    ) -> bool:
        """Read the body; whether all of it came."""
        size = 0
        try:
            while chunk := response.read1(_CHUNK_BYTES, decode_content=True):
                into.write(chunk[: bytes_max - size])
                size += len(chunk)
                if size > bytes_max or self.clock.monotonic() > deadline:
                    response.close()
                    return False
        except urllib3.exceptions.HTTPError:
            response.close()
            return False
        response.release_conn()
        return True


def retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or an HTTP date (RFC 9110, 10.2.3).

    Args:
        value: the header; None where there was none.
        now: Unix seconds.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
