"""Sources of killmails behind one small interface: where am I, what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from battlescope.killmail import Killmail

type Position = dict[str, Any]
"""How far a feed was read, in the feed's own words; JSON, kept in `feed_cursors.position`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A killmail that could not become a reference."""

    killmail_id: int | None
    reason: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Sequence numbers, both ends included, that the feed left out."""

    first_sequence: int
    last_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one poll brought.

    Attributes:
        position: where the next poll goes on, once everything here is safe.
        wait_s: seconds before which the next poll would be useless or unwelcome.
        error: what went wrong with the feed, if anything did; the poll's other contents are good all the same.
        backed_off: whether `wait_s` was asked for by the service, so that the next process must keep to it too.
        drained: whether a feed that has an end has come to it.
    """

    position: Position
    killmails: Sequence[Killmail] = ()
    rejected: Sequence[Rejected] = ()
    holes: Sequence[Hole] = ()
    wait_s: float = 0.0
    error: str | None = None
    backed_off: bool = False
    drained: bool = False


class Feed(Protocol):
    """A source of killmails.

    `poll` never raises for what the far side does wrong: that becomes `Batch.error`, with the position unmoved.
    """

    @property
    def name(self) -> str:
        """The cursor's name."""

    def poll(self, position: Position | None, budget_s: float) -> Batch:
        """The next killmails after `position` (None: never read before), within about `budget_s` seconds."""


@dataclass(slots=True)
class BatchBuilder:
    """Collects what a poll finds."""

    killmails: list[Killmail] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
