"""Sources of killmails behind one small interface: where am I, what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from battlescope.killmail import Killmail

type Position = dict[str, Any]
"""How far a feed was read, in the feed's own words; JSON, kept in `feed_cursors.position`."""

RAW_BYTES_MAX = 1024 * 1024
"""How much is kept of a text that could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A killmail that could not become a reference."""

    killmail_id: int | None
    reason: str
    raw: str

    @classmethod
    def of(cls, raw: bytes, reason: str, killmail_id: object = None) -> Self:
        """What PostgreSQL can keep of a rejected text: UTF-8 without NUL, at most RAW_BYTES_MAX bytes of it.

        Args:
            raw: the text as it came.
            reason: what is wrong with it.
            killmail_id: whatever the text gave as the killmail's id.
        """
        return cls(
            killmail_id=killmail_id if type(killmail_id) is int and 0 < killmail_id < 2**63 else None,
            reason=_storable(reason.encode(errors="replace")),
            raw=_storable(raw[:RAW_BYTES_MAX]),
        )


def _storable(text: bytes) -> str:
    return text.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Sequence numbers, both ends included, that the feed left out."""

    first_sequence: int
    last_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one poll brought.

    Attributes:
        position: where the next poll goes on, once everything here is safe. It may differ from the position
            before although nothing came: it also holds what is being waited for, and since when.
        wait_s: seconds before which the next poll would be useless or unwelcome.
        error: what went wrong with the feed, if anything did; the poll's other contents are good all the same.
        backed_off: whether `wait_s` was asked for by the service, so that the next process must keep to it too.
        drained: whether nothing more will come: the feed's end, or, with `error`, a place it cannot be read past.
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

    `poll` never raises for what the far side does wrong: that becomes `Batch.error`, and the position moves past
    nothing that is not in the batch.
    """

    @property
    def name(self) -> str:
        """The cursor's name."""

    def poll(self, position: Position | None, budget_s: float) -> Batch:
        """The next killmails after `position` (None: never read before), within about `budget_s` seconds.

        Raises:
            PositionError: `position` is not one of this feed's.
        """


@dataclass(slots=True)
class BatchBuilder:
    """Collects what a poll finds."""

    killmails: list[Killmail] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    error: str | None = None

    def __len__(self) -> int:
        return len(self.killmails) + len(self.rejected) + len(self.holes)

    def add(self, item: Killmail | Rejected) -> None:
        """Take what became of one killmail."""
        if isinstance(item, Killmail):
            self.killmails.append(item)
        else:
            self.rejected.append(item)

    def batch(
        self, position: Position, *, wait_s: float = 0.0, backed_off: bool = False, drained: bool = False
    ) -> Batch:
        """What was found, as a batch."""
        return Batch(
            position=position,
            killmails=self.killmails,
            rejected=self.rejected,
            holes=self.holes,
            wait_s=wait_s,
            error=self.error,
            backed_off=backed_off,
            drained=drained,
        )
