"""Lists as files: CSV and JSON lines.

A list that fits a page, and every page that is asked for with `limit`, is an answer like any other. A longer one is
streamed where the server can: page after page, each a snapshot of its own, with one page in memory. A stream that
cannot be finished is cut off without its end, so that no client takes a part for the whole. Where the server cannot
stream, a page has a `Link` to the next.
"""

from collections.abc import Callable, Mapping
from threading import Lock

from anyio import move_on_after
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.cursor import Page
from api.formats import Served
from api.problems import ProblemError
from api.tables import Table, written
from battlescope.errors import DatabaseError
from battlescope.telemetry import logger

ROWS_MAX = 1_000_000
"""Rows of one stream."""

STREAM_MAX_S = 600.0
"""How long one stream may take, however slowly the client reads."""

EXPORTS_MAX = 10
"""Streams of one process; each keeps the database busy."""


class Exports:
    """The exports that a process streams now."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open = 0

    def enter(self) -> bool:
        """Whether there was room for one more, which there then is not."""
        with self._lock:
            if self._open >= EXPORTS_MAX:
                return False
            self._open += 1
            return True

    def leave(self) -> None:
        """Make room."""
        with self._lock:
            self._open -= 1


class ExportResponse[Item](StreamingResponse):
    """A list as a stream, from a first page that was read already.

    Args:
        exports: what room there is.
        table: how the list is written.
        served: as what.
        first: its first page.
        read: reads the page at a cursor.
        headers: what goes with it.
    """

    def __init__(
        self,
        exports: Exports,
        table: Table[Item],
        served: Served,
        first: Page[Item],
        read: Callable[[str], Page[Item]],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__((), headers=headers, media_type=served.media_type)
        self._exports = exports
        self._table = table
        self._served = served
        self._first = first
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, and make room afterwards."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._exports.leave()

    async def stream_response(self, send: Send) -> None:
        """Send page after page; returning without an end makes the server cut the connection."""
        with move_on_after(STREAM_MAX_S) as time_limit:
            await self._send_pages(send)
        if time_limit.cancelled_caught:
            logger.warning("an export was cut off", extra={"reason": f"not done after {STREAM_MAX_S:.0f} s"})

    async def _send_pages(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        rows, page = 0, self._first
        while True:
            text = await run_in_threadpool(
                written, self._table, self._served.format, page.items, with_header=not rows
            )
            rows += len(page.items)
            await send({"type": "http.response.body", "body": text, "more_body": page.next is not None})
            if page.next is None:
                return
            if rows >= ROWS_MAX:
                logger.warning("an export was cut off", extra={"reason": f"more than {ROWS_MAX} rows"})
                return
            try:
                page = await run_in_threadpool(self._read, page.next)
            except (DatabaseError, ProblemError) as error:
                logger.warning("an export was cut off", extra={"reason": str(error), "rows": rows})
                return
