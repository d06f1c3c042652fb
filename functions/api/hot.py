"""Hot answers: what many ask for within seconds is made once, where something remembers it (`api.shared`)."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import Request, Response

from api.answers import Written
from battlescope import __version__

if TYPE_CHECKING:
    from api.shared import Shared

LIST_LASTS_S = 5
"""Answers that only time makes old: half of the shortest time for which they say they may be kept."""

REVISION_LASTS_S = 60
"""Answers about a battle at a revision, which a new revision replaces at once."""


def key_of(request: Request, variant: str) -> str:
    """Under what an answer is kept: what was asked, word for word, and the variant of it (format, revision)."""
    query = request.scope["query_string"].decode("latin-1")
    asked = f"{__version__}\n{request.scope['path']}?{query}\n{variant}"
    return hashlib.sha256(asked.encode()).hexdigest()


def remembered(
    hot: "Shared | None", request: Request, variant: str, make: Callable[[], Written | Response]
) -> Response:
    """What was answered to the same within LIST_LASTS_S, else what `make` makes; a Response is not kept.

    Args:
        hot: what remembers, if anything does.
        request: what was asked.
        variant: the format of the answer.
        make: makes it.
    """
    if hot is None:
        made = make()
        return made if isinstance(made, Response) else made.response(request)
    key = key_of(request, variant)
    answer = hot.get(key)
    if answer is None:
        made = make()
        if isinstance(made, Response):
            return made
        hot.put(key, made, LIST_LASTS_S)
        answer = made
    return answer.response(request)
