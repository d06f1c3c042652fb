"""Pages of alliances, corporations, characters and solar systems: what they did of late, and their latest battles."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from api.filters import BattlePage
from api.pages.battles import Row, rows_of
from api.pages.chart import months_of
from api.pages.rendering import page
from api.parameters import AllianceId, CharacterId, CorporationId, NoQuery, SystemId
from api.queries.kinds import kinds_of
from api.queries.leaders import leaders_of
from api.queries.profiles import EntityKind
from api.reader import Reader
from api.routes.dependencies import EVERYWHERE, Reads, context_of
from api.routes.lists import read_page
from api.routes.profiles import PROFILE_CACHING, read_profile, read_system

if TYPE_CHECKING:
    from battlescope.database import Database

BATTLES_SHOWN = 20

router = APIRouter(dependencies=EVERYWHERE)


@router.get("/alliance/{id}")
def show_alliance(request: Request, reader: Reads, alliance_id: AllianceId, _: NoQuery) -> Response:
    """An alliance's page."""
    return _entity(request, reader, "alliance", alliance_id)


@router.get("/corporation/{id}")
def show_corporation(request: Request, reader: Reads, corporation_id: CorporationId, _: NoQuery) -> Response:
    """A corporation's page."""
    return _entity(request, reader, "corporation", corporation_id)


@router.get("/character/{id}")
def show_character(request: Request, reader: Reads, character_id: CharacterId, _: NoQuery) -> Response:
    """A character's page."""
    return _entity(request, reader, "character", character_id)


@router.get("/system/{id}")
def show_system(request: Request, reader: Reads, system_id: SystemId, _: NoQuery) -> Response:
    """A solar system's page."""

    def read(connection: "Database") -> dict[str, Any]:
        profile = read_system(connection, system_id)
        visitors = profile["recent"]["affiliations"] if profile["recent"] else []
        return {
            "system": profile,
            "months": months_of(profile["months"]) if profile["months"] else [],
            "kinds": kinds_of(connection, [visitor["id"] for visitor in visitors]),
            "rows": _latest(request, connection, "system", system_id),
        }

    return page(request, "system.html", PROFILE_CACHING, **reader.read(read))


def _entity(request: Request, reader: Reader, kind: EntityKind, entity_id: int) -> Response:
    def read(connection: "Database") -> dict[str, Any]:
        profile = read_profile(connection, kind, entity_id)
        recent = profile["recent"]
        return {
            "entity": profile,
            "months": months_of(profile["months"]),
            "kinds": kinds_of(connection, [one["id"] for one in (*recent["opponents"], *recent["friends"])]),
            "rows": _latest(request, connection, kind, entity_id),
        }

    return page(request, "entity.html", PROFILE_CACHING, kind=kind, **reader.read(read))


def _latest(request: Request, connection: "Database", kind: str, id_: int) -> list[Row]:
    live_within = context_of(request).live_within
    found = read_page(
        connection, BattlePage.model_validate({"limit": str(BATTLES_SHOWN)}), [(kind, id_)], live_within
    )
    leaders = leaders_of(connection, [battle["id"] for battle in found.items])
    return rows_of(request, found.items, leaders)
