"""What endpoints have in common: the reader, that a parameter is given once, and that JSON is accepted."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from api.formats import JSON, preferred
from api.problems import invalid_parameter
from api.reader import Reader

if TYPE_CHECKING:
    from api.events import Streams
    from api.shared import Shared


@dataclass(frozen=True, slots=True)
class Context:
    """What an app was made with.

    Attributes:
        reader: of the database.
        feed_stale_after: without a move of the cursor the feed is stale.
        live_within: of its last killmail, a battle can still grow.
        streams: where the server can stream.
        hot: remembers answers, where something does.
        probed: the reader of `/healthz`, whose connection no other request can take.
    """

    reader: Reader
    feed_stale_after: timedelta
    live_within: timedelta
    streams: "Streams | None"
    hot: "Shared | None"
    probed: Reader


def context_of(request: Request) -> Context:
    """What the app that answers was made with."""
    context: Context = request.app.state.context
    return context


# Async although they wait for nothing: FastAPI runs other dependencies in a thread, which costs more than they do.
async def _reader(request: Request) -> Reader:
    return context_of(request).reader


async def _probed(request: Request) -> Reader:
    return context_of(request).probed


async def _feed_stale_after(request: Request) -> timedelta:
    return context_of(request).feed_stale_after


async def _each_parameter_once(request: Request) -> None:
    """Refuse a parameter that is given twice: only one of its values could be meant.

    Raises:
        ProblemError: names it.
    """
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1:
            raise invalid_parameter(name, f"is given {times} times; once is enough")


async def _is_asked_for_json(request: Request) -> None:
    """Refuse an `Accept` without JSON as well; one dependency, since FastAPI looks into each at each endpoint.

    Raises:
        ProblemError: names what is served, or the parameter.
    """
    await _each_parameter_once(request)
    preferred(request, [JSON])


Reads = Annotated[Reader, Depends(_reader)]
Probed = Annotated[Reader, Depends(_probed)]
"""The reader whose connection no other request can take."""

FeedStaleAfter = Annotated[timedelta, Depends(_feed_stale_after)]
EVERYWHERE = [Depends(_each_parameter_once)]
"""For every endpoint."""

AS_JSON = [Depends(_is_asked_for_json)]
"""For endpoints that answer JSON and nothing else, in the place of EVERYWHERE."""
