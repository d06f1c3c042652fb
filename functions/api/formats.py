"""In which format an answer goes out: what `format` says, else what `Accept` likes best (RFC 9110, 12.5.1).

Problems are `application/problem+json` whatever was asked for.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from fastapi import Request

from api.problems import NOT_ACCEPTABLE, ProblemError

# A plain alias: OpenAPI would show a `type` statement as a schema of its own.
Format = Literal["json", "csv", "jsonl"]

JSON = "application/json"
CSV = "text/csv"
JSON_LINES = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"

_SHOWN = 80


class Served(NamedTuple):
    """A format that is served, and the media type it goes out as."""

    format: Format
    media_type: str


EXPORTED = (
    Served("json", JSON),
    Served("csv", CSV),
    Served("jsonl", JSON_LINES),
    Served("jsonl", "application/jsonl"),
)
"""What lists are served as, ours to choose first: the first of those that a client likes equally."""

NEGOTIATED = {"Vary": "Accept"}
"""For every answer in a format that `Accept` may have chosen: caches keep them apart."""

_BY_NAME = {served.format: served for served in reversed(EXPORTED)}


def chosen(request: Request, format_: Format | None) -> Served:
    """The format that a list goes out in.

    Args:
        request: with or without `Accept`.
        format_: the parameter, which counts before `Accept`: a link in a page cannot send headers.

    Raises:
        ProblemError: nothing that `Accept` names is served.
    """
    if format_ is not None:
        return _BY_NAME[format_]
    media_type = preferred(request, [served.media_type for served in EXPORTED])
    return next(served for served in EXPORTED if served.media_type == media_type)


def preferred(request: Request, media_types: Sequence[str]) -> str:
    """Which of the media types the client likes best, the first of equals.

    Raises:
        ProblemError: none of them.
    """
    accept = ",".join(request.headers.getlist("accept"))
    if not accept.strip() or accept in {"*/*", media_types[0]}:
        return media_types[0]
    ranges = [_range(text) for text in accept.split(",") if text.strip()]
    best = max(media_types, key=lambda media_type: _quality(media_type, ranges))
    if not _quality(best, ranges):
        raise ProblemError(
            NOT_ACCEPTABLE,
            f"Accept: {accept[:_SHOWN]} names nothing that is served here; that is {', '.join(media_types)}",
        )
    return best


class _Range(NamedTuple):
    kind: str
    subtype: str
    quality: float


def _range(text: str) -> _Range:
    """A media range; other parameters than `q` say nothing that makes a difference here."""
    media_type, *parameters = text.lower().split(";")
    kind, _, subtype = media_type.strip().partition("/")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            quality = _weight(value)
    return _Range(kind, subtype, quality)


def _weight(text: str) -> float:
    """A weight from 0 to 1; what is none counts as 0, so that nothing is served to whom it was not meant for."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _quality(media_type: str, ranges: Sequence[_Range]) -> float:
    """What the most exact range that covers the media type says of it; 0 where none does."""
    kind, _, subtype = media_type.partition("/")
    for exact in ((kind, subtype), (kind, "*"), ("*", "*")):
        qualities = [each.quality for each in ranges if (each.kind, each.subtype) == exact]
        if qualities:
            return max(qualities)
    return 0.0
