"""Lists as files: CSV and JSON lines.

A list that fits a page, and every page that is asked for with `limit`, is an answer like any other. A longer one is
streamed where the server can: page after page, each a snapshot of its own, with one page in memory. A stream that
cannot be finished is cut off without its end, so that no client takes a part for the whole. Where the server cannot
stream, a page has a `Link` to the next.
"""

from collections.abc import AsyncIterator, Callable, Mapping

from anyio import move_on_after
from starlette.concurrency import run_in_threadpool
from starlette.types import Send

from api.cursor import Page
from api.formats import Served
from api.problems import ProblemError
from api.room import Room, StreamedResponse
from api.tables import Table, written
from battlescope.errors import DatabaseError
from battlescope.telemetry import logger

ROWS_MAX = 1_000_000
"""Rows of one stream."""

STREAM_MAX_S = 600.0
"""How long one stream may take, however slowly the client reads."""

EXPORTS_MAX = 10
"""Streams of one process; each keeps the database busy."""


class ExportResponse[Item](StreamedResponse):
    """A list as a stream, from a first page that was read already.

    Args:
        room: which it was let into.
        table: how the list is written.
        served: as what.
        first: its first page.
        read: reads the page at a cursor.
        headers: what goes with it.
    """

    def __init__(
        self,
        room: Room,
        table: Table[Item],
        served: Served,
        first: Page[Item],
        read: Callable[[str], Page[Item]],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(room, _nothing(), headers, served.media_type)
        self._table = table
        self._served = served
        self._first = first
        self._read = read

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


async def _nothing() -> AsyncIterator[str]:
    """In the place of content: `stream_response` sends it."""
    return
    yield ""
