"""A clock that a test moves."""

from battlescope.clock import Clock

SOME_DAY = 1_774_949_000.0


class FakeClock:
    """Time that passes only by sleeping; `clock` is what the code under test gets.

    Attributes:
        now: the time.
        wrong_by: by how much what the wall clock shows is ahead of it.
    """

    def __init__(self, now: float = SOME_DAY) -> None:
        self.now = now
        self.wrong_by = 0.0
        self.clock = Clock(monotonic=self.time, wall=self.shown, sleep=self.sleep)

    def time(self) -> float:
        """The time, as others know it and as a monotonic clock counts it."""
        return self.now

    def shown(self) -> float:
        """The time by the wall clock."""
        return self.now + self.wrong_by

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
