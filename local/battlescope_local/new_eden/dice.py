"""Chance that falls the same way on every machine.

Only `random()` (whose sequence Python guarantees), comparisons and + - * / are used: `math` and `**` go through the
machine's C library and may differ in the last bit.
"""

import hashlib
import random
from collections.abc import Sequence
from typing import Self


def derived_seed(*parts: int | str) -> int:
    """A seed of 64 bits made from these parts; `hash()` would differ between processes."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest())


class Dice(random.Random):
    """A stream of chance of its own for each purpose: `Dice.of(seed, "hour", 17)`."""

    @classmethod
    def of(cls, *parts: int | str) -> Self:
        """The stream for this purpose."""
        return cls(derived_seed(*parts))

    def chance(self, probability: float) -> bool:
        """True this often."""
        return self.random() < probability

    def pick[T](self, items: Sequence[T]) -> T:
        """One of these, all equally likely."""
        return items[int(self.random() * len(items))]

    def some[T](self, items: Sequence[T], count: int) -> list[T]:
        """So many different ones of these."""
        left = list(items)
        return [left.pop(int(self.random() * len(left))) for _ in range(count)]

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.random() * (high - low + 1))

    def between(self, low: float, high: float) -> float:
        """A number between these."""
        return low + (high - low) * self.random()

    def quantile(self, curve: Sequence[tuple[float, float]]) -> float:
        """A number with the distribution that `curve` tells: `(share at or below, value)` from 0 to 1, ascending."""
        share = self.random()
        low_share, low = curve[0]
        for high_share, high in curve[1:]:
            if share < high_share:
                return low + (high - low) * (share - low_share) / (high_share - low_share)
            low_share, low = high_share, high
        return low

    def count(self, mean: float) -> int:
        """A number of events around `mean`, never above `1.3 * mean + 1`."""
        return int(mean * (0.7 + 0.6 * self.random()) + self.random())
