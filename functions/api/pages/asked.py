"""What a person asked of the list, from a form: names in the place of ids, 10b in the place of noughts.

The address says what the API's would: whoever typed a name is led to the address with its id, which can be shared.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.answers import NOT_CACHED
from api.filters import BattlePage
from api.parameters import is_searchable
from api.problems import invalid_parameter
from api.queries.search import search
from battlescope.assignment import ISK_UNITS

if TYPE_CHECKING:
    from api.reader import Reader

_NAMED = {
    "alliance": ("alliance",),
    "against": ("alliance", "corporation"),
    "corporation": ("corporation",),
    "character": ("character",),
    "system": ("system",),
}
"""Filters that may be given by name, and what they may name."""

_UNITS = {letter: unit for unit, letter in ISK_UNITS}
_SHORT_ISK = re.compile(r"(\d{1,6})(?:[.,](\d{1,3}))?\s*([kmbt])", re.IGNORECASE)


def asked_of(request: Request, reader: "Reader") -> BattlePage | Response:
    """The filters that were asked for, or a redirect to the address that says them.

    Raises:
        RequestValidationError: as the API would.
        ProblemError: nothing has the name that was typed.
    """
    given = dict(request.query_params)
    meant = {name: _meant(reader, name, text.strip()) for name, text in given.items() if text.strip()}
    if meant.get("order") == BattlePage.model_fields["order"].default:
        del meant["order"]
    if meant != given:
        query = urlencode(meant)
        path = f"{request.scope.get('root_path', '')}/{'?' if query else ''}{query}"
        return Response(status_code=302, headers={"Location": path, "Cache-Control": NOT_CACHED})
    try:
        return BattlePage.model_validate(meant)
    except ValidationError as error:
        raise RequestValidationError(
            [{**each, "loc": ("query", *each["loc"])} for each in error.errors()]
        ) from None


def _meant(reader: "Reader", name: str, text: str) -> str:
    if name in _NAMED and not text.isdigit():
        return _id_of(reader, name, text)
    if name == "min_isk" and (short := _SHORT_ISK.fullmatch(text)):
        whole, fraction, letter = short.groups()
        thousandths = int(whole) * 1000 + int((fraction or "").ljust(3, "0"))
        return str(thousandths * _UNITS[letter.lower()] // 1000)
    return text


def _id_of(reader: "Reader", name: str, text: str) -> str:
    kinds = _NAMED[name]
    if is_searchable(text):
        for one in reader.read(lambda connection: search(connection, text, 1, kinds)):
            return str(one["id"])
    raise invalid_parameter(name, f"no {' or '.join(kinds)} has a name like {text[:80]!r}")
