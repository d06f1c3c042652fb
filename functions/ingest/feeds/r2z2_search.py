"""Where R2Z2's retention ends: a binary search instead of a request for every number that has expired."""

from typing import Self

from pydantic import BaseModel

NEIGHBOURS = 2
"""Numbers tried behind one that is missing, so that a hole is not taken for the end of retention."""


class Search(BaseModel):
    """A search for the oldest file still there, part of a position.

    Attributes:
        first: the lowest number of the row that is missing.
        low: the highest number that is taken for expired.
        high: the lowest number that is known to exist.
        at: what to ask for next; `high` once nothing is left in between.
        neighbours: numbers behind `at` still to be tried.
    """

    first: int
    low: int
    high: int
    at: int = 0
    neighbours: int = 0

    @classmethod
    def begin(cls, first: int, last: int, newest: int) -> Self:
        """A search behind the row of missing numbers from `first` to `last`, up to `newest`."""
        search = cls(first=first, low=last, high=newest)
        search._narrow()
        return search

    @property
    def is_over(self) -> bool:
        """Whether `at` is the oldest file, and is asked for to prove it."""
        return self.at == self.high

    def found(self) -> None:
        """`at` is there."""
        self.high = self.at
        self._narrow()

    def not_found(self) -> None:
        """`at` is not there."""
        if self.neighbours and self.at + 1 < self.high:
            self.at += 1
            self.neighbours -= 1
        else:
            self.low = self.at
            self._narrow()

    def _narrow(self) -> None:
        self.at = (self.low + self.high) // 2 if self.high - self.low > 1 else self.high
        self.neighbours = NEIGHBOURS
