"""A graceful stop: SIGTERM and Ctrl-C finish what is in hand."""

import signal
from threading import Event
from types import FrameType


def stop_on_signals() -> Event:
    """An event that is set by SIGTERM or SIGINT; a second SIGINT interrupts at once."""
    stop = Event()

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        if stop.is_set() and signum == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    return stop
