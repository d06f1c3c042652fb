"""Crossing and cohesion: how well sides fit a battle, told from its killmails and from nothing of the engine's.

Per killmail, what an affiliation weighs is its share of the damage that players did. **Crossing** is the share of
hostile weight between different affiliations that goes from one side to another; **cohesion** is the share of
co-attack weight (per pair of attacking affiliations the smaller share of the two) that stays within a side. Side 0
counts as a miss in both. A battle without such weight counts as 1: there is nothing to get wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from battlescope.killmail import Killmail

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a battle: attacker and victim -> hostile; lower and higher attacker -> shared."""

    hostile: dict[Pair, float] = field(default_factory=dict)
    shared: dict[Pair, float] = field(default_factory=dict)
    hits: dict[Pair, int] = field(default_factory=dict)
    """attacker and victim -> how many pilots were on how many killmails, as zKillboard counts."""


def affiliation(character_id: int, corporation_id: int, alliance_id: int) -> int:
    """The alliance, else the player corporation, else the character."""
    if alliance_id:
        return alliance_id
    return corporation_id if corporation_id and not 1_000_000 <= corporation_id < 2_000_000 else character_id


def weigh(killmails: Iterable[Killmail]) -> Weights:
    """The weights of these killmails."""
    weights = Weights()
    for killmail in killmails:
        victim = affiliation(*killmail.victim[:3])
        damage: dict[int, int] = {}
        for attacker in killmail.attackers:
            if not attacker.character_id:
                continue
            shooter = affiliation(*attacker[:3])
            damage[shooter] = damage.get(shooter, 0) + attacker.damage_done
            weights.hits[shooter, victim] = weights.hits.get((shooter, victim), 0) + 1
        total = sum(damage.values())
        if not total:
            continue
        shares = {shooter: done / total for shooter, done in sorted(damage.items())}
        for shooter, share in shares.items():
            if victim and shooter != victim:
                weights.hostile[shooter, victim] = weights.hostile.get((shooter, victim), 0.0) + share
        for one, other in combinations(shares, 2):
            smaller = min(shares[one], shares[other])
            weights.shared[one, other] = weights.shared.get((one, other), 0.0) + smaller
    return weights


def crossing(weights: Weights, sides: Mapping[int, int]) -> float:
    """The share of hostile weight that goes from one side to another."""
    return _share(
        weights.hostile, {pair for pair in weights.hostile if _on(sides, pair) and not _together(sides, pair)}
    )


def cohesion(weights: Weights, sides: Mapping[int, int]) -> float:
    """The share of co-attack weight that stays within a side."""
    return _share(
        weights.shared, {pair for pair in weights.shared if _on(sides, pair) and _together(sides, pair)}
    )


def _share(weights: Mapping[Pair, float], good: set[Pair]) -> float:
    total = sum(weights.values())
    return sum(weights[pair] for pair in good) / total if total else 1.0


def _on(sides: Mapping[int, int], pair: Pair) -> bool:
    return bool(sides.get(pair[0]) and sides.get(pair[1]))


def _together(sides: Mapping[int, int], pair: Pair) -> bool:
    return sides[pair[0]] == sides[pair[1]]
