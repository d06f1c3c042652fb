"""Affinities between the affiliations of a battle: evidence as a graph with friendly and hostile ties.

Friendly ties share out the weight of all shared kills of the battle, hostile ones that of all shots, so that both count
alike whether three affiliations were on a kill or thirty. All in whole numbers: sums come out the same in any order.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from battlescope.evidence import KILL, Evidence, PairEvidence

ALL = 1 << 29
"""All the hostility of a battle, and all its companionship; small enough for Python's fast integers."""

PRESENCE = KILL // 1000
"""What being on a killmail weighs beside the damage: next to nothing, but more than nothing."""

FRIENDLY_FLOOR = 5
"""Shared weight counts as if it were at least one in so many of the hostile: a battle in which nearly nobody flew
together says little by the few who happened to."""

CHANCE = 2
"""Of what two that shot each other shared, one in so many of what chance would make of it does not count: in a brawl
everybody is on everybody's kills. (What chance would make of it is modularity's null model, as for clusters in graphs.)"""

ACCIDENT = 10
"""At most one in so many of an affiliation's other kills may be an accident (friendly fire, an awox), and only where the
victim has as much to do with others: who makes up most of another's losses does not do so by accident."""

ACCIDENT_DISCOUNT = 10
"""An accident weighs at most one in so many of what the affiliation's kills weigh otherwise."""


class Affinity(NamedTuple):
    """Affiliation -> the others it had to do with -> how much.

    Attributes:
        hostile: shares of the battle's hostile weight, both ways together; of those only that shot each other.
        net: shares of the battle's shared weight, less the hostile ones.
        hostility: affiliation -> the sum of its hostile ties.
        weights: affiliation -> the hostile weight it had a part in, accidents discounted.
        dealt: affiliation -> the weight of its kills.
        ordered: all affiliations: those with the strongest ties first, then those that dealt more, then those with
            more pilots; ids decide last.
    """

    hostile: Mapping[int, Mapping[int, int]]
    net: Mapping[int, Mapping[int, int]]
    hostility: Mapping[int, int]
    weights: Mapping[int, int]
    dealt: Mapping[int, int]
    ordered: list[int]


def affinity_of(evidence: Evidence, pilots: Mapping[int, int]) -> Affinity:
    """The affinities that the evidence amounts to."""
    kills, dealt, fought, company = _totals(evidence.pairs)
    hostile_all = sum(dealt.values()) + PRESENCE * sum(kills.values()) or 1
    company_all = sum(company.values()) or 1
    friendly_all = max(company_all // 2, hostile_all // FRIENDLY_FLOOR, 1)
    hostile: defaultdict[int, dict[int, int]] = defaultdict(dict)
    net: defaultdict[int, dict[int, int]] = defaultdict(dict)
    weights: defaultdict[int, int] = defaultdict(int)
    for (lower, higher), pair in evidence.pairs.items():
        shot_kills, shot_weight, _, _, lost_kills, lost_weight, _, _, shared_kills, shared_weight = pair
        shared = shared_weight + PRESENCE * shared_kills
        foe = 0
        if shot_kills or lost_kills:
            shots = PRESENCE * (shot_kills + lost_kills)
            both = shot_weight + lost_weight
            if shot_kills:
                shots += _discounted(
                    shot_kills, shot_weight, kills[lower], dealt[lower], fought[higher] - both
                )
            if lost_kills:
                shots += _discounted(
                    lost_kills, lost_weight, kills[higher], dealt[higher], fought[lower] - both
                )
            weights[lower] += shots
            weights[higher] += shots
            foe = shots * ALL // hostile_all
            hostile[lower][higher] = hostile[higher][lower] = foe
            shared -= company[lower] * company[higher] // (CHANCE * company_all)
        net[lower][higher] = net[higher][lower] = shared * ALL // friendly_all - foe
    # everybody gets hostile ties here, be it none
    hostility = {affiliation: sum(hostile[affiliation].values()) for affiliation in net}
    # friendly and hostile ties together: what is friendly is the net with the hostile back in
    strengths = {
        affiliation: sum(net[affiliation].values()) + 2 * foes for affiliation, foes in hostility.items()
    }
    ordered = sorted(
        strengths,
        key=lambda one: (-strengths[one], -dealt[one], -pilots.get(one, 0), one),
    )
    return Affinity(hostile, net, hostility, weights, dealt, ordered)


class _Totals(NamedTuple):
    """Sums over an affiliation's pairs: the kills it made and their weight, that and its losses, its shared kills."""

    kills: defaultdict[int, int]
    dealt: defaultdict[int, int]
    fought: defaultdict[int, int]
    company: defaultdict[int, int]


def _totals(pairs: Mapping[tuple[int, int], PairEvidence]) -> _Totals:
    totals = _Totals(defaultdict(int), defaultdict(int), defaultdict(int), defaultdict(int))
    kills, dealt, fought, company = totals
    for (lower, higher), pair in pairs.items():
        shot_kills, shot_weight, _, _, lost_kills, lost_weight, _, _, shared_kills, shared_weight = pair
        if shot_kills:
            kills[lower] += shot_kills
            dealt[lower] += shot_weight
            fought[lower] += shot_weight
            fought[higher] += shot_weight
        if lost_kills:
            kills[higher] += lost_kills
            dealt[higher] += lost_weight
            fought[lower] += lost_weight
            fought[higher] += lost_weight
        if shared_kills:
            shared = shared_weight + PRESENCE * shared_kills
            company[lower] += shared
            company[higher] += shared
    return totals


def _discounted(kills: int, weight: int, all_kills: int, all_weight: int, victim_fought: int) -> int:
    """What the kills that one affiliation made of another weigh: next to nothing where they may be accidents.

    The first affiliation made `all_kills` in all; the other fought for `victim_fought` apart from this.
    """
    other_kills = all_kills - kills
    if kills * ACCIDENT > other_kills:
        return weight
    usual = min(weight, kills * (all_weight - weight) // other_kills)
    return usual // ACCIDENT_DISCOUNT if usual <= victim_fought else weight
