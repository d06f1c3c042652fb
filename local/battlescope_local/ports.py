"""Loopback ports."""

import socket
import time


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def becomes_free(port: int, patience_s: float) -> bool:
    """Whether nobody listens on this loopback port, now or within `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    while is_taken(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
