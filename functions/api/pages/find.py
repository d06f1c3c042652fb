"""Search by name, for people."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.models.search import Found
from api.pages.rendering import page
from api.parameters import SEARCHED_LETTERS_MAX, SEARCHED_MAX, is_searchable
from api.queries.search import search
from api.routes.dependencies import EVERYWHERE, Reads

router = APIRouter(dependencies=EVERYWHERE)

_CACHING = "public, max-age=300"


class FindPage(BaseModel):
    """What is searched; nothing yet where the form is only opened."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    q: str = Field(default="", max_length=SEARCHED_LETTERS_MAX)


@router.get("/find")
def find(request: Request, reader: Reads, asked: Annotated[FindPage, Query()]) -> Response:
    """What a name may mean, the likeliest first."""
    found: list[Found] = []
    is_askable = is_searchable(asked.q)
    if is_askable:
        found = reader.read(lambda connection: search(connection, asked.q, SEARCHED_MAX))
    return page(request, "find.html", _CACHING, q=asked.q, is_askable=is_askable, found=found)
