"""The app: the same in Lambda, in a pod and on a laptop; only where connections come from differs."""

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import problems
from api.middleware import Compression, CrossOrigin, HeadAsGet, RateLimits, UnexpectedErrors
from api.pages.door import Door
from api.reader import Reader
from api.routes import battles, changes, completeness, entities, fights, health, killmails, profiles, search
from api.routes.dependencies import Context
from battlescope import __version__

if TYPE_CHECKING:
    from api.events import Streams
    from api.shedding import Rooms
    from battlescope.settings import ApiSettings

ROUTERS = (
    battles.router,
    fights.router,
    entities.router,
    killmails.router,
    changes.router,
    profiles.router,
    search.router,
    completeness.router,
    health.router,
)


def create_app(
    reader: Reader,
    settings: "ApiSettings",
    streams: "Streams | None" = None,
    *,
    rooms: "Rooms | None" = None,
    probed: Reader | None = None,
) -> FastAPI:
    """The API over what `reader` reads, and the pages beside it.

    Args:
        reader: reads the database.
        settings: of the API.
        streams: where the server can stream.
        rooms: where it serves many requests at once: what it has room for.
        probed: reads for `/healthz`; None where `reader` does that, too.
    """
    app = FastAPI(
        title="BattleScope",
        version=__version__,
        openapi_url=None,  # served by our own route, with the problems in it
        redirect_slashes=False,  # one address for each thing
        # As they are: including routers would analyse every endpoint anew at the first request.
        routes=[route for router in ROUTERS for route in router.routes],
    )
    shared = None
    if settings.redis_url is not None:
        from api.shared import Shared  # noqa: PLC0415 - takes longer to import than the rest; most have no Redis

        shared = Shared(settings.redis_url, settings.rate_per_minute)
    app.state.context = context = Context(
        reader,
        timedelta(minutes=settings.feed_stale_minutes),
        timedelta(minutes=settings.gap_max_minutes),
        streams,
        shared,
        probed or reader,
    )
    problems.add_handlers(app)
    # Each wraps those added before it.
    if shared is not None:
        app.add_middleware(RateLimits, wait_s=shared.wait_s)
    if rooms is not None:
        from api.shedding import Shedding  # noqa: PLC0415 - Lambda sheds by itself

        app.add_middleware(Shedding, rooms=rooms)
    app.add_middleware(
        Door,
        context=context,
        settings=settings,
        api=_first_segments(app),
        wait_s=None if shared is None else shared.wait_s,
        rooms=rooms,
    )
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(Compression)
    app.add_middleware(CrossOrigin)
    app.add_middleware(HeadAsGet)
    return app


def _first_segments(app: FastAPI) -> frozenset[str]:
    return frozenset(route.path.split("/")[1] for route in app.routes if isinstance(route, APIRoute))
