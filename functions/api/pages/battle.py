"""One battle: who, where, when, which sides, who won, what was lost, what was flown. And its lists in full."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from api import cursor
from api.answers import REDIRECT_CACHING, caching, is_known, not_modified
from api.models.battles import Battle, BattleKillmail
from api.models.fights import Top
from api.models.sides import Side
from api.pages import fleets, headlines
from api.pages.chart import Chart, chart_of
from api.pages.rendering import edition, page
from api.pages.site import Site
from api.parameters import BattleId, Cursor, NoQuery
from api.queries import members
from api.queries.battles import find_battle
from api.queries.composition import composition_of
from api.queries.leaders import Leader, leaders_of
from api.queries.sides import Sides, sides_of
from api.queries.timeline import step_s, timeline
from api.queries.top import top_of
from api.reader import Reader
from api.routes.dependencies import EVERYWHERE, Reads, context_of
from api.routes.one_battle import successor_of
from battlescope.zkillboard import kill_url

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
        return page(
            request,
            "battle.html",
            caching(battle["end_time"]),
            etag=etag,
            battle=battle,
            is_live=is_live,
            headline=headlines.headline(names, battle),
            title=headlines.title(names, battle),
            found=found,
            names={fleet.side["side_id"]: fleet.name for fleet in found.fleets},
            address=site.public(request, f"{request.scope.get('root_path', '')}/b/{battle['id']}"),
        )

    return about_battle(request, reader, battle_id, "", compose, show)


@router.get("/b/{id}/sides")
def show_sides(request: Request, reader: Reads, battle_id: BattleId, _: NoQuery) -> Response:
    """Everybody on each side, and why."""

    def compose(connection: "Database", battle: Battle) -> Sides:
        return sides_of(connection, battle["id"])

    def show(battle: Battle, found: Sides, is_live: bool, etag: str) -> Response:
        names = headlines.side_names(found.items)
        return page(
            request,
            "sides.html",
            caching(battle["end_time"]),
            etag=etag,
            battle=battle,
            is_live=is_live,
            headline=headlines.headline(names, battle),
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
        return KillmailPage(leaders, found.items, _next(battle["id"], found.next), found.unresolved)

    def show(battle: Battle, found: KillmailPage, is_live: bool, etag: str) -> Response:
        return page(
            request,
            "killmails.html",
            caching(battle["end_time"]),
            etag=etag,
            battle=battle,
            is_live=is_live,
            headline=headlines.headline(headlines.leader_names(found.leaders), battle),
            found=found,
            is_first=after is None,
        )

    return about_battle(request, reader, battle_id, "/killmails", compose, show)


def about_battle[Found: Any](
    request: Request,
    reader: Reader,
    battle_id: UUID,
    part: str,
    compose: "Callable[[Database, Battle], Found]",
    show: Callable[[Battle, Found, bool, str], Response],
) -> Response:
    """What `show` makes of what `compose` reads, unless the browser has it already or the id leads elsewhere.

    As `api.routes.one_battle.about_battle`, which does so for programs; a battle that is none any more leads to
    zKillboard's page of the killmail that it was made from.
    """

    def read(connection: "Database") -> Response | tuple[Battle, Found]:
        battle = find_battle(connection, battle_id)
        if battle is None:
            return _elsewhere(connection, request, battle_id, part)
        complete = _etag(request, battle, unresolved=0)
        if is_known(request, complete):
            return not_modified(complete, caching(battle["end_time"]))
        return battle, compose(connection, battle)

    found = reader.read(read)
    if isinstance(found, Response):
        return found
    battle, composed = found
    return show(
        battle, composed, is_live(request, battle), _etag(request, battle, unresolved=composed.unresolved)
    )


def is_live(request: Request, battle: Battle) -> bool:
    """Whether the battle can still grow."""
    return datetime.now(UTC) - battle["end_time"] < context_of(request).live_within


def _etag(request: Request, battle: Battle, unresolved: int) -> str:
    """Names a page about a battle: by revision, like the API's answer, by what pages look like, and whether it is live."""
    live = "live" if is_live(request, battle) else "over"
    return f'W/"{edition()}-{battle["revision"]}-{unresolved}-{live}"'


def _elsewhere(connection: "Database", request: Request, battle_id: UUID, part: str) -> Response:
    successor = successor_of(connection, battle_id)
    if successor.battle_id is None:
        status, location = 307, kill_url(successor.killmail_id)
    else:
        status = 308
        location = f"{request.scope.get('root_path', '')}/b/{successor.battle_id}{part}"
    return Response(status_code=status, headers={"Location": location, "Cache-Control": REDIRECT_CACHING})


def _next(battle_id: UUID, after: Any) -> str | None:
    return None if after is None else cursor.encode(cursor.KILLMAILS, battle_id, after)
