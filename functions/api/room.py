"""Room for so many at once, and streams that make room when they end."""

from collections.abc import AsyncIterable, Mapping
from threading import Lock

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Room:
    """Room for `size` at once; safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._taken = 0
        self._lock = Lock()

    def enter(self) -> bool:
        """Whether there was room for one more, which there then is not."""
        with self._lock:
            if self._taken >= self.size:
                return False
            self._taken += 1
            return True

    def leave(self) -> None:
        """Make room."""
        with self._lock:
            self._taken -= 1


class StreamedResponse(StreamingResponse):
    """A stream for which there is room.

    Args:
        room: which it was let into, and leaves at its end, whether it ever began or not.
        content: what is sent.
        headers: what goes with it.
        media_type: what it is.
    """

    def __init__(
        self, room: Room, content: AsyncIterable[str], headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(content, headers=headers, media_type=media_type)
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, and make room afterwards."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._room.leave()
