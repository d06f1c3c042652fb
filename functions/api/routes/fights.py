"""How a battle went: when what was lost, what was flown, and what stood out."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from api.models.battles import Battle
from api.models.fights import COMPOSITION, TIMELINE, TOP, Composition, Timeline, Top
from api.parameters import BattleId, NoQuery, TopQuery
from api.queries.composition import composition_of
from api.queries.timeline import step_s, timeline
from api.queries.top import top_of
from api.routes.dependencies import AS_JSON, Reads
from api.routes.one_battle import REDIRECTS, Composed, about_battle

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(tags=["battles"], dependencies=AS_JSON)


@router.get("/battles/{id}/timeline", responses=REDIRECTS)
def get_battle_timeline(request: Request, reader: Reads, battle_id: BattleId, _: NoQuery) -> Response:
    """What each side lost, in stretches of time that are as long as makes about sixty of them."""

    def compose(connection: "Database", battle: Battle) -> Composed[Timeline]:
        step = step_s(battle["end_time"] - battle["start_time"])
        return Composed(Timeline(step_s=step, buckets=timeline(connection, battle["id"], step)), 0)

    return about_battle(request, reader, battle_id, "/timeline", TIMELINE, compose)


@router.get("/battles/{id}/composition", responses=REDIRECTS)
def get_battle_composition(request: Request, reader: Reads, battle_id: BattleId, _: NoQuery) -> Response:
    """What each side flew and lost, by group and ship type; structures only where they were lost."""

    def compose(connection: "Database", battle: Battle) -> Composed[Composition]:
        found = composition_of(connection, battle["id"])
        return Composed(Composition(sides=found.items), found.unresolved)

    return about_battle(request, reader, battle_id, "/composition", COMPOSITION, compose)


@router.get("/battles/{id}/top", responses=REDIRECTS)
def get_battle_top(request: Request, reader: Reads, battle_id: BattleId, asked: TopQuery) -> Response:
    """The dearest losses, the most damage and the most final blows."""

    def compose(connection: "Database", battle: Battle) -> Composed[Top]:
        return Composed(*top_of(connection, battle["id"], asked.limit))

    return about_battle(request, reader, battle_id, "/top", TOP, compose)
