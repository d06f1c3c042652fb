"""What the API's process shows of itself: metrics where METRICS_PORT is set, traces where a collector is named.

In Lambda, API Gateway measures requests itself, and the handler is traced as every handler is.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.pages.door import PAGES
from api.queries.completeness import list_days
from api.queries.feeds import feed_health
from api.reader import Reader
from battlescope import telemetry

if TYPE_CHECKING:
    from api.pool import Pool
    from battlescope.exposition import Exposition

DAYS = 3
"""Of the latest days that repair checked, how much is held is shown."""


def show(reader: Reader, pool: "Pool", port: int) -> "Exposition":
    """Serve this process's metrics, and what the database tells of feeds and completeness.

    Raises:
        LaptopError: the port cannot be had.
    """
    from battlescope.exposition import Exposition  # noqa: PLC0415 - only where it is asked for

    exposition = Exposition()
    exposition.watch(
        "battlescope_feed_age_seconds",
        "Since a feed's cursor moved.",
        "feed",
        lambda: {
            feed["feed"]: feed["age_s"]
            for feed in reader.read(lambda connection: feed_health(connection, timedelta(0)))
            if feed["age_s"] is not None
        },
    )
    exposition.watch(
        "battlescope_day_completeness_ratio",
        "How much is held of what zKillboard lists, on the latest days that were checked; 0 is the newest.",
        "days_before",
        lambda: {
            str(days_before): day["held"] / day["expected"]
            for days_before, day in enumerate(
                reader.read(lambda connection: list_days(connection, None, DAYS))
            )
            if day["expected"]
        },
    )
    exposition.watch(
        "battlescope_database_pool",
        "Connections of this process, by state, and requests that wait for one.",
        "state",
        pool.state,
    )
    telemetry.expose(exposition)
    exposition.serve(port)
    return exposition


class Measured:
    """Traces requests, and measures how long they wait until their answer begins: by the route, not by the path.

    A page counts under the first segment of its path: `/`, `/b`, `/alliance`.
    """

    def __init__(self, app: ASGIApp, exposition: "Exposition | None", routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._exposition = exposition
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked_at = time.perf_counter()
        method, route = scope["method"], self._route(scope)

        async def measure(message: Message) -> None:
            if self._exposition is not None and message["type"] == "http.response.start":
                self._exposition.answered(method, route, message["status"], time.perf_counter() - asked_at)
            await send(message)

        with telemetry.span(f"{method} {route}"):
            await self._app(scope, receive, measure)

    def _route(self, scope: Scope) -> str:
        for route in self._routes:
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
                return route.path
        first = scope["path"].split("/")[1]
        return f"/{first}" if first in PAGES else "none"
