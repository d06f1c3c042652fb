"""Answers: JSON with validators and lifetimes, so that nobody computes or sends twice what has not changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from pydantic import TypeAdapter

from api.formats import JSON, Format
from battlescope import __version__

NOT_CACHED = "no-store"
REVALIDATED = "no-cache"

_LIVE_FOR = timedelta(hours=1)
"""After the last killmail seen: the time within which the next one may well come."""

_SETTLED_AFTER = timedelta(days=7)
"""Most of what feeds deliver late has come by then (5-7 % of a day's killmails come after that day)."""

_MAX_AGE_LIVE_S = 10
_MAX_AGE_RECENT_S = 300
_MAX_AGE_SETTLED_S = 3600

REDIRECT_CACHING = f"public, max-age={_MAX_AGE_RECENT_S}"
"""For redirects of ids: an id leads somewhere else after the next merge, so even a 308 is not kept for ever."""


def caching(newest: datetime | None = None) -> str:
    """Cache-Control of an answer about battles, the newest of which is from `newest` (None: from now).

    The longer ago it was, the less likely it is to change; it is never called immutable, because archives bring
    killmails years late.
    """
    age = timedelta(0) if newest is None else datetime.now(UTC) - newest
    if age < _LIVE_FOR:
        return f"public, max-age={_MAX_AGE_LIVE_S}"
    return f"public, max-age={_MAX_AGE_RECENT_S if age < _SETTLED_AFTER else _MAX_AGE_SETTLED_S}"


def revision_etag(revision: int, unresolved: int, format_: Format = "json") -> str:
    """Names an answer about a battle at a revision, in a format.

    The answer also depends on this version's idea of it, and on names that are not known yet (`unresolved`): one of
    those may come without the battle changing. With 0 of them the revision says it all.
    """
    suffix = "" if format_ == "json" else f"-{format_}"
    return f'W/"{__version__}-{revision}-{unresolved}{suffix}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the client says that it has this answer already (weak comparison, RFC 9110)."""
    known = request.headers.get("if-none-match")
    if known is None:
        return False
    opaque = etag.removeprefix("W/")
    return known.strip() == "*" or any(tag.strip().removeprefix("W/") == opaque for tag in known.split(","))


def not_modified(
    etag: str, cache_control: str, headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    """The answer to a client that has it already, without having made it."""
    return Response(status_code=304, headers={**headers, "ETag": etag, "Cache-Control": cache_control})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An answer as it goes out: to everyone the same bytes under the same name.

    Attributes:
        text: the body.
        media_type: what it is.
        etag: names it.
        cache_control: how long it may be kept.
        headers: what else goes with it.
    """

    text: bytes
    media_type: str
    etag: str
    cache_control: str
    headers: dict[str, str]

    def response(self, request: Request) -> Response:
        """The answer, or 304 where the client has it already."""
        headers = {**self.headers, "ETag": self.etag, "Cache-Control": self.cache_control}
        if is_known(request, self.etag):
            return Response(status_code=304, headers=headers)
        return Response(self.text, headers=headers, media_type=self.media_type)


def write(
    request: Request,
    text: bytes,
    cache_control: str,
    *,
    etag: str | None = None,
    media_type: str = JSON,
    next_cursor: str | None = None,
    cursor_name: str = "cursor",
    headers: Mapping[str, str] | None = None,
) -> Written:
    """An answer.

    Args:
        request: what was asked.
        text: the body.
        cache_control: how long it may be kept.
        etag: names it; where None, its content does.
        media_type: what it is.
        next_cursor: of a list that goes on, where.
        cursor_name: the parameter that takes it.
        headers: what else goes with it.
    """
    link = {}
    if next_cursor is not None:
        link["Link"] = f'<{_with_cursor(request, cursor_name, next_cursor)}>; rel="next"'
    return Written(
        text=text,
        media_type=media_type,
        etag=etag or f'W/"{hashlib.blake2b(text, digest_size=12).hexdigest()}"',
        cache_control=cache_control,
        headers={**(headers or {}), **link},
    )


def answer[Body](
    request: Request,
    shape: TypeAdapter[Body],
    body: Body,
    cache_control: str,
    *,
    next_cursor: str | None = None,
    cursor_name: str = "cursor",
) -> Response:
    """A JSON answer that its content names, or 304 where the client has it already; see `write`."""
    return write(
        request, shape.dump_json(body), cache_control, next_cursor=next_cursor, cursor_name=cursor_name
    ).response(request)


def redirect(request: Request, status: int, path: str, *, keep_query: bool = False) -> Response:
    """A redirect to another path of this API, with the same query where that means something there."""
    query = urlencode(request.query_params.multi_items()) if keep_query else ""
    location = f"{request.scope.get('root_path', '')}{path}{'?' if query else ''}{query}"
    return Response(status_code=status, headers={"Location": location, "Cache-Control": REDIRECT_CACHING})


def _with_cursor(request: Request, name: str, cursor: str) -> str:
    kept = [each for each in request.query_params.multi_items() if each[0] != name]
    return f"{quote(request.scope['path'])}?{urlencode([*kept, (name, cursor)])}"
