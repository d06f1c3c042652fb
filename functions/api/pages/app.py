"""The pages' app: routes and error pages. Its requests come through the door."""

from typing import TYPE_CHECKING

from fastapi import FastAPI

from api.middleware import RateLimits, Waits
from api.pages import about, assets, battle, battles, card, entities, errors, find
from api.pages.clicks import Clicks
from api.pages.site import Site
from api.routes.dependencies import Context

if TYPE_CHECKING:
    from api.shedding import Rooms
    from battlescope.settings import ApiSettings

_ROUTERS = (
    battles.router,
    battle.router,
    card.router,
    entities.router,
    find.router,
    about.router,
    assets.router,
)


def create_pages(
    context: Context, settings: "ApiSettings", wait_s: Waits | None, rooms: "Rooms | None"
) -> FastAPI:
    """The pages over what the API's app reads; `wait_s` is given to limit clients, `rooms` to shed overload."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        routes=[route for router in _ROUTERS for route in router.routes],
    )
    app.state.context = context
    app.state.site = Site(settings)
    errors.add_handlers(app)
    app.add_middleware(Clicks)
    if wait_s is not None:
        app.add_middleware(RateLimits, wait_s=wait_s, answer=errors.refusal_page)
    if rooms is not None:
        from api.shedding import Shedding  # noqa: PLC0415 - Lambda sheds by itself

        app.add_middleware(Shedding, rooms=rooms, answer=errors.overload_page)
    return app
