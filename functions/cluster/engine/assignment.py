"""An assignment to a side, and the evidence for it, in numbers and in words."""

from collections.abc import Mapping
from typing import NamedTuple

from cluster.engine.evidence import Evidence

COMPANIONS_MAX = 3
"""Of those that an affiliation shared kills with, the ones worth naming."""


class Toward(NamedTuple):
    """What an affiliation had to do with one side.

    Attributes:
        shot_kills: killmails with a victim of that side that it was on.
        shot_weight: their weight, by its share of damage.
        shot_isk: what they were worth.
        lost_weight: the weight of its own losses to that side, by that side's share of damage.
        shared_weight: the weight of the killmails that both were on, by the smaller share of each pair.
    """

    side_id: int
    shot_kills: int
    shot_weight: int
    shot_isk: int
    lost_weight: int
    shared_weight: int


class Companion(NamedTuple):
    """An affiliation that one shared kills with."""

    affiliation_id: int
    shared_kills: int


class Assignment(NamedTuple):
    """An affiliation's side, and why.

    Attributes:
        side_id: 1 on, 0 for a third party or where the evidence does not decide.
        confidence: 0 to 1.
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
        return next((toward for toward in self.toward if toward.side_id == side_id), Toward(side_id, 0, 0, 0, 0, 0))


def assignments_of(
    evidence: Evidence, side: Mapping[int, int], confidences: Mapping[int, float]
) -> dict[int, Assignment]:
    """The assignments to these sides, each with its evidence."""
    rows: dict[int, dict[int, list[int]]] = {affiliation: {} for affiliation in side}
    shared: dict[int, list[tuple[int, int]]] = {affiliation: [] for affiliation in side}
    for (lower, higher), pair in evidence.pairs.items():
        shot_kills, shot_weight, shot_isk, lost_kills, lost_weight, lost_isk, kills, weight = pair
        row = rows[lower].get(side[higher])
        if row is None:
            rows[lower][side[higher]] = [shot_kills, shot_weight, shot_isk, lost_weight, weight]
        else:
            row[0] += shot_kills
            row[1] += shot_weight
            row[2] += shot_isk
            row[3] += lost_weight
            row[4] += weight
        row = rows[higher].get(side[lower])
        if row is None:
            rows[higher][side[lower]] = [lost_kills, lost_weight, lost_isk, shot_weight, weight]
        else:
            row[0] += lost_kills
            row[1] += lost_weight
            row[2] += lost_isk
            row[3] += shot_weight
            row[4] += weight
        if kills:
            shared[lower].append((-kills, higher))
            shared[higher].append((-kills, lower))
    return {
        affiliation: Assignment(
            affiliation,
            number,
            round(confidences.get(affiliation, 0.0), 3),
            tuple(Toward(theirs, *numbers) for theirs, numbers in sorted(rows[affiliation].items())),
            tuple(Companion(other, -kills) for kills, other in sorted(shared[affiliation])[:COMPANIONS_MAX]),
        )
        for affiliation, number in side.items()
    }
