"""Loopback ports."""

import socket
import time
from random import SystemRandom

_CHOSEN_FROM = range(20_000, 32_000)
"""Systems give outgoing connections higher ones, so that a server which starts again finds its port as it left it."""


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    ports = SystemRandom().sample(_CHOSEN_FROM, len(_CHOSEN_FROM))
    return next(port for port in ports if not is_taken(port))


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
