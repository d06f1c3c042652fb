"""One battle: who, where, when, which sides, who won, what was lost, what was flown. And its lists in full."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from api import cursor
from api.answers import caching
from api.models.battles import Battle, BattleKillmail
from api.models.fights import Top
from api.models.sides import Side
from api.pages import fleets, headlines
from api.pages.chart import Chart, chart_of
from api.pages.one_battle import about_battle
from api.pages.rendering import page
from api.pages.site import Site
from api.parameters import BattleId, Cursor, NoQuery
from api.queries import members
from api.queries.composition import composition_of
from api.queries.leaders import Leader, leaders_of, unresolved_leaders
from api.queries.sides import Sides, sides_of
from api.queries.timeline import step_s, timeline
from api.queries.top import top_of
from api.routes.dependencies import EVERYWHERE, Reads

if TYPE_CHECKING:
    from battlescope.database import Database

KILLMAILS_SHOWN = 50
"""On the battle's own page."""

KILLMAILS_PER_PAGE = 200
TOP_SHOWN = 10

router = APIRouter(dependencies=EVERYWHERE)


class Whole(NamedTuple):
    """All that the battle's page shows, and how many ids in it have no name yet."""

    sides: list[Side]
    fleets: list[fleets.Fleet]
    chart: Chart
    top: Top
    killmails: list[BattleKillmail]
    killmails_next: str | None
    unresolved: int


@router.get("/b/{id}")
def show_battle(request: Request, reader: Reads, battle_id: BattleId, _: NoQuery) -> Response:
    """The battle's page."""

    def compose(connection: "Database", battle: Battle) -> Whole:
        sides = sides_of(connection, battle["id"])
        composition = composition_of(connection, battle["id"])
        step = step_s(battle["end_time"] - battle["start_time"])
        top = top_of(connection, battle["id"], TOP_SHOWN)
        killmails = members.killmails(connection, battle["id"], None, KILLMAILS_SHOWN)
        return Whole(
            sides.items,
            fleets.fleets_of(sides.items, composition.items),
            chart_of(timeline(connection, battle["id"], step), step),
            top.top,
            killmails.items,
            _next(battle["id"], killmails.next),
            sides.unresolved + composition.unresolved + top.unresolved + killmails.unresolved,
        )

    def show(battle: Battle, found: Whole, is_live: bool, etag: str) -> Response:
        site: Site = request.app.state.site
        names = headlines.side_names(found.sides)
        return _page(
            request,
            "battle.html",
            battle,
            names,
            etag=etag,
            is_live=is_live,
            title=headlines.title(names, battle),
            found=found,
            names=fleets.names_of(found.fleets),
            address=site.public(request, f"{request.scope.get('root_path', '')}/b/{battle['id']}"),
        )

    return about_battle(request, reader, battle_id, "", compose, show)


@router.get("/b/{id}/sides")
def show_sides(request: Request, reader: Reads, battle_id: BattleId, _: NoQuery) -> Response:
    """Everybody on each side, and why."""

    def compose(connection: "Database", battle: Battle) -> Sides:
        return sides_of(connection, battle["id"])

    def show(battle: Battle, found: Sides, is_live: bool, etag: str) -> Response:
        return _page(
            request,
            "sides.html",
            battle,
            headlines.side_names(found.items),
            etag=etag,
            is_live=is_live,
            fleets=fleets.fleets_of(found.items, []),
        )

    return about_battle(request, reader, battle_id, "/sides", compose, show)


class KillmailsQuery(BaseModel):
    """Which part of a battle's killmails."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: Cursor | None = None


class KillmailPage(NamedTuple):
    """Killmails of a battle, and what the page about them needs beside them."""

    leaders: list[Leader]
    items: list[BattleKillmail]
    next: str | None
    unresolved: int


@router.get("/b/{id}/killmails")
def show_killmails(
    request: Request, reader: Reads, battle_id: BattleId, asked: Annotated[KillmailsQuery, Query()]
) -> Response:
    """Killmails of the battle, a page at a time."""
    after = cursor.decode(cursor.KILLMAILS, battle_id, asked.cursor)

    def compose(connection: "Database", battle: Battle) -> KillmailPage:
        leaders = leaders_of(connection, [battle["id"]])[battle["id"]]
        found = members.killmails(connection, battle["id"], after, KILLMAILS_PER_PAGE)
        unresolved = found.unresolved + unresolved_leaders(leaders)
        return KillmailPage(leaders, found.items, _next(battle["id"], found.next), unresolved)

    def show(battle: Battle, found: KillmailPage, is_live: bool, etag: str) -> Response:
        return _page(
            request,
            "killmails.html",
            battle,
            headlines.leader_names(found.leaders),
            etag=etag,
            is_live=is_live,
            found=found,
            is_first=after is None,
        )

    return about_battle(request, reader, battle_id, "/killmails", compose, show)


def _page(request: Request, template: str, battle: Battle, sides: Sequence[str], **shown: Any) -> Response:
    """A page about a battle between sides of these names."""
    headline = headlines.headline(sides, battle)
    return page(request, template, caching(battle["end_time"]), battle=battle, headline=headline, **shown)


def _next(battle_id: UUID, after: Any) -> str | None:
    return None if after is None else cursor.encode(cursor.KILLMAILS, battle_id, after)
