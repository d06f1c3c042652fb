"""Battles as they happen."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.filters import BattleFilters, BattlePage
from api.models.battles import Battle
from api.models.common import Named
from api.pages.asked import asked_of
from api.pages.headlines import headline, leader_names
from api.pages.rendering import page
from api.pages.words import isk
from api.queries.filter_names import filter_names, known_regions
from api.queries.leaders import Leader, leaders_of
from api.routes.dependencies import EVERYWHERE, Reads, context_of
from api.routes.lists import FoundPage, read_page
from battlescope.space import SPACE_TYPES

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(dependencies=EVERYWHERE)

ORDERS = {
    "start": "Newest",
    "end": "Latest kill",
    "isk": "Most ISK",
    "kills": "Most kills",
    "pilots": "Most pilots",
}
PRESETS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Live now", {"live": "1"}),
    ("100+ pilots", {"min_pilots": "100"}),
    ("10b+ ISK", {"min_isk": "10000000000"}),
    ("High-sec", {"security": "highsec"}),
    ("Low-sec", {"security": "lowsec"}),
    ("Null-sec", {"security": "nullsec"}),
    ("Wormholes", {"space": "jspace"}),
    ("Pochven", {"space": "pochven"}),
)
"""Filters that are one click away."""


class Row(NamedTuple):
    """A battle in a list."""

    battle: Battle
    headline: str
    leaders: list[Leader]
    is_live: bool


class Link(NamedTuple):
    """A link that changes the list."""

    text: str
    query: str
    is_on: bool


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
        next=_query(given, cursor=found.page.next) if found.page.next else None,
        first=_query(given, cursor=None) if asked.cursor else None,
        given=given,
        names=found.names,
        regions=found.regions,
        spaces=SPACE_TYPES,
        orders=[
            Link(
                text,
                _query(given, cursor=None, order=None if order == "start" else order),
                asked.order == order,
            )
            for order, text in ORDERS.items()
        ],
        presets=[_preset(text, changed, given) for text, changed in PRESETS],
        chips=_chips(asked, given, found.names),
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


def _query(given: dict[str, str], **changed: str | None) -> str:
    """The query of the same list with some parameters changed; None takes one away."""
    return urlencode({name: value for name, value in {**given, **changed}.items() if value is not None})


def _preset(text: str, preset: dict[str, str], given: dict[str, str]) -> Link:
    is_on = all(given.get(name) == value for name, value in preset.items())
    changed = dict.fromkeys(preset) if is_on else preset
    return Link(text, _query(given, cursor=None, **changed), is_on)


_WORDS = {
    "min_kills": "at least {} kills",
    "min_pilots": "at least {} pilots",
    "live": "live now",
    "since": "since {}",
    "until": "until {}",
}


def _chips(asked: BattlePage, given: dict[str, str], names: dict[str, str]) -> list[Link]:
    """The filters that are set; each leads to the list without it."""
    chips = []
    for name in BattleFilters.model_fields:
        if name in given and getattr(asked, name):
            # `against` means nothing without `alliance`.
            gone = {"alliance": None, "against": None} if name == "alliance" else {name: None}
            chips.append(Link(_chip(name, given[name], names), _query(given, cursor=None, **gone), True))
    return chips


def _chip(name: str, value: str, names: dict[str, str]) -> str:
    for text, preset in PRESETS:
        if preset == {name: value}:
            return text
    if name == "min_isk":
        return f"at least {isk(int(value))} ISK"
    if name in _WORDS:
        return _WORDS[name].format(value)
    return f"{name}: {names.get(name, value)}"
