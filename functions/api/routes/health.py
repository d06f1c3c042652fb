"""Whether the API can answer, and how fresh its answers are; and the API's description."""

import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from api.answers import NOT_CACHED
from api.models.service import HEALTH, DatabaseHealth, Health, MigrationHealth
from api.parameters import HealthQuery, NoQuery
from api.problems import SCHEMA_BEHIND, ProblemError
from api.queries.feeds import feed_health
from api.routes.dependencies import AS_JSON, FeedStaleAfter, Probed
from battlescope import __version__

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(tags=["service"], dependencies=AS_JSON)


@router.get("/healthz")
def get_health(reader: Probed, feed_stale_after: FeedStaleAfter, asked: HealthQuery) -> Response:
    """Readiness: the database, its schema and the feeds.

    503 where the database is away or not migrated. A feed that stands still makes the API `degraded`, with status
    200: what it answers is right, only not new.
    """
    health = (
        Health(status="ok", version=__version__)
        if asked.live
        else reader.read(lambda connection: _readiness(connection, feed_stale_after))
    )
    return Response(
        HEALTH.dump_json(health),
        headers={"Cache-Control": NOT_CACHED},
        media_type="application/json",
    )


def _readiness(connection: "Database", feed_stale_after: timedelta) -> Health:
    from battlescope.migrate import current_version  # noqa: PLC0415 - imports the database's driver

    asked_at = time.perf_counter()
    current = current_version(connection)
    latency_ms = (time.perf_counter() - asked_at) * 1000
    newest = _newest_version()
    if current < newest:
        raise ProblemError(
            SCHEMA_BEHIND,
            f"the database has schema version {current}, this version needs {newest}: run `battlescope migrate`",
        )
    feeds = feed_health(connection, feed_stale_after)
    is_fresh = bool(feeds) and all(feed["status"] == "ok" for feed in feeds)
    return Health(
        status="ok" if is_fresh else "degraded",
        version=__version__,
        database=DatabaseHealth(latency_ms=round(latency_ms, 2)),
        migrations=MigrationHealth(current=current, newest=newest),
        feeds=feeds,
    )


@cache
def _newest_version() -> int:
    from battlescope.migrate import newest_version  # noqa: PLC0415 - imports the database's driver

    return newest_version()


@router.get("/openapi.json", response_class=Response)
def get_openapi(_: NoQuery) -> Response:
    """This description."""
    from api.openapi import rendered  # noqa: PLC0415 - the description is made only where it is asked for

    return Response(
        rendered(), headers={"Cache-Control": "public, max-age=300"}, media_type="application/json"
    )
