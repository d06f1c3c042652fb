"""Agglomerative merging on co-attack minus hostility.

The two groups with the most affinity become one, until no two have any. Most of a battle's victims flew with nobody, so
that leaves many sides; one may go on to merge groups between which there is nothing at all.
"""

from collections.abc import Mapping

from bench.sides.measure import Weights
from bench.sides.search import Ties, ties_of


def merged(weights: Weights, pilots: Mapping[int, int]) -> dict[int, int]:
    """As long as there is affinity: every lone victim stays a side of its own."""
    return _sides(_merge(ties_of(pilots, weights.hostile, weights.shared), 0.0))


def merged_with_neutrals(weights: Weights, pilots: Mapping[int, int]) -> dict[int, int]:
    """As long as there is affinity, then as long as there is no hostility."""
    return _sides(_merge(ties_of(pilots, weights.hostile, weights.shared), -1e-12))


def _merge(ties: Ties, least: float) -> list[list[int]]:
    between = {one: dict(row) for one, row in ties.items()}
    groups = {one: [one] for one in ties}
    while True:
        one, other, most = 0, 0, least
        names = sorted(groups, key=lambda name: (-len(groups[name]), name))
        for name in names:
            row = between[name]
            # a neutral is one of which nothing is known: only where there is room for any
            candidates = names if least < 0 else row
            for there in candidates:
                tie = row.get(there, 0.0)
                if there != name and tie > most:
                    one, other, most = name, there, tie
        if not one:
            return list(groups.values())
        groups[one] += groups.pop(other)
        for there, tie in between.pop(other).items():
            between[there].pop(other, None)
            if there != one:
                between[one][there] = between[there][one] = between[one].get(there, 0.0) + tie


def _sides(groups: list[list[int]]) -> dict[int, int]:
    return {affiliation: number for number, group in enumerate(groups, 1) for affiliation in group}
