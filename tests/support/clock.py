"""A clock that a test moves."""

from battlescope.clock import Clock

SOME_DAY = 1_774_949_000.0


class FakeClock:
    """Time that passes only by sleeping; `clock` is what the code under test gets."""

    def __init__(self, now: float = SOME_DAY) -> None:
        self.now = now
        self.clock = Clock(monotonic=self.time, wall=self.time, sleep=self.sleep)

    def time(self) -> float:
        """The time, as a wall clock and as a monotonic one."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
