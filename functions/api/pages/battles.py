"""Battles as they happen."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter, Request, Response

from api.models.battles import Battle
from api.models.common import Named
from api.pages import links
from api.pages.asked import asked_of
from api.pages.headlines import headline, leader_names
from api.pages.rendering import page
from api.queries.filter_names import filter_names, known_regions
from api.queries.leaders import Leader, leaders_of
from api.routes.dependencies import EVERYWHERE, Reads, context_of
from api.routes.lists import FoundPage, read_page
from battlescope.space import SPACE_TYPES

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(dependencies=EVERYWHERE)


class Row(NamedTuple):
    """A battle in a list."""

    battle: Battle
    headline: str
    leaders: list[Leader]
    is_live: bool


class _Found(NamedTuple):
    page: FoundPage
    leaders: dict[Any, list[Leader]]
    names: dict[str, str]
    regions: list[Named]


@router.get("/")
def list_battles(request: Request, reader: Reads) -> Response:
    """The list, as the API's `/battles` has it."""
    asked = asked_of(request, reader)
    if isinstance(asked, Response):
        return asked
    live_within = context_of(request).live_within

    def read(connection: "Database") -> _Found:
        found = read_page(connection, asked, (), live_within)
        leaders = leaders_of(connection, [battle["id"] for battle in found.items])
        return _Found(
            found, leaders, filter_names(connection, asked.constraints()), known_regions(connection)
        )

    found = reader.read(read)
    given = dict(request.query_params)
    return page(
        request,
        "battles.html",
        found.page.cache_control,
        rows=rows_of(request, found.page.items, found.leaders),
        next=links.query(given, cursor=found.page.next) if found.page.next else None,
        first=links.query(given, cursor=None) if asked.cursor else None,
        given=given,
        names=found.names,
        regions=found.regions,
        spaces=SPACE_TYPES,
        orders=links.ORDERS,
        order_links=links.orders(given, asked.order),
        presets=links.presets(given),
        chips=links.chips(asked, given, found.names),
    )


def rows_of(request: Request, battles: list[Battle], leaders: dict[Any, list[Leader]]) -> list[Row]:
    """Battles as a list shows them."""
    live_since = datetime.now(UTC) - context_of(request).live_within
    return [
        Row(
            battle,
            headline(leader_names(leaders[battle["id"]]), battle),
            leaders[battle["id"]],
            battle["end_time"] > live_since,
        )
        for battle in battles
    ]
