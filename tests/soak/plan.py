"""What is done to a running system, and when: told from a seed, so that a run can be repeated."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """Something that happens to the system."""

    KILL = "a part is killed"
    STOP_DATABASE = "PostgreSQL is stopped and started"
    CRASH_DATABASE = "PostgreSQL crashes and is started"
    FILL_DISK = "the database's disk is full"
    SECOND_POLLER = "a second poller runs beside the first"
    MIGRATE = "migrations run"
    POISON = "a message that is none is sent"


class Due(NamedTuple):
    """A fault and its time, in seconds since the start."""

    at_s: float
    fault: Fault


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, and how much of what.

    Attributes:
        hours: of feed.
        seconds: in which the feed is played.
        kills: of workers and of the poller, by SIGKILL.
        restarts: of PostgreSQL, one of them after a crash.
        poison: messages that are none.
        small_disk: whether the database lives on a small file system that is filled once (needs root).
        seed: of the feed and of the faults.
    """

    hours: float
    seconds: float
    kills: int
    restarts: int
    poison: int
    small_disk: bool
    seed: int = 24

    def faults(self, rng: random.Random) -> list[Due]:
        """All of them in their order, none in the first or last twentieth of the run."""
        planned = [
            *[Fault.KILL] * self.kills,
            *[Fault.STOP_DATABASE] * (self.restarts - 1),
            *[Fault.CRASH_DATABASE] * min(self.restarts, 1),
            *[Fault.POISON] * self.poison,
            *[Fault.FILL_DISK] * self.small_disk,
            Fault.SECOND_POLLER,
            Fault.MIGRATE,
        ]
        return sorted(Due(rng.uniform(0.05, 0.95) * self.seconds, fault) for fault in planned)
