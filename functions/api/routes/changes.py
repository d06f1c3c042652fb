"""What became of battles: the change feed, and the same as server-sent events."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from api import cursor
from api.answers import REVALIDATED, answer
from api.models import CHANGES, ChangeList
from api.parameters import ChangesQuery
from api.problems import invalid_parameter
from api.queries import changes
from api.reader import Reader
from api.routes.dependencies import EVERYWHERE, Reads

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
    feed = read_changes(reader, asked.after, asked.limit)
    return answer(request, CHANGES, feed, REVALIDATED, next_cursor=feed["next"], cursor_name="after")


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
