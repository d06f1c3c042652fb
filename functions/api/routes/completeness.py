"""How complete the database is, day by day."""

from fastapi import APIRouter, Request, Response

from api import cursor
from api.answers import answer, caching
from api.models.service import COMPLETENESS_LIST, CompletenessList
from api.parameters import DayQuery
from api.queries.completeness import list_days
from api.routes.dependencies import AS_JSON, Reads

router = APIRouter(tags=["service"], dependencies=AS_JSON)


@router.get("/completeness")
def list_completeness(request: Request, reader: Reads, asked: DayQuery) -> Response:
    """How much is held of what zKillboard lists for each day, newest day first.

    Days are checked by repair; those never checked are not here.
    """
    before = cursor.decode(cursor.DAYS, "completeness", asked.cursor)
    found = reader.read(lambda connection: list_days(connection, before, asked.limit + 1))
    items = found[: asked.limit]
    next_cursor = None
    if len(found) > len(items):
        next_cursor = cursor.encode(cursor.DAYS, "completeness", items[-1]["day"])
    return answer(
        request,
        COMPLETENESS_LIST,
        CompletenessList(items=items, next=next_cursor),
        caching(),
        next_cursor=next_cursor,
    )
