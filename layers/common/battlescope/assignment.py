"""An assignment to a side, and the evidence for it, in numbers and in words."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from battlescope.evidence import CONFIDENCE_STEPS, KILL, THIRD_PARTY, Evidence, Placement

COMPANIONS_MAX = 3
"""Of those that an affiliation shared kills with, the ones worth naming."""

ISK_UNITS = ((10**12, "t"), (10**9, "b"), (10**6, "m"), (10**3, "k"))


class Toward(NamedTuple):
    """What an affiliation had to do with one side; weights as in the evidence.

    Attributes:
        shot_kills: killmails with a victim of that side that it was on.
        shot_weight: their weight, by its share of the damage.
        shot_isk: what they were worth, in whole ISK.
        lost_weight: the weight of its own losses, by that side's share of the damage.
        shared_weight: the weight of the killmails that it and affiliations of that side were on, by the smaller share
            of the two.
    """

    side_id: int
    shot_kills: int = 0
    shot_weight: int = 0
    shot_isk: int = 0
    lost_weight: int = 0
    shared_weight: int = 0


class Companion(NamedTuple):
    """An affiliation that one shared kills with."""

    affiliation_id: int
    shared_kills: int


class Assignment(NamedTuple):
    """An affiliation's side, and why.

    Attributes:
        side_id: 1 on, 0 for a third party or where the evidence does not decide.
        confidence: 0 to 1, to three digits.
        toward: what it had to do with each side, by side, its own and side 0 included.
        companions: whom it shared the most kills with.
    """

    affiliation_id: int
    side_id: int
    confidence: float
    toward: tuple[Toward, ...]
    companions: tuple[Companion, ...]

    def on(self, side_id: int) -> Toward:
        """What it had to do with that side."""
        return next((toward for toward in self.toward if toward.side_id == side_id), Toward(side_id))

    def sentence(self, name: Callable[[int], str] = str) -> str:
        """The assignment as a person would put it; `name` names an affiliation."""
        where = f"on side {self.side_id}" if self.side_id else "on no side"
        return f"{where}: {', '.join(self._reasons(name)) or 'nothing tells of it'}"

    def _reasons(self, name: Callable[[int], str]) -> Iterator[str]:
        # what it did to others first, then what speaks against it
        for toward in sorted(
            self.toward, key=lambda toward: (toward.side_id == self.side_id, toward.side_id)
        ):
            whom = _whom(toward.side_id, self.side_id)
            if toward.shot_kills:
                worth = f" worth {in_isk(toward.shot_isk)}" if toward.shot_isk else ""
                yield f"shot {whom} on {_kills(toward.shot_kills)}{worth}"
            if toward.lost_weight:
                yield f"lost {toward.lost_weight / KILL:.1f} ordinary ships to {whom}"
        if self.companions:
            shared = [f"{_kills(kills)} with {name(other)}" for other, kills in self.companions]
            yield f"shared {' and '.join(shared)}"


def assignments_of(evidence: Evidence, placements: Mapping[int, Placement]) -> dict[int, Assignment]:
    """The assignments of everybody who has a place, each with its evidence."""
    toward: dict[int, dict[int, list[int]]] = {affiliation: {} for affiliation in placements}
    shared: dict[int, list[tuple[int, int]]] = {affiliation: [] for affiliation in placements}
    for (lower, higher), pair in evidence.pairs.items():
        shot_kills, shot_weight, shot_isk, _, lost_kills, lost_weight, lost_isk, _, kills, weight = pair
        _count(toward[lower], placements[higher][0], shot_kills, shot_weight, shot_isk, lost_weight, weight)
        _count(toward[higher], placements[lower][0], lost_kills, lost_weight, lost_isk, shot_weight, weight)
        if kills:
            shared[lower].append((-kills, higher))
            shared[higher].append((-kills, lower))
    return {
        affiliation: Assignment(
            affiliation,
            side_id,
            confidence / CONFIDENCE_STEPS,
            tuple(Toward(other, *numbers) for other, numbers in sorted(toward[affiliation].items())),
            tuple(Companion(other, -kills) for kills, other in sorted(shared[affiliation])[:COMPANIONS_MAX]),
        )
        for affiliation, (side_id, confidence) in placements.items()
    }


def in_isk(isk: int) -> str:
    """ISK as players write it: 1.2t, 12.4b, 340b, 7."""
    for unit, letter in ISK_UNITS:
        if isk >= unit * 0.9995:  # what rounds to 1000 of a unit is 1 of the next
            amount = isk / unit
            return f"{amount:.{1 if amount < 99.95 else 0}f}{letter}"
    return str(isk)


def _count(toward: dict[int, list[int]], side_id: int, *numbers: int) -> None:
    known = toward.get(side_id)
    toward[side_id] = list(numbers) if known is None else [*map(int.__add__, known, numbers)]


def _whom(side_id: int, own_side_id: int) -> str:
    if side_id == THIRD_PARTY:
        return "third parties"
    return "its own side" if side_id == own_side_id else f"side {side_id}"


def _kills(count: int) -> str:
    return f"{count} kill" if count == 1 else f"{count} kills"
