"""A page of battles: what every list of battles answers."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import Request, Response

from api import cursor
from api.answers import answer, caching
from api.models import BATTLE_LIST, BattleList
from api.parameters import BattlePage, Constraint
from api.queries.battles import list_battles
from api.reader import Reader


def battle_page(
    request: Request, reader: Reader, asked: BattlePage, owner: Sequence[Constraint] = ()
) -> Response:
    """The page of battles that is asked for.

    Args:
        request: what was asked.
        reader: reads it.
        asked: filters, page size and cursor.
        owner: what the path adds to the filters.
    """
    constraints = asked.constraints(owner)
    after = cursor.decode(cursor.BATTLES, constraints, asked.cursor)
    found = reader.read(lambda connection: list_battles(connection, constraints, after, asked.limit + 1))
    items = found[: asked.limit]
    next_cursor = None
    if len(found) > len(items):
        next_cursor = cursor.encode(cursor.BATTLES, constraints, (items[-1]["start_time"], items[-1]["id"]))
    return answer(
        request,
        BATTLE_LIST,
        BattleList(items=items, next=next_cursor),
        caching(_newest_possible(asked.until, after)),
        next_cursor=next_cursor,
    )


def _newest_possible(until: datetime | None, after: cursor.BattleKey | None) -> datetime | None:
    """The latest start a battle on this page can have; None where it may be now."""
    bounds = [bound for bound in (until, after[0] if after else None) if bound is not None]
    return min(bounds, default=None)
