"""What all answers about one battle have in common: where its id leads, and whether the client has them already."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from fastapi import Request, Response
from pydantic import TypeAdapter

from api.answers import Written, caching, is_known, not_modified, redirect, revision_etag, write
from api.formats import Format
from api.hot import LIST_LASTS_S, REVISION_LASTS_S, key_of
from api.models.battles import Battle
from api.problems import gone, not_found
from api.queries.battles import Successor, find_battle, find_successor
from api.reader import Reader
from api.routes.dependencies import context_of
from battlescope.zkillboard import kill_url

if TYPE_CHECKING:
    from battlescope.database import Database


REDIRECTS: dict[int | str, dict[str, Any]] = {
    307: {"description": "The battle is none any more: leads to the killmail it began with."},
    308: {"description": "The battle went into another one: leads to that."},
}


class Composed[Body](NamedTuple):
    """An answer about a battle.

    Attributes:
        body: the answer.
        unresolved: how many ids in it have no name yet.
    """

    body: Body
    unresolved: int


class Validators(NamedTuple):
    """What names an answer about a battle, and how long it may be kept."""

    etag: str
    cache_control: str


def about_battle[Body](
    request: Request,
    reader: Reader,
    battle_id: UUID,
    part: str,
    shape: TypeAdapter[Body],
    compose: "Callable[[Database, Battle], Composed[Body]]",
) -> Response:
    """What `compose` makes of a battle, as JSON; see `battle_response`."""

    def finish(composed: Composed[Body], validators: Validators) -> Written:
        return write(
            request,
            shape.dump_json(composed.body),
            validators.cache_control,
            etag=validators.etag,
        )

    return battle_response(request, reader, battle_id, part, compose, finish)


def battle_response[Body](
    request: Request,
    reader: Reader,
    battle_id: UUID,
    part: str,
    compose: "Callable[[Database, Battle], Composed[Body]]",
    finish: Callable[[Composed[Body], Validators], Written | Response],
    format_: Format = "json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What is answered about a battle, unless the client has it already or the id leads elsewhere.

    Args:
        request: what was asked.
        reader: reads the battle, and what `compose` needs, in one snapshot.
        battle_id: from the path.
        part: what the path has after the id.
        compose: makes the answer; the heavy part, so it is done only where it is needed.
        finish: writes it.
        format_: in which format, so that answers in different ones have different names.
        headers: what else goes with a 304.

    Raises:
        ProblemError: no battle ever had the id, or its killmails are not kept any more.
    """
    hot = context_of(request).hot

    def read(connection: "Database") -> Response | tuple[Battle, Composed[Body]]:
        battle = find_battle(connection, battle_id)
        if battle is None:
            return _elsewhere(connection, request, battle_id, part)
        complete = revision_etag(battle["revision"], 0, format_)
        if is_known(request, complete):
            return not_modified(complete, caching(battle["end_time"]), headers or {})
        kept = hot and hot.get(key_of(request, complete))
        return kept.response(request) if kept else (battle, compose(connection, battle))

    found = reader.read(read)
    if isinstance(found, Response):
        return found
    battle, composed = found
    etag = revision_etag(battle["revision"], composed.unresolved, format_)
    made = finish(composed, Validators(etag, caching(battle["end_time"])))
    if isinstance(made, Response):
        return made
    if hot:
        lasts = REVISION_LASTS_S if not composed.unresolved else LIST_LASTS_S
        hot.put(key_of(request, revision_etag(battle["revision"], 0, format_)), made, lasts)
    return made.response(request)


def successor_of(connection: "Database", battle_id: UUID) -> Successor:
    """Where an id leads that is no battle's any more.

    Raises:
        ProblemError: no battle ever had the id, or its killmails are not kept any more.
    """
    successor = find_successor(connection, battle_id)
    if successor is None:
        raise not_found(f"no battle has the id {battle_id}")
    if not successor.is_kept:
        page = kill_url(successor.killmail_id)
        raise gone(
            f"the battle {battle_id} is older than is kept here; its first killmail is at {page}", page
        )
    return successor


def _elsewhere(connection: "Database", request: Request, battle_id: UUID, part: str) -> Response:
    successor = successor_of(connection, battle_id)
    if successor.battle_id is None:
        return redirect(request, 307, f"/killmails/{successor.killmail_id}")
    return redirect(request, 308, f"/battles/{successor.battle_id}{part}", keep_query=True)
