"""What wraps every request: reading from other origins, HEAD, and errors nobody foresaw."""

from collections.abc import Callable

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import unexpected

IS_HEAD = "battlescope.is_head"
"""In the scope of a GET that was a HEAD."""

_READABLE = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Location, Retry-After"),
]
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


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
