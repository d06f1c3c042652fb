"""What came of a run."""

from collections import Counter
from dataclasses import dataclass, field

from tests.soak.plan import Fault

GROWTH_MAX = 1.25
RESIDENT_MAX_MB = 256


@dataclass(slots=True)
class Report:
    """What came of a run.

    Attributes:
        killmails: of the feed.
        seconds: until it was drained.
        faults: what was done, how often.
        answers: of the API, by status.
        resident_mb: the most that each process took.
        growth: each process's memory in the last quarter of the run, to that in the second.
        complaints: what broke.
    """

    killmails: int = 0
    seconds: float = 0.0
    faults: Counter[Fault] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    resident_mb: dict[str, float] = field(default_factory=dict)
    growth: dict[str, float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def weigh(self) -> None:
        """Complain of processes that took too much, or ever more."""
        for name, most in self.resident_mb.items():
            if most > RESIDENT_MAX_MB:
                self.complaints.append(f"{name} took {most:.0f} MiB")
            if self.growth[name] > GROWTH_MAX:
                self.complaints.append(f"{name} grew by {self.growth[name]:.2f} times")
