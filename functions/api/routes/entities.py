"""Battles of a character, a corporation, an alliance or a solar system."""

from fastapi import APIRouter, Request, Response

from api.filters import BattleQuery
from api.parameters import AllianceId, CharacterId, CorporationId, SystemId
from api.routes.dependencies import EVERYWHERE, Reads
from api.routes.lists import battle_page

router = APIRouter(tags=["battles"], dependencies=EVERYWHERE)


@router.get("/characters/{id}/battles")
def list_character_battles(
    request: Request, reader: Reads, character_id: CharacterId, asked: BattleQuery
) -> Response:
    """Battles with a character on a killmail, newest first where no `order` says otherwise; the filters apply as well.

    JSON, CSV or JSON lines.
    """
    return battle_page(request, reader, asked, [("character", character_id)])


@router.get("/corporations/{id}/battles")
def list_corporation_battles(
    request: Request, reader: Reads, corporation_id: CorporationId, asked: BattleQuery
) -> Response:
    """Battles with a corporation on a killmail, as the killmail has it, newest first where no `order` says otherwise; the filters apply as well.

    JSON, CSV or JSON lines.
    """
    return battle_page(request, reader, asked, [("corporation", corporation_id)])


@router.get("/alliances/{id}/battles")
def list_alliance_battles(
    request: Request, reader: Reads, alliance_id: AllianceId, asked: BattleQuery
) -> Response:
    """Battles with an alliance on a killmail, as the killmail has it, newest first where no `order` says otherwise; the filters apply as well.

    JSON, CSV or JSON lines.
    """
    return battle_page(request, reader, asked, [("alliance", alliance_id)])


@router.get("/systems/{id}/battles")
def list_system_battles(request: Request, reader: Reads, system_id: SystemId, asked: BattleQuery) -> Response:
    """Battles in a solar system, newest first where no `order` says otherwise; the filters apply as well.

    JSON, CSV or JSON lines.
    """
    return battle_page(request, reader, asked, [("system", system_id)])
