"""The change feed as server-sent events: one stream a client, each reading the feed on its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from threading import Event

from starlette.concurrency import run_in_threadpool

from api.exports import EXPORTS_MAX
from api.models.changes import CHANGES, ChangeList
from api.room import Room
from battlescope.errors import DatabaseError
from battlescope.telemetry import logger

POLL_S = 1.0
"""How often the feed is read for a stream."""

ALIVE_S = 15.0
"""After so long without a change a comment is sent, so that proxies keep the connection."""

RETRY_MS = 3000
"""When clients connect again after a stream broke off."""

STREAMS_MAX = 100
"""Streams of one process; each costs the database a short question a second."""


class Streams:
    """The streams of a process that can stream, until `stop` is set.

    Attributes:
        events: room for streams of events.
        exports: room for lists as files.
    """

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self.events = Room(STREAMS_MAX)
        self.exports = Room(EXPORTS_MAX)

    async def follow(self, read: Callable[[str], ChangeList], after: str) -> AsyncIterator[str]:
        """Events from the cursor `after` on, as text; each has the cursor that comes after it as its id."""
        yield f"retry: {RETRY_MS}\nid: {after}\n\n"
        quiet_s = 0.0
        while not self._stop.is_set():
            try:
                feed = await run_in_threadpool(read, after)
            except DatabaseError as error:
                logger.warning("a stream of events broke off", extra={"reason": str(error)})
                return  # the client comes again, with the last id it has seen
            if feed["items"]:
                after, quiet_s = feed["next"], 0.0
                yield _event(feed)
                continue
            quiet_s += POLL_S
            if quiet_s >= ALIVE_S:
                quiet_s = 0.0
                yield ": nothing new\n\n"
            await asyncio.sleep(POLL_S)


def _event(feed: ChangeList) -> str:
    """Changes that came together, as one event: whoever has seen it goes on after all of them."""
    items = json.loads(CHANGES.dump_json(feed))["items"]
    return f"event: changes\nid: {feed['next']}\ndata: {json.dumps(items, separators=(',', ':'))}\n\n"
