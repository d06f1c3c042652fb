"""What became of battles: the change feed, and the same as server-sent events."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Request, Response

from api import cursor
from api.answers import NOT_CACHED, REVALIDATED, answer
from api.formats import EVENT_STREAM, JSON, preferred
from api.middleware import IS_HEAD
from api.models.changes import CHANGES, ChangeList
from api.parameters import CHANGES_PER_PAGE_MAX, CURSOR_CHARACTERS_MAX, ChangesQuery, EventsQuery
from api.problems import NO_STREAMS, TOO_MANY_STREAMS, ProblemError, invalid_parameter
from api.queries import changes
from api.reader import Reader
from api.routes.dependencies import EVERYWHERE, Reads, context_of

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(tags=["changes"], dependencies=EVERYWHERE)

FEED = "changes"
"""What cursors of the feed are bound to."""

NOW = "now"
"""In the place of a cursor: whatever changes from now on."""

BEGINNING = (0, 0, changes.FIRST)


@router.get("/changes")
def get_changes(request: Request, reader: Reads, asked: ChangesQuery) -> Response:
    """Battles created, grown, merged and dissolved, in the order in which that became known.

    Keep `next`, and ask with it as `after` again and again: nothing is missed, and no battle goes back in its revision.
    A battle that changed several times since is there once, as it is now. Without `after` the feed begins with what
    changed longest ago; `after=now` answers nothing but a cursor.
    """
    preferred(request, [JSON])
    feed = read_changes(reader, asked.after, asked.limit)
    return answer(request, CHANGES, feed, REVALIDATED, next_cursor=feed["next"], cursor_name="after")


@router.get("/events", response_class=Response)
def get_events(
    request: Request,
    reader: Reads,
    asked: EventsQuery,
    last_event_id: Annotated[
        str | None,
        Header(
            description="The id of the last event seen, as browsers send it.",
            max_length=CURSOR_CHARACTERS_MAX,
        ),
    ] = None,
) -> Response:
    """The change feed as server-sent events, from now on or from a cursor.

    An event `changes` holds a list of changes as `/changes` shows them; its id is the cursor after them. A client that
    connects again with `Last-Event-ID` misses nothing. Where the API runs in Lambda it cannot stream: ask `/changes`.
    """
    preferred(request, [EVENT_STREAM])
    streams = context_of(request).streams
    if streams is None:
        raise ProblemError(NO_STREAMS, "this API cannot stream; ask /changes again and again instead")
    from api.room import StreamedResponse  # noqa: PLC0415 - Lambda never needs it

    # Before the stream begins, so that a wrong cursor is a problem.
    start = read_changes(reader, last_event_id or asked.after or NOW, 0)["next"]
    headers = {"Cache-Control": NOT_CACHED, "X-Accel-Buffering": "no"}
    if request.scope.get(IS_HEAD):
        return Response(headers=headers, media_type=EVENT_STREAM)
    if not streams.events.enter():
        raise ProblemError(
            TOO_MANY_STREAMS, f"{streams.events.size} streams are open; try later, or ask /changes"
        )
    events = streams.follow(lambda after: read_changes(reader, after, CHANGES_PER_PAGE_MAX), start)
    return StreamedResponse(streams.events, events, headers, EVENT_STREAM)


def read_changes(reader: Reader, after: str | None, limit: int) -> ChangeList:
    """Up to `limit` changes after a cursor, and the cursor to go on from.

    Raises:
        ProblemError: the cursor is none of this feed.
    """
    key = BEGINNING if after in {None, NOW} else cursor.decode(cursor.CHANGES, FEED, after, "after")

    def read(connection: "Database") -> changes.Changes:
        if after == NOW:
            return changes.Changes([], changes.newest(connection))
        if key is None or changes.is_ahead(connection, key):
            raise invalid_parameter("after", "belongs to another database; start again without it")
        return changes.changes(connection, key, limit)

    found = reader.read(read)
    return ChangeList(items=found.items, next=cursor.encode(cursor.CHANGES, FEED, found.last))
