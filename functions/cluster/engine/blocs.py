"""Blocs: affiliations that fought together, found as the clusters of a graph with friendly and hostile ties.

The clustering that is looked for has the most affinity within its clusters. Affiliations move to the bloc that they have
most affinity to, and blocs that have affinity to each other become one, until nothing is gained by either.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cluster.engine.affinity import Affinity

ROUNDS_MAX = 50
"""Each move gains affinity, so that there is an end; this one is for arithmetic that we have not thought of."""


def blocs_of(affinity: Affinity) -> list[list[int]]:
    """The blocs, each in the order of `affinity.ordered`, and in the order of their first."""
    home = {affiliation: place for place, affiliation in enumerate(affinity.ordered)}
    for _ in range(ROUNDS_MAX):
        _move(affinity.ordered, affinity.net, home)
        if not _merge(affinity.ordered, affinity.net, home):
            break
    members: dict[int, list[int]] = {}
    for affiliation in affinity.ordered:
        members.setdefault(home[affiliation], []).append(affiliation)
    return list(members.values())


def _move(ordered: Sequence[int], net: Mapping[int, Mapping[int, int]], home: dict[int, int]) -> None:
    """Let each affiliation move to the bloc it has most affinity to, until all stay."""
    alone = len(ordered) + max(home.values(), default=0)
    for _ in range(ROUNDS_MAX):
        moved = False
        for affiliation in ordered:
            here = home[affiliation]
            affinities: defaultdict[int, int] = defaultdict(int)
            affinities[here] = 0
            for other, tie in net[affiliation].items():
                affinities[home[other]] += tie
            best = here
            most = affinities[here]
            for bloc, gain in affinities.items():
                if gain > most or (gain == most and best != here and bloc < best):
                    best, most = bloc, gain
            if most < 0:
                alone += 1
                best = alone
            if best != here:
                home[affiliation] = best
                moved = True
        if not moved:
            return


def _merge(ordered: Sequence[int], net: Mapping[int, Mapping[int, int]], home: dict[int, int]) -> bool:
    """Make one of any two blocs that have affinity to each other, the most first; whether there were any."""
    between: dict[int, defaultdict[int, int]] = {}
    for affiliation in ordered:
        bloc = home[affiliation]
        row = between.setdefault(bloc, defaultdict(int))
        for other, tie in net[affiliation].items():
            if (theirs := home[other]) != bloc:
                row[theirs] += tie
    merged = False
    while True:
        gain, one, other = max(
            ((tie, -bloc, -theirs) for bloc, row in between.items() for theirs, tie in row.items()),
            default=(0, 0, 0),
        )
        if gain <= 0:
            return merged
        merged = True
        _join(between, home, -one, -other)


def _join(between: dict[int, defaultdict[int, int]], home: dict[int, int], one: int, other: int) -> None:
    for affiliation, bloc in home.items():
        if bloc == other:
            home[affiliation] = one
    for bloc, tie in between.pop(other).items():
        del between[bloc][other]
        if bloc != one:
            between[one][bloc] += tie
            between[bloc][one] += tie
