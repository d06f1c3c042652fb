"""Search by name, for people."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.models.search import Found
from api.pages.rendering import page
from api.queries.search import search
from api.routes.dependencies import EVERYWHERE, Reads

router = APIRouter(dependencies=EVERYWHERE)

FOUND_MAX = 50

_CACHING = "public, max-age=300"


class FindPage(BaseModel):
    """What is searched; nothing yet where the form is only opened."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    q: str = Field(default="", max_length=100)


@router.get("/find")
def find(request: Request, reader: Reads, asked: Annotated[FindPage, Query()]) -> Response:
    """What a name may mean, the likeliest first."""
    found: list[Found] = []
    is_askable = len(asked.q) >= 2 and asked.q.isprintable()
    if is_askable:
        found = reader.read(lambda connection: search(connection, asked.q, FOUND_MAX))
    return page(request, "find.html", _CACHING, q=asked.q, is_askable=is_askable, found=found)
