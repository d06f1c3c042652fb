"""Answers, whole and broken, over HTTP on loopback."""

import gzip
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one request.

    Attributes:
        status: of the answer.
        headers: beside the usual ones.
        body: None for what would be served anyhow.
        delay_s: before anything is sent.
        is_cut_off: whether the connection ends in the middle of the body.
        is_reset: whether the connection is reset before anything is sent.
        drips: in how many parts the body comes, each a little later.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay_s: float = 0.0
    is_cut_off: bool = False
    is_reset: bool = False
    drips: int = 1


NOT_FOUND = Answer(404, body=b"Not Found")
BAD_GATEWAY = Answer(502, {"Content-Type": "text/html"}, b"<html><h1>502 Bad Gateway</h1></html>")
SERVER_ERROR = Answer(500, body=b"")
PAGE = Answer(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>")
BROKEN_JSON = Answer(200, body=b'{"killmail_id": 1, "esi": {"attackers": [')
CUT_OFF = Answer(is_cut_off=True)
RESET = Answer(is_reset=True)
DRIPPING = Answer(drips=10)
REDIRECT = Answer(302, {"Location": "http://127.0.0.1:9/elsewhere"}, b"")
OVERSIZED = Answer(200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * (17 * 1024 * 1024), 1))
"""White space, so that what comes of it within the limit is broken JSON too."""

EMPTY = Answer(body=b"")

_DRIP_S = 0.002


def refused(status: int = 429, retry_after: str | None = None) -> Answer:
    """429, 403 or 420."""
    return Answer(status, {} if retry_after is None else {"Retry-After": retry_after}, b"slow down")


def slow(delay_s: float) -> Answer:
    """What would be served anyhow, late."""
    return Answer(delay_s=delay_s)


class AnsweringServer(ThreadingHTTPServer):
    """Answers on a free loopback port.

    Args:
        answer: from target, headers and what was posted.

    Attributes:
        accepted: connections that were ever opened.
    """

    daemon_threads = False

    def __init__(self, answer: Callable[[str, Mapping[str, str], bytes], Answer]) -> None:
        self.answer = answer
        self.accepted = 0
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.accepted += 1
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that hung up is no error of the server's
            super().handle_error(request, client_address)

    def close(self) -> None:
        """End every connection, so that no thread waits for another request."""
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed already
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: AnsweringServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, posted: bytes) -> None:
        answer = self.server.answer(
            self.path, {name.title(): value for name, value in self.headers.items()}, posted
        )
        if answer.is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        body = answer.body or b""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = body[: len(body) // 2] if answer.is_cut_off else body
        for part in range(answer.drips):
            time.sleep(_DRIP_S * (part > 0))
            self.wfile.write(sent[part * len(sent) // answer.drips : (part + 1) * len(sent) // answer.drips])
        self.close_connection = answer.is_cut_off

    def log_message(self, *_: object) -> None:
        """Whoever answers keeps what was asked."""
