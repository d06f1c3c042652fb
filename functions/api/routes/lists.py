"""A page of battles: what every list of battles answers."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import Request, Response

from api import cursor
from api.answers import Written, caching, write
from api.cursor import Page
from api.filters import BattlePage, Constraint, Order
from api.formats import NEGOTIATED, Served, chosen
from api.hot import remembered
from api.models.battles import BATTLE_LIST, Battle, BattleList
from api.parameters import FILE_ROWS
from api.queries.battle_lists import list_battles
from api.reader import Reader
from api.routes.dependencies import context_of

if TYPE_CHECKING:
    from battlescope.database import Database

_KEYS: dict[Order, tuple[cursor.Form[Any], str]] = {
    "start": (cursor.BATTLES_BY_TIME, "start_time"),
    "end": (cursor.BATTLES_BY_TIME, "end_time"),
    "isk": (cursor.BATTLES_BY_NUMBER, "total_isk_destroyed"),
    "kills": (cursor.BATTLES_BY_NUMBER, "total_kills"),
    "pilots": (cursor.BATTLES_BY_NUMBER, "pilots"),
}
"""By order: the form of its cursors, and what of a battle is in them."""


class FoundPage(NamedTuple):
    """A page of a list of battles, where the next one starts, and how long it may be kept."""

    items: list[Battle]
    next: str | None
    cache_control: str


def battle_page(
    request: Request, reader: Reader, asked: BattlePage, owner: Sequence[Constraint] = ()
) -> Response:
    """The page of battles that is asked for, or the list as a file.

    Args:
        request: what was asked.
        reader: reads it.
        asked: filters, order, page size, cursor and format.
        owner: what the path adds to the filters.
    """
    served = chosen(request, asked.format)
    context = context_of(request)

    def find(asked: BattlePage) -> FoundPage:
        return reader.read(lambda connection: read_page(connection, asked, owner, context.live_within))

    def make() -> Written | Response:
        return _json(request, find(asked)) if served.format == "json" else _file(request, served, asked, find)

    return remembered(context.hot, request, served.media_type, make)


def read_page(
    connection: "Database", asked: BattlePage, owner: Sequence[Constraint], live_within: timedelta
) -> FoundPage:
    """The page of battles that is asked for; `owner` is what the path adds to the filters.

    Raises:
        ProblemError: the cursor belongs to another list, or `against` has no other opponent.
    """
    constraints, order = asked.constraints(owner), asked.order
    form, _ = _KEYS[order]
    after = cursor.decode(form, (order, constraints), asked.cursor)
    found = list_battles(connection, constraints, order, after, asked.limit + 1, live_within)
    items = found[: asked.limit]
    next_cursor = None
    if len(found) > len(items):
        next_cursor = cursor.encode(form, (order, constraints), _key(items[-1], order))
    newest = _newest_possible(asked.until, after if order == "start" else None)
    return FoundPage(items, next_cursor, caching(newest))


def _json(request: Request, found: FoundPage) -> Written:
    return write(
        request,
        BATTLE_LIST.dump_json(BattleList(items=found.items, next=found.next)),
        found.cache_control,
        next_cursor=found.next,
        headers=NEGOTIATED,
    )


def _file(
    request: Request, served: Served, asked: BattlePage, find: Callable[[BattlePage], FoundPage]
) -> Written | Response:
    from api.routes.files import file_response  # noqa: PLC0415 - most answers are none
    from api.tables import BATTLES  # noqa: PLC0415

    is_whole_list = "limit" not in asked.model_fields_set
    if is_whole_list:
        asked = asked.model_copy(update={"limit": FILE_ROWS})
    first = find(asked)

    def read(next_cursor: str) -> Page[Battle]:
        found = find(asked.model_copy(update={"cursor": next_cursor}))
        return Page(found.items, found.next)

    return file_response(
        request,
        BATTLES,
        served,
        request.scope["path"].strip("/").replace("/", "-"),
        Page(first.items, first.next),
        read,
        first.cache_control,
        is_whole_list=is_whole_list,
    )


def _key(battle: Battle, order: Order) -> Any:
    values: dict[str, Any] = {**battle}
    return values[_KEYS[order][1]], battle["id"]


def _newest_possible(until: datetime | None, after: tuple[datetime, Any] | None) -> datetime | None:
    """The latest start a battle on this page can have; None where it may be now."""
    bounds = [bound for bound in (until, after[0] if after else None) if bound is not None]
    return min(bounds, default=None)
