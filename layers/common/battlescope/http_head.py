"""An answer's head within a time: a socket's own timeout is one between two bytes, and a head that drips never meets it."""

import http.client
import io
import socket
import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager


class _Bytes(io.RawIOBase):
    """A socket's bytes, and while `until` is set, none after it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._patience_s = sock.gettimeout()
        self.until = None if self._patience_s is None else time.monotonic() + self._patience_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.until is None:
            return self._raw.readinto(buffer)
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer's head took too long")
        self._socket.settimeout(left_s)
        count = self._raw.readinto(buffer)
        if not count:
            raise http.client.RemoteDisconnected("the answer ended before its head did")
        return count

    def head_is_read(self) -> None:
        """From now on the socket's own timeout holds."""
        self.until = None
        self._socket.settimeout(self._patience_s)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Its head is there within the socket's timeout, whole, or is an error."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        self._bytes = _Bytes(sock)
        self.fp = io.BufferedReader(self._bytes)

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        self._bytes.head_is_read()


class _Connection(HTTPConnection):
    response_class = _Response


class _TlsConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def pool_manager(headers: dict[str, str]) -> PoolManager:
    """urllib3's, whose answers have their head in time.

    Args:
        headers: of every request.
    """
    manager = PoolManager(headers=headers)
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return manager
