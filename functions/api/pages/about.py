"""What this is, how fresh it is and how complete."""

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from api.answers import caching
from api.models.service import DayCompleteness, FeedHealth
from api.pages.rendering import page
from api.parameters import NoQuery
from api.queries.completeness import list_days
from api.queries.feeds import feed_health
from api.routes.dependencies import EVERYWHERE, FeedStaleAfter, Reads

if TYPE_CHECKING:
    from battlescope.database import Database

DAYS_SHOWN = 30

router = APIRouter(dependencies=EVERYWHERE)


@router.get("/about")
def show_about(request: Request, reader: Reads, feed_stale_after: FeedStaleAfter, _: NoQuery) -> Response:
    """The about page."""

    def read(connection: "Database") -> tuple[list[FeedHealth], list[DayCompleteness]]:
        return feed_health(connection, feed_stale_after), list_days(connection, None, DAYS_SHOWN)

    feeds, days = reader.read(read)
    lags = {
        feed["feed"]: feed["moved_at"] - feed["newest_killmail"]
        for feed in feeds
        if feed["moved_at"] and feed["newest_killmail"]
    }
    ages = {feed["feed"]: timedelta(seconds=feed["age_s"]) for feed in feeds if feed["age_s"] is not None}
    return page(request, "about.html", caching(), feeds=feeds, days=days, lags=lags, ages=ages)
