"""The sides of a battle, told from its evidence.

Affiliations that fought together are a bloc; blocs that did not fight each other, or as good as not, are a side; a side with
next to no part in the fight is none, and who is as much with one side as against it is a third party. All of it is a
function of the evidence, whatever the ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cluster.engine.affinity import ALL, KILL, Affinity, affinity_of
from cluster.engine.assignment import Assignment, assignments_of
from cluster.engine.blocs import blocs_of
from cluster.engine.evidence import Evidence

THIRD_PARTY = 0
"""The side of third parties, and of whoever the evidence does not place."""

TOLERATED = 20
"""A bloc may have one in so many of its hostile ties with its own side."""

SIDE_SHARE = ALL * 8 // 100
"""The part in the battle's hostility that makes a third side of what else is third parties."""

DECIDED = 0.15
"""The confidence that an affiliation with a lesser part needs to be on a side."""

THIN = KILL // 100
"""Where an affiliation's hostile weight is this small, its confidence is half."""

ROUNDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Sides:
    """Who was on which side.

    Attributes:
        count: how many sides there are, third parties not counted.
        assignments: affiliation -> its side, and why.
    """

    count: int
    assignments: Mapping[int, Assignment]

    def side_of(self, affiliation: int) -> int:
        """The side, from 1 on, or 0 for third parties and for whoever the evidence does not tell of."""
        assignment = self.assignments.get(affiliation)
        return THIRD_PARTY if assignment is None else assignment.side_id


def assign(evidence: Evidence, pilots: Mapping[int, int]) -> Sides:
    """The sides that the evidence tells of.

    Args:
        evidence: the battle's.
        pilots: affiliation -> how many characters flew in its name; all affiliations of the battle.

    Returns:
        The assignments of all affiliations in the evidence and in `pilots`. Sides are numbered by pilots, the most
        first; then by how much they had to do with the fight; the lowest affiliation decides last.
    """
    affinity = affinity_of(evidence, pilots)
    side = _fold(affinity, blocs_of(affinity))
    side = _settled(affinity, _without_lesser_sides(affinity, side))
    confidences = _confidences(affinity, side)
    for affiliation, confidence in confidences.items():
        if confidence < DECIDED and affinity.hostility[affiliation] < SIDE_SHARE:
            side[affiliation] = THIRD_PARTY
    numbers = _numbers(affinity, side, pilots)
    for affiliation, before in side.items():
        side[affiliation] = numbers[before]
    for affiliation in pilots:
        side.setdefault(affiliation, THIRD_PARTY)
    return Sides(len(numbers) - 1, assignments_of(evidence, side, confidences))


def _fold(affinity: Affinity, blocs: Iterable[Sequence[int]]) -> dict[int, int]:
    """Each bloc onto the side that it is least against, if it is against it by next to nothing; else a new side."""
    side: dict[int, int] = {}
    count = 0
    for bloc in blocs:
        friendly = [0] * (count + 1)
        hostile = [0] * (count + 1)
        hostility = 0
        for affiliation in bloc:
            hostility += affinity.hostility[affiliation]
            friends = affinity.friendly[affiliation]
            for other, foe in affinity.hostile[affiliation].items():
                if other in side:
                    hostile[side[other]] += foe
                    friendly[side[other]] += friends[other]
        best = max(
            (number for number in range(1, count + 1) if hostile[number] * TOLERATED <= hostility),
            key=lambda number: friendly[number] - hostile[number],
            default=0,
        )
        if not best:
            count += 1
            best = count
        for affiliation in bloc:
            side[affiliation] = best
    return side


def _without_lesser_sides(affinity: Affinity, side: Mapping[int, int]) -> dict[int, int]:
    """The two greatest sides, and those beside them that had a part in the fight; numbered from 1 on.

    Who was on another side goes where its ties are, if they are clear, else to the third parties.
    """
    hostility: dict[int, int] = {}
    for affiliation, number in side.items():
        hostility[number] = hostility.get(number, 0) + affinity.hostility[affiliation]
    greatest = sorted(hostility, key=lambda number: (-hostility[number], number))
    kept = [number for place, number in enumerate(greatest) if place < 2 or hostility[number] >= SIDE_SHARE]
    renumbered = {number: place for place, number in enumerate(kept, 1)}
    left = {affiliation: renumbered.get(number, THIRD_PARTY) for affiliation, number in side.items()}
    for affiliation in affinity.ordered:
        if not left[affiliation]:
            leanings = _leanings(affinity, affiliation, left)
            best = max(renumbered.values(), key=lambda number: leanings.get(number, 0))
            left[affiliation] = best
            if _confidence(affinity, affiliation, left) < DECIDED:
                left[affiliation] = THIRD_PARTY
    return left


def _settled(affinity: Affinity, side: dict[int, int]) -> dict[int, int]:
    """Move each affiliation that has a side to the one it has most affinity to, until all stay."""
    numbers = sorted({number for number in side.values() if number})
    for _ in range(ROUNDS_MAX):
        moved = False
        for affiliation in affinity.ordered:
            here = side[affiliation]
            if not here:
                continue
            leanings = _leanings(affinity, affiliation, side)
            best, most = here, leanings.get(here, 0)
            for number in numbers:
                if (leaning := leanings.get(number, 0)) > most:
                    best, most = number, leaning
            if best != here:
                side[affiliation] = best
                moved = True
        if not moved:
            break
    return side


def _leanings(affinity: Affinity, affiliation: int, side: Mapping[int, int]) -> dict[int, int]:
    """Side -> the affiliation's affinity to it."""
    leanings: dict[int, int] = {}
    for other, tie in affinity.net[affiliation].items():
        number = side[other]
        leanings[number] = leanings.get(number, 0) + tie
    return leanings


def _confidences(affinity: Affinity, side: Mapping[int, int]) -> dict[int, float]:
    return {affiliation: _confidence(affinity, affiliation, side) for affiliation in side}


def _confidence(affinity: Affinity, affiliation: int, side: Mapping[int, int]) -> float:
    """How clear it is that the affiliation is on its side, 0 to 1.

    Ties that speak for it (friends on it, foes on others) less those that speak against it, of all; less so
    where there is hardly any evidence, and halved where another side would do as well.
    """
    here = side[affiliation]
    friends = affinity.friendly[affiliation]
    favour = against = 0
    others: dict[int, int] = {}
    for other, foe in affinity.hostile[affiliation].items():
        number = side[other]
        if number == here:
            favour += friends[other]
            against += foe
        elif number:
            favour += foe
            against += friends[other]
    if favour <= against:
        return 0.0
    weight = affinity.weights[affiliation]
    return (favour - against) / (favour + against) * weight / (weight + THIN)


def _numbers(affinity: Affinity, side: Mapping[int, int], pilots: Mapping[int, int]) -> dict[int, int]:
    """Side -> its number, the side with the most pilots first; third parties stay third parties."""
    members: dict[int, list[int]] = {}
    for affiliation, number in side.items():
        if number:
            members.setdefault(number, []).append(affiliation)
    ranked = sorted(
        members,
        key=lambda number: (
            -sum(pilots.get(affiliation, 0) for affiliation in members[number]),
            -sum(affinity.hostility[affiliation] for affiliation in members[number]),
            min(members[number]),
        ),
    )
    return {THIRD_PARTY: THIRD_PARTY} | {number: place for place, number in enumerate(ranked, 1)}
