"""A battle's killmails and participants, page by page or as files."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from fastapi import Request, Response
from pydantic import TypeAdapter

from api import cursor
from api.answers import Written, write
from api.cursor import Page
from api.formats import NEGOTIATED, chosen
from api.models.battles import KILLMAIL_LIST, PARTICIPANT_LIST, Battle
from api.parameters import FILE_ROWS, MemberPage
from api.problems import not_found
from api.queries import members
from api.queries.battles import find_battle
from api.reader import Reader
from api.routes.one_battle import Composed, Validators, battle_response

if TYPE_CHECKING:
    from battlescope.database import Database


class _Kind[Item, Key](NamedTuple):
    """Killmails or participants: what they are called, how a page is read, and how it is written as JSON."""

    name: str
    form: cursor.Form[Key]
    read: "Callable[[Database, UUID, Key | None, int], members.Members[Item, Key]]"
    shape: TypeAdapter[Any]


class _FirstPage[Item](NamedTuple):
    page: Page[Item]
    revision: int


KILLMAILS = _Kind("killmails", cursor.KILLMAILS, members.killmails, KILLMAIL_LIST)
PARTICIPANTS = _Kind("participants", cursor.PARTICIPANTS, members.participants, PARTICIPANT_LIST)


def member_page[Item, Key](
    request: Request, reader: Reader, battle_id: UUID, asked: MemberPage, kind: _Kind[Item, Key]
) -> Response:
    """The page that is asked for, or the list as a file.

    Args:
        request: what was asked.
        reader: reads it.
        battle_id: from the path.
        asked: page size, cursor and format.
        kind: of what.
    """
    served = chosen(request, asked.format)
    after = cursor.decode(kind.form, battle_id, asked.cursor)

    def compose(connection: "Database", battle: Battle) -> Composed[_FirstPage[Item]]:
        found = kind.read(connection, battle_id, after, asked.limit)
        return Composed(_FirstPage(_page(kind, battle_id, found), battle["revision"]), found.unresolved)

    def next_page(next_cursor: str, revision: int) -> Page[Item]:
        key = cursor.decode(kind.form, battle_id, next_cursor)

        def read(connection: "Database") -> members.Members[Item, Key]:
            battle = find_battle(connection, battle_id)
            if battle is None or battle["revision"] != revision:
                raise not_found(f"the battle {battle_id} changed while it was being sent")
            return kind.read(connection, battle_id, key, FILE_ROWS)

        return _page(kind, battle_id, reader.read(read))

    def finish(composed: Composed[_FirstPage[Item]], validators: Validators) -> Written | Response:
        (page, revision), (etag, cache_control) = composed.body, validators
        if served.format == "json":
            text = kind.shape.dump_json({"items": page.items, "next": page.next})
            return write(request, text, cache_control, etag=etag, next_cursor=page.next, headers=NEGOTIATED)
        from api.routes.files import file_response  # noqa: PLC0415 - most answers are none
        from api.tables import MEMBERS  # noqa: PLC0415

        return file_response(
            request,
            MEMBERS[kind.name],
            served,
            f"battle-{battle_id}-{kind.name}",
            page,
            lambda next_cursor: next_page(next_cursor, revision),
            cache_control,
            is_whole_list="limit" not in asked.model_fields_set,
            etag=etag,
        )

    return battle_response(
        request, reader, battle_id, f"/{kind.name}", compose, finish, served.format, NEGOTIATED
    )


def _page[Item, Key](
    kind: _Kind[Item, Key], battle_id: UUID, found: members.Members[Item, Key]
) -> Page[Item]:
    after = found.next
    return Page(found.items, None if after is None else cursor.encode(kind.form, battle_id, after))
