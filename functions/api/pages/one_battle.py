"""What all pages about one battle have in common: where its id leads, and whether the browser has them already."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import Request, Response

from api.answers import REDIRECT_CACHING, caching, is_known, not_modified
from api.models.battles import Battle
from api.pages.rendering import edition
from api.queries.battles import find_battle
from api.reader import Reader
from api.routes.dependencies import context_of
from api.routes.one_battle import successor_of
from battlescope.zkillboard import kill_url

if TYPE_CHECKING:
    from battlescope.database import Database


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
