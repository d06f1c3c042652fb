"""Search by name."""

from fastapi import APIRouter, Request, Response

from api.answers import answer
from api.models.search import SEARCH, SearchResult
from api.parameters import SearchQuery
from api.queries.search import search
from api.routes.dependencies import AS_JSON, Reads

router = APIRouter(tags=["entities"], dependencies=AS_JSON)

_CACHING = "public, max-age=300"


@router.get("/search")
def search_names(request: Request, reader: Reads, asked: SearchQuery) -> Response:
    """Alliances, corporations, characters, solar systems and ship types by name.

    By the beginning of a name, and of its words; where nothing begins so, by likeness. Whole names come first, then
    the most active.
    """
    found = reader.read(lambda connection: search(connection, asked.q, asked.limit))
    return answer(request, SEARCH, SearchResult(items=found), _CACHING)
