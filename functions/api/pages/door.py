"""The door between the API and the pages: which requests are for people.

The only module of the pages that a cold start imports.
"""

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from api.middleware import Waits
    from api.routes.dependencies import Context
    from api.shedding import Rooms
    from battlescope.settings import ApiSettings

PAGES = frozenset(
    {"", "b", "alliance", "corporation", "character", "system", "find", "about", "assets", "favicon.ico"}
)
"""The first segments of the pages' paths; no path of the API begins with one of them."""


class Door:
    """Hands requests for pages to the pages' app, and all others to the API's.

    A path that is neither's is answered by the pages where the client prefers HTML, as browsers do, and else by the
    API: a person who mistyped an address gets a page that helps, a program a problem.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        context: "Context",
        settings: "ApiSettings",
        api: Container[str],
        wait_s: "Waits | None",
        rooms: "Rooms | None",
    ) -> None:
        """`api` are the first segments of the API's paths; `wait_s` is given to limit clients, `rooms` to shed overload."""
        self._app = app
        self._make: Callable[[], ASGIApp] = lambda: _make(context, settings, wait_s, rooms)
        self._api = api
        self._pages: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not self._is_for_a_person(scope):
            await self._app(scope, receive, send)
            return
        if self._pages is None:
            self._pages = self._make()
        await self._pages(scope, receive, send)

    def _is_for_a_person(self, scope: Scope) -> bool:
        first = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/").partition("/")[0]
        if first in PAGES:
            return True
        return first not in self._api and any(
            name == b"accept" and b"text/html" in value for name, value in scope["headers"]
        )


def _make(
    context: "Context", settings: "ApiSettings", wait_s: "Waits | None", rooms: "Rooms | None"
) -> ASGIApp:
    from api.pages.app import create_pages  # noqa: PLC0415 - see the module's docstring

    return create_pages(context, settings, wait_s, rooms)
