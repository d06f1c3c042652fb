"""Overload is shed: a process has room for so many requests, and refuses the rest at once instead of letting them queue.

A request takes room until its answer begins. What waits is thus bounded by what the database's connections can be
expected to serve within a request's patience; a client that reads slowly holds no room; and `/healthz`, which has room
and a connection of its own, answers while everything else is refused.
"""

from collections.abc import Callable

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware import PROBED
from api.problems import OVERLOADED, problem_response
from api.room import Room

REQUESTS_PER_CONNECTION = 4
"""Requests in hand for each connection to the database: one that it serves, and the rest wait for it."""

PROBES_MAX = 4
"""Of `/healthz`, in hand."""


class Rooms:
    """What a process with so many connections has room for."""

    def __init__(self, database_connections: int) -> None:
        self.requests = Room(database_connections * REQUESTS_PER_CONNECTION)
        self.probes = Room(PROBES_MAX)


def overloaded(scope: Scope) -> Response:  # noqa: ARG001 - pages look at it
    """The problem of a request for which there is no room."""
    return problem_response(OVERLOADED, "there are more requests than can be served; try again soon")


class Shedding:
    """Refuses requests for which there is no room."""

    def __init__(self, app: ASGIApp, rooms: Rooms, answer: Callable[[Scope], Response] = overloaded) -> None:
        self._app = app
        self._rooms = rooms
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        room = self._rooms.probes if scope["path"] == PROBED else self._rooms.requests
        if not room.enter():
            await self._answer(scope)(scope, receive, send)
            return
        is_inside = True

        async def watch(message: Message) -> None:
            nonlocal is_inside
            if is_inside:
                is_inside = False
                room.leave()
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            if is_inside:
                room.leave()
