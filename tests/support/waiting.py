"""Waiting for what other processes bring about."""

import time
from collections.abc import Callable


def wait_until(
    holds: Callable[[], object], timeout_s: float, what: str = "what was waited for", *, every_s: float = 0.1
) -> None:
    """Look every so often until it holds.

    Raises:
        TimeoutError: it did not come to hold; names `what`.
    """
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: still not after {timeout_s:.0f} s")
        time.sleep(every_s)
