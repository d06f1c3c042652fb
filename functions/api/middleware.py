"""What wraps every request: limits, compression, reading from other origins, HEAD, and errors nobody foresaw."""

from collections.abc import Callable

from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import TOO_MANY_REQUESTS, problem_response, unexpected

IS_HEAD = "battlescope.is_head"
"""In the scope of a GET that was a HEAD."""

_READABLE = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Content-Disposition, ETag, Link, Location, Retry-After"),
    # What it is it says: names from outside stand in JSON and CSV too, and no browser shall take them for a page.
    (b"x-content-type-options", b"nosniff"),
]
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


PROBED = "/healthz"
"""What probes ask: never limited, and with room of its own."""

COMPRESSED_FROM_BYTES = 1000
_LEVEL = 5  # 9, the default, takes three times as long for 2 % less


class Compression(GZipMiddleware):
    """Compresses with gzip what is large enough, for whoever accepts that; streams of events are sent as they come.

    Every ETag here is a weak one, so it holds for an answer with and without compression.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not _accepts_gzip(scope):
            # Starlette looks for the word only, and would compress for `gzip;q=0` as well.
            headers = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
            scope = {**scope, "headers": headers}
        await super().__call__(scope, receive, send)


def _accepts_gzip(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for coding in value.decode("latin-1").lower().split(","):
                named, _, weight = coding.partition(";")
                if named.strip() == "gzip" and weight.replace(" ", "") not in {
                    "q=0",
                    "q=0.0",
                    "q=0.00",
                    "q=0.000",
                }:
                    return True
    return False


type Waits = Callable[[str], int | None]
"""How long a client has to wait, in seconds, by its address; None where it may ask."""


def refusal(scope: Scope, wait_s: int) -> Response:  # noqa: ARG001 - pages look at it
    """The problem that a client has which asks too often."""
    return problem_response(
        TOO_MANY_REQUESTS,
        f"this client asks too often; come again in {wait_s} s",
        headers={"Retry-After": str(wait_s)},
    )


class RateLimits:
    """Refuses a client that asks too often; never `/healthz`, which probes ask."""

    def __init__(
        self, app: ASGIApp, wait_s: Waits, answer: Callable[[Scope, int], Response] = refusal
    ) -> None:
        self._app = app
        self._wait_s = wait_s
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["path"] != PROBED and scope["client"]:
            wait_s = await run_in_threadpool(self._wait_s, scope["client"][0])
            if wait_s is not None:
                await self._answer(scope, wait_s)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class CrossOrigin:
    """Lets pages of any origin read: there is nothing private here, and no credentials.

    The headers are the same for every origin, so caches need not keep answers apart by origin.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and any(
            name == b"access-control-request-method" for name, _ in scope["headers"]
        ):
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_READABLE]}
            await send(message)

        await self._app(scope, receive, send_readable)


class HeadAsGet:
    """Answers HEAD as GET without the body, so that every path has both."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET", IS_HEAD: True}, receive, send_without_body)


def _problem(scope: Scope) -> Response:
    return unexpected(scope["path"])


class UnexpectedErrors:
    """Answers an error nobody foresaw with a problem, and logs it: once, so nobody further out hears of it."""

    def __init__(self, app: ASGIApp, answer: Callable[[Scope], Response] = _problem) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            response = self._answer(scope)
            if started:
                raise  # too late to say so; the server cuts the connection
            await response(scope, receive, send)
