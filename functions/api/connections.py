"""Connections of clients, which wait for nobody for ever, and of which there are not endlessly many.

One that sends nothing, or its request byte by byte, is closed, and one that does not read what it is sent is cut. uvicorn
closes a connection that idles between requests, but waits endlessly for the rest of a request and for a client to read on.
"""

import asyncio
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_WITHIN_S = 10.0
"""A request's line and headers must be there so long after the connection was made, or after the last answer."""

READ_WITHIN_S = 60.0
"""What waits to be sent must be read by the client in so long; else the connection is cut, and the answer with it."""

CONNECTIONS_MAX = 800
"""Of one process: under the 1,024 files that most systems let it open, with room for the database's."""


_LENGTHS = {b"content-length", b"transfer-encoding"}
"""A request with both ends in two places, and what a proxy took for its body would be answered as the next one: such a
connection is closed after the answer (RFC 9112, 6.1)."""


class Connection(H11Protocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._too_late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request soon, or close where there are too many already."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            logging.getLogger("uvicorn.error").warning("Too many connections.")
            transport.abort()
            return
        transport.set_write_buffer_limits(high=0)  # whatever waits to be sent pauses the writing
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._expect_nothing()
        self._was_read()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Handle what came; a request that is there is not late."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._expect_nothing()
            if {name for name, _ in self.headers} >= _LENGTHS:
                self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """Expect the next request."""
        self._expect_request()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Expect the client to read on."""
        super().pause_writing()
        self._was_read()
        self._unread = self.loop.call_later(READ_WITHIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client did."""
        self._was_read()
        super().resume_writing()

    def _was_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _expect_request(self) -> None:
        self._expect_nothing()
        self._too_late = self.loop.call_later(REQUEST_WITHIN_S, self._close)

    def _expect_nothing(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _close(self) -> None:
        if self.conn.our_state is h11.IDLE:
            self.conn.send(h11.ConnectionClosed())
        self.transport.close()
