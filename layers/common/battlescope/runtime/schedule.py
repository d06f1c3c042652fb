"""A schedule: invokes a handler again and again, as EventBridge Scheduler does."""

import time
from collections.abc import Callable
from threading import Event
from typing import Any

from battlescope.errors import PositionError, SettingsError
from battlescope.runtime.context import Context
from battlescope.telemetry import logger

type Handler = Callable[[dict[str, Any], Any], Any]

TICK_S = 60.0
"""How often the handler is invoked; EventBridge Scheduler knows nothing shorter than a minute."""

TIMEOUT_S = 58.0
"""An invocation's time; shorter than a tick, so that invocations do not overlap."""

PAUSE_AFTER_ERROR_S = 1.0


def run_on_schedule(
    handler: Handler,
    name: str,
    stop: Event,
    *,
    tick_s: float = TICK_S,
    timeout_s: float = TIMEOUT_S,
    until: Callable[[Any], bool] = lambda _: False,
    beat: Callable[[], None] = lambda: None,
) -> None:
    """Invoke `handler` every `tick_s` seconds until `stop` is set, or until `until(answer)` holds; `beat` before each.

    An invocation that fails is logged, and the next one is due at once (after a pause that doubles up to a tick): on
    a laptop nobody wants to wait out a minute because the database was restarting.

    Raises:
        SettingsError: a setting is wrong; no later invocation would be better.
        PositionError: the cursor is another feed's; the same.
    """
    pause_s = PAUSE_AFTER_ERROR_S
    while not stop.is_set():
        started = time.monotonic()
        beat()
        try:
            answer = handler({"source": "battlescope.runtime"}, Context(name, timeout_s, stop))
        except (SettingsError, PositionError):
            raise
        except Exception:  # noqa: BLE001 - whatever a handler raises, the next invocation goes on
            logger.exception("an invocation failed", extra={"function": name})
            stop.wait(pause_s)
            pause_s = min(pause_s * 2, tick_s)
            continue
        pause_s = PAUSE_AFTER_ERROR_S
        if until(answer):
            return
        stop.wait(max(0.0, started + tick_s - time.monotonic()))
