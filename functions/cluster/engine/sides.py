"""The sides of a battle, told from its evidence.

Affiliations that fought together are a bloc; blocs that did not fight each other, or as good as not, are a side; a
side with little part in the fight is none, and who is as much against its side as with it is a third party. All of it is
a function of the evidence, whatever the ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from battlescope.evidence import CONFIDENCE_STEPS, KILL, THIRD_PARTY, Evidence, Placement
from cluster.engine.affinity import ALL, Affinity, affinity_of
from cluster.engine.blocs import blocs_of

TOLERATED = 20
"""A bloc may have one in so many of its hostile ties with its own side."""

SIDE_SHARE = ALL // 8
"""The part in the battle's hostility that makes a third side of what else is third parties."""

DECIDED = 0.1
"""The confidence that an affiliation with a lesser part needs to be on a side."""

THIN = KILL // 100
"""Where an affiliation's hostile weight is this small, its confidence is half."""

ROUNDS_MAX = 20


@dataclass(frozen=True)
class Sides:
    """Who was on which side.

    Attributes:
        count: how many sides there are, third parties not counted.
        side_ids: affiliation -> its side, from 1 on, or 0 for third parties and where the evidence does not decide.
        confidences: affiliation -> how clear it is, 0 to 1.
    """

    count: int
    side_ids: Mapping[int, int]
    confidences: Mapping[int, float]

    @property
    def placements(self) -> dict[int, Placement]:
        """Affiliation -> its side and confidence, as they are kept."""
        return {
            affiliation: Placement(side_id, round(self.confidences[affiliation] * CONFIDENCE_STEPS))
            for affiliation, side_id in self.side_ids.items()
        }


def assign(evidence: Evidence, pilots: Mapping[int, int]) -> Sides:
    """The sides that the evidence tells of.

    Args:
        evidence: the battle's.
        pilots: affiliation -> how many characters flew in its name; all affiliations of the battle.

    Returns:
        The assignments of all affiliations in the evidence and in `pilots`. Sides are numbered by pilots, the most
        first; then by what their kills weigh; the lowest affiliation decides last.
    """
    affinity = affinity_of(evidence, pilots)
    side = _without_lesser_sides(affinity, _fold(affinity, blocs_of(affinity)))
    leanings = _settle(affinity, side)
    confidences = {
        affiliation: _confidence(affinity, affiliation, side, leaning)
        for affiliation, leaning in leanings.items()
    }
    for affiliation, confidence in confidences.items():
        if confidence < DECIDED and affinity.hostility[affiliation] < SIDE_SHARE:
            side[affiliation] = THIRD_PARTY
    numbers = _numbers(affinity, side, pilots)
    for affiliation, before in side.items():
        side[affiliation] = numbers[before]
    for affiliation in pilots:
        if affiliation not in side:
            side[affiliation] = THIRD_PARTY
            confidences[affiliation] = 0.0
    return Sides(len(numbers) - 1, side, confidences)


def _fold(affinity: Affinity, blocs: Iterable[Sequence[int]]) -> dict[int, int]:
    """Each bloc onto the side that it is least against, if it is against it by next to nothing; else a new side."""
    side: dict[int, int] = {}
    count = 0
    for bloc in blocs:
        net = [0] * (count + 1)
        hostile = [0] * (count + 1)
        hostility = 0
        for affiliation in bloc:
            hostility += affinity.hostility[affiliation]
            for other, tie in affinity.net[affiliation].items():
                if other in side:
                    net[side[other]] += tie
            for other, foe in affinity.hostile[affiliation].items():
                if other in side:
                    hostile[side[other]] += foe
        best = max(
            (number for number in range(1, count + 1) if hostile[number] * TOLERATED <= hostility),
            key=net.__getitem__,
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
            leaning = _leaning(affinity, affiliation, left)
            left[affiliation] = max(renumbered.values(), key=lambda number: leaning.get(number, 0))
            if _confidence(affinity, affiliation, left, leaning) < DECIDED:
                left[affiliation] = THIRD_PARTY
    return left


def _settle(affinity: Affinity, side: dict[int, int]) -> dict[int, dict[int, int]]:
    """Move each affiliation that has a side to the one it leans to most, until all stay; returns all leanings."""
    numbers = sorted({number for number in side.values() if number})
    leanings: dict[int, dict[int, int]] = {}
    for _ in range(ROUNDS_MAX):
        moved = False
        for affiliation in affinity.ordered:
            leanings[affiliation] = leaning = _leaning(affinity, affiliation, side)
            best = here = side[affiliation]
            if not here:
                continue
            most = leaning.get(here, 0)
            for number in numbers:
                if (leans := leaning.get(number, 0)) > most:
                    best, most = number, leans
            if best != here:
                side[affiliation] = best
                moved = True
        if not moved:
            break
    return leanings


def _leaning(affinity: Affinity, affiliation: int, side: Mapping[int, int]) -> dict[int, int]:
    """Side -> the affiliation's affinity to it."""
    leaning: dict[int, int] = {}
    for other, tie in affinity.net[affiliation].items():
        number = side[other]
        leaning[number] = leaning.get(number, 0) + tie
    return leaning


def _confidence(
    affinity: Affinity, affiliation: int, side: Mapping[int, int], leaning: Mapping[int, int]
) -> float:
    """How clear it is that the affiliation is on its side, 0 to 1.

    Ties that speak for it (friends on it, foes on another) less those that speak against it, of all; less so
    where there is hardly any evidence, and down to half where another side would do as well.
    """
    hostile: dict[int, int] = {}
    for other, foe in affinity.hostile[affiliation].items():
        number = side[other]
        hostile[number] = hostile.get(number, 0) + foe
    here = side[affiliation]
    enemies = company = 0
    rival: int | None = None
    for number, leans in leaning.items():
        if number and number != here:
            foes = hostile.get(number, 0)
            enemies = max(enemies, foes)
            # friendly ties are the net ones with the hostile ones back in
            company = max(company, leans + foes)
            rival = leans if rival is None else max(rival, leans)
    own = leaning.get(here, 0)
    foes = hostile.get(here, 0)
    favour = max(0, own + foes) + enemies
    against = foes + company
    if favour <= against:
        return 0.0
    lead = min(max(0, own - (rival or 0)), favour - against)
    weight = affinity.weights[affiliation]
    return (favour - against + lead) / (2 * (favour + against)) * weight / (weight + THIN)


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
            -sum(affinity.dealt.get(affiliation, 0) for affiliation in members[number]),
            min(members[number]),
        ),
    )
    return {THIRD_PARTY: THIRD_PARTY} | {number: place for place, number in enumerate(ranked, 1)}
