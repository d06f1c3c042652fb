"""Battles: the list, one battle, and its killmails and participants page by page."""

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import cursor
from api.filters import BattleQuery
from api.formats import JSON, preferred
from api.models.battles import (
    BATTLE_DETAIL,
    Battle,
    BattleDetail,
)
from api.parameters import MEMBERS_PER_PAGE_MAX, BattleId, MemberQuery, NoQuery
from api.queries import members
from api.queries.sides import sides_of
from api.routes.dependencies import EVERYWHERE, Reads
from api.routes.lists import battle_page
from api.routes.members import KILLMAILS, PARTICIPANTS, member_page
from api.routes.one_battle import REDIRECTS, Composed, about_battle

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(tags=["battles"], dependencies=EVERYWHERE)


@router.get("/battles")
def list_battles(request: Request, reader: Reads, asked: BattleQuery) -> Response:
    """Battles that fulfil all filters, newest first where no `order` says otherwise (ties by id, descending).

    JSON, CSV or JSON lines.
    """
    return battle_page(request, reader, asked)


@router.get("/battles/{id}", responses=REDIRECTS)
def get_battle(request: Request, reader: Reads, battle_id: BattleId, _: NoQuery) -> Response:
    """One battle: totals, sides and why, killmails and participants.

    A battle too large for one answer has its first killmails and participants here; `killmails_next` and
    `participants_next` lead to the others.
    """
    preferred(request, [JSON])

    def compose(connection: "Database", battle: Battle) -> Composed[BattleDetail]:
        killmails = members.killmails(connection, battle["id"], None, MEMBERS_PER_PAGE_MAX)
        participants = members.participants(connection, battle["id"], None, MEMBERS_PER_PAGE_MAX)
        sides = sides_of(connection, battle["id"])
        detail = BattleDetail(
            **battle,
            sides=sides.items,
            killmails=killmails.items,
            killmails_next=_next(cursor.KILLMAILS, battle["id"], killmails.next),
            total_participants=members.count_participants(connection, battle["id"]),
            participants=participants.items,
            participants_next=_next(cursor.PARTICIPANTS, battle["id"], participants.next),
        )
        return Composed(detail, killmails.unresolved + participants.unresolved + sides.unresolved)

    return about_battle(request, reader, battle_id, "", BATTLE_DETAIL, compose)


@router.get("/battles/{id}/killmails", responses=REDIRECTS)
def list_battle_killmails(
    request: Request, reader: Reads, battle_id: BattleId, asked: MemberQuery
) -> Response:
    """A battle's killmails, oldest first (ties by id); JSON, CSV or JSON lines."""
    return member_page(request, reader, battle_id, asked, KILLMAILS)


@router.get("/battles/{id}/participants", responses=REDIRECTS)
def list_battle_participants(
    request: Request, reader: Reads, battle_id: BattleId, asked: MemberQuery
) -> Response:
    """A battle's participants, by character and ship type; JSON, CSV or JSON lines."""
    return member_page(request, reader, battle_id, asked, PARTICIPANTS)


def _next[Key](form: cursor.Form[Key], battle_id: UUID, after: Key | None) -> str | None:
    return None if after is None else cursor.encode(form, battle_id, after)
