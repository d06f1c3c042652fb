"""Affinities between the affiliations of a battle: evidence as a graph with friendly and hostile ties.

Friendly ties share out the weight of all shared kills of the battle, hostile ones that of all shots, so that both count
alike whether three affiliations were on a kill or thirty. All in whole numbers: sums come out the same in any order.
"""

from collections.abc import Mapping
from typing import NamedTuple

from cluster.engine.evidence import DAMAGE_SHARES, ORDINARY_VALUE, Evidence

ALL = 1 << 29
"""All the hostility of a battle, as the sum of its hostile ties; small enough for Python's fast integers."""

KILL = ORDINARY_VALUE * DAMAGE_SHARES
"""The weight of a whole ordinary kill."""

PRESENCE = KILL // 1000
"""What being on a killmail weighs beside the damage: next to nothing, but more than nothing."""

FRIENDLY_FLOOR = 5
"""Shared weight counts as if it were at least one in so many of the hostile: a battle in which nearly nobody flew
together says little by the few who happened to."""

ACCIDENT = 10
"""At most one in so many of an affiliation's other kills may be an accident (friendly fire, an awox)."""

ACCIDENT_DISCOUNT = 4
"""An accident weighs at most one in so many of what the affiliation's kills weigh otherwise."""


class Affinity(NamedTuple):
    """Affiliation -> the others it had to do with -> how much.

    Attributes:
        friendly: shares of the battle's shared weight.
        hostile: shares of the battle's hostile weight, both ways together; they sum up to `ALL`.
        net: friendly minus hostile.
        hostility: affiliation -> the sum of its hostile ties.
        weights: affiliation -> the hostile weight it had a part in, as in the evidence.
        ordered: all affiliations, those with the strongest ties first; ids decide last.
    """

    friendly: Mapping[int, Mapping[int, int]]
    hostile: Mapping[int, Mapping[int, int]]
    net: Mapping[int, Mapping[int, int]]
    hostility: Mapping[int, int]
    weights: Mapping[int, int]
    ordered: list[int]


def affinity_of(evidence: Evidence, pilots: Mapping[int, int]) -> Affinity:
    """The affinities that the evidence amounts to."""
    ties = _weighed(evidence)
    hostile_all = max(1, sum(tie[3] for tie in ties))
    friendly_all = max(1, sum(tie[2] for tie in ties), hostile_all // FRIENDLY_FLOOR)
    friendly: dict[int, dict[int, int]] = {}
    hostile: dict[int, dict[int, int]] = {}
    net: dict[int, dict[int, int]] = {}
    weights: dict[int, int] = {}
    for one, other, shared, shots in ties:
        friend = shared * ALL // friendly_all
        foe = shots * ALL // hostile_all
        for here, there in ((one, other), (other, one)):
            if here in net:
                friendly[here][there] = friend
                hostile[here][there] = foe
                net[here][there] = friend - foe
                weights[here] += shots
            else:
                friendly[here] = {there: friend}
                hostile[here] = {there: foe}
                net[here] = {there: friend - foe}
                weights[here] = shots
    hostility = {affiliation: sum(foes.values()) for affiliation, foes in hostile.items()}
    strengths = {
        affiliation: sum(friends.values()) + hostility[affiliation]
        for affiliation, friends in friendly.items()
    }
    ordered = sorted(
        strengths,
        key=lambda affiliation: (-strengths[affiliation], -pilots.get(affiliation, 0), affiliation),
    )
    return Affinity(friendly, hostile, net, hostility, weights, ordered)


def _weighed(evidence: Evidence) -> list[tuple[int, int, int, int]]:
    """Pairs with their shared and their hostile weight, presence counted and accidents discounted."""
    kills: dict[int, int] = {}
    weight: dict[int, int] = {}
    for (lower, higher), pair in evidence.pairs.items():
        shot_kills, shot_weight, _, lost_kills, lost_weight, *_ = pair
        if shot_kills:
            kills[lower] = kills.get(lower, 0) + shot_kills
            weight[lower] = weight.get(lower, 0) + shot_weight
        if lost_kills:
            kills[higher] = kills.get(higher, 0) + lost_kills
            weight[higher] = weight.get(higher, 0) + lost_weight
    ties = []
    for (lower, higher), pair in evidence.pairs.items():
        shot_kills, shot_weight, _, lost_kills, lost_weight, _, shared_kills, shared_weight = pair
        shots = 0
        if shot_kills:
            shots += _shots(shot_kills, shot_weight, kills[lower], weight[lower])
        if lost_kills:
            shots += _shots(lost_kills, lost_weight, kills[higher], weight[higher])
        ties.append((lower, higher, shared_weight + PRESENCE * shared_kills, shots))
    return ties


def _shots(kills: int, weight: int, all_kills: int, all_weight: int) -> int:
    """What the kills that one affiliation made of another weigh, given all it made."""
    other_kills = all_kills - kills
    if kills * ACCIDENT <= other_kills:
        usual = kills * (all_weight - weight) // other_kills
        weight = min(weight, usual) // ACCIDENT_DISCOUNT
    return weight + PRESENCE * kills
