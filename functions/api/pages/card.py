"""The picture that a shared link shows."""

from typing import TYPE_CHECKING, NamedTuple

from fastapi import APIRouter, Request, Response

from api.answers import caching
from api.models.battles import Battle
from api.pages.headers import COMMON
from api.pages.one_battle import about_battle
from api.parameters import BattleId, NoQuery
from api.queries.leaders import Leader, leaders_of, unresolved_leaders
from api.routes.dependencies import EVERYWHERE, Reads

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(dependencies=EVERYWHERE)


class _Shown(NamedTuple):
    leaders: list[Leader]
    unresolved: int


@router.get("/b/{id}/card.png")
def show_card(request: Request, reader: Reads, battle_id: BattleId, _: NoQuery) -> Response:
    """The battle's share card, 1200 by 630 pixels."""

    def compose(connection: "Database", battle: Battle) -> _Shown:
        leaders = leaders_of(connection, [battle["id"]])[battle["id"]]
        return _Shown(leaders, unresolved_leaders(leaders))

    def show(battle: Battle, found: _Shown, _: bool, etag: str) -> Response:
        from api.pages.drawing import draw_card  # noqa: PLC0415 - imports Pillow, which only cards need

        headers = {**COMMON, "Cache-Control": caching(battle["end_time"]), "ETag": etag}
        return Response(draw_card(battle, found.leaders), headers=headers, media_type="image/png")

    return about_battle(request, reader, battle_id, "/card.png", compose, show)
