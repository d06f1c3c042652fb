"""Local search: affiliations move between a given number of sides as long as that gains affinity.

With hostile weight alone and two sides it is maximum cut; with friendly weight too it looks for both at once. Several
seeds, the best outcome counts: affiliations dealt out at random (always the same way), or each on its own.
"""

import random
from collections.abc import Mapping

from bench.sides.measure import Pair, Weights

SEEDS = 6
ROUNDS_MAX = 100

Ties = dict[int, dict[int, float]]


def maximum_cut(weights: Weights, pilots: Mapping[int, int]) -> dict[int, int]:
    """Two sides with as much hostile weight between them as can be found."""
    return _best(ties_of(pilots, weights.hostile, {}), 2)


def both_in_two(weights: Weights, pilots: Mapping[int, int]) -> dict[int, int]:
    """Two sides with the most crossing and cohesion together."""
    return _best(ties_of(pilots, weights.hostile, weights.shared), 2)


def both(weights: Weights, pilots: Mapping[int, int]) -> dict[int, int]:
    """As many sides as it takes for the most crossing and cohesion together: what cannot be exceeded, nearly."""
    return _best(ties_of(pilots, weights.hostile, weights.shared), max(2, len(pilots)))


def ties_of(pilots: Mapping[int, int], hostile: Mapping[Pair, float], shared: Mapping[Pair, float]) -> Ties:
    """Affiliation -> other -> its part in cohesion less its part in crossing."""
    ties: Ties = {affiliation: {} for affiliation in pilots}
    for sign, weights in ((-1.0, hostile), (1.0, shared)):
        total = sum(weights.values()) or 1.0
        for (one, other), weight in weights.items():
            for here, there in ((one, other), (other, one)):
                row = ties.setdefault(here, {})
                row[there] = row.get(there, 0.0) + sign * weight / total
    return ties


def search(ties: Ties, sides: int, start: dict[int, int]) -> dict[int, int]:
    """Move from this start until nothing is gained."""
    side = dict(start)
    for _ in range(ROUNDS_MAX):
        moved = False
        for affiliation, row in ties.items():
            gains = [0.0] * (sides + 1)
            for other, tie in row.items():
                gains[side[other]] += tie
            best = max(range(1, sides + 1), key=lambda number: (gains[number], number == side[affiliation]))
            if gains[best] > gains[side[affiliation]] + 1e-12:
                side[affiliation] = best
                moved = True
        if not moved:
            break
    return side


def within(ties: Ties, side: Mapping[int, int]) -> float:
    """The affinity within sides, twice."""
    return sum(tie for one, row in ties.items() for other, tie in row.items() if side[one] == side[other])


def _best(ties: Ties, sides: int) -> dict[int, int]:
    starts = []
    for seed in range(SEEDS):
        dice = random.Random(seed)
        starts.append({affiliation: dice.randint(1, sides) for affiliation in ties})
    if sides >= len(ties):
        starts.append({affiliation: number for number, affiliation in enumerate(ties, 1)})
    return max((search(ties, sides, start) for start in starts), key=lambda side: within(ties, side))
