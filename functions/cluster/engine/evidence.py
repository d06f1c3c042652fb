"""Who shot whom, and who shot together: a battle's evidence for its sides, told from its killmails.

Kept per pair of affiliations and in whole numbers only, so that evidence adds up to the same, to the bit, in any
order and any batches, and a killmail can be taken out again (a value that changed is the old taken out and the
new put in). What weighs is a share of the players' damage, in millionths, times the weight of what the loss was
worth: so one shot at a friend and a whore's one hit count next to nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, NamedTuple, Self

from battlescope.killmail import Killmail, affiliation_id

Kind = Literal["alliance", "corporation", "character"]

DAMAGE_SHARES = 1_000_000
"""Damage shares are counted in millionths."""

ORDINARY_VALUE = 4
"""The weight of a loss worth 100m to 1b ISK, and of one whose value nobody has told."""

KILL = ORDINARY_VALUE * DAMAGE_SHARES
"""The weight of a whole ordinary kill."""

THIRD_PARTY = 0
"""The side of third parties, and of whoever the evidence does not place."""


class PairEvidence(NamedTuple):
    """What one pair of affiliations did, the one with the lower id first.

    `shot_*` is what the lower did to the higher, `lost_*` what the higher did to the lower: killmails, their weight
    (see `loss_weight`) by share of damage, and what they were worth in whole ISK. `shared_*` are the killmails
    that both were on, and the weight of the smaller share of the two.
    """

    shot_kills: int = 0
    shot_weight: int = 0
    shot_isk: int = 0
    lost_kills: int = 0
    lost_weight: int = 0
    lost_isk: int = 0
    shared_kills: int = 0
    shared_weight: int = 0


NOTHING = PairEvidence()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of a battle, or a change to it (whose numbers may be negative).

    Attributes:
        pairs: (lower affiliation, higher affiliation) -> what they did; pairs that did nothing are not in it.
    """

    pairs: Mapping[tuple[int, int], PairEvidence] = field(default_factory=dict)

    def __add__(self, other: Self) -> "Evidence":
        """Both together."""
        return self._combined(other, 1)

    def __sub__(self, other: Self) -> "Evidence":
        """This without the other."""
        return self._combined(other, -1)

    def _combined(self, other: Self, sign: int) -> "Evidence":
        pairs = dict(self.pairs)
        for pair, theirs in other.pairs.items():
            ours = pairs.get(pair, NOTHING)
            both = PairEvidence(*(one + sign * two for one, two in zip(ours, theirs, strict=True)))
            if any(both):
                pairs[pair] = both
            else:
                pairs.pop(pair, None)
        return Evidence(pairs)


class Affiliation(NamedTuple):
    """An affiliation in a battle: what it is, and how many characters flew in its name."""

    kind: Kind
    pilots: int


def evidence_of(killmails: Iterable[Killmail]) -> Evidence:
    """The evidence of these killmails, each given once."""
    sums: dict[tuple[int, int], list[int]] = {}
    for killmail in killmails:
        _add(killmail, sums)
    return Evidence({pair: PairEvidence(*numbers) for pair, numbers in sums.items()})


def affiliations_of(killmails: Iterable[Killmail]) -> dict[int, Affiliation]:
    """Everybody's affiliations on these killmails, NPCs excluded."""
    kinds: dict[int, Kind] = {}
    characters: dict[int, set[int]] = {}
    for killmail in killmails:
        for character_id, corporation_id, alliance_id, *_ in _players(killmail):
            affiliation = affiliation_id(corporation_id, alliance_id) or character_id
            if not affiliation:
                continue
            kinds[affiliation] = (
                "alliance" if alliance_id else "character" if affiliation == character_id else "corporation"
            )
            flown = characters.setdefault(affiliation, set())
            if character_id:
                flown.add(character_id)
    return {
        affiliation: Affiliation(kind, len(characters[affiliation])) for affiliation, kind in kinds.items()
    }


def loss_weight(isk_value: int | None) -> int:
    """How much a loss weighs as evidence: one more for each further digit of its value.

    A pod weighs 1, an ordinary ship 3 or 4, a titan 7: a fleet makes sure of what it shoots when it is worth
    a lot, and yet one dear ship must not outweigh ten others.
    """
    return ORDINARY_VALUE if isk_value is None else max(1, len(str(isk_value)) - 5)


def _players(killmail: Killmail) -> Iterator[tuple[int, ...]]:
    """The victim, and the attackers that are characters: what fires without one is an NPC or a machine."""
    yield killmail.victim
    for attacker in killmail.attackers:
        if attacker.character_id:
            yield attacker


def _add(killmail: Killmail, sums: dict[tuple[int, int], list[int]]) -> None:
    damage: dict[int, int] = {}
    total = 0
    for character_id, corporation_id, alliance_id, _, damage_done, _ in killmail.attackers:
        if character_id:
            affiliation = alliance_id or affiliation_id(corporation_id, 0) or character_id
            damage[affiliation] = damage.get(affiliation, 0) + damage_done
            total += damage_done
    victim = killmail.victim
    defender = victim.affiliation_id or victim.character_id
    isk = killmail.isk_value or 0
    weight = loss_weight(killmail.isk_value)
    # the lower id first, so that the pairs come out as the keys that they are
    shares = [
        (affiliation, weight * (done * DAMAGE_SHARES // total) if total else 0)
        for affiliation, done in sorted(damage.items())
    ]
    if defender:
        for attacker, share in shares:
            if attacker < defender:
                numbers = sums.setdefault((attacker, defender), [0] * 8)
                numbers[0] += 1
                numbers[1] += share
                numbers[2] += isk
            elif attacker > defender:
                numbers = sums.setdefault((defender, attacker), [0] * 8)
                numbers[3] += 1
                numbers[4] += share
                numbers[5] += isk
    for (one, one_share), (other, other_share) in combinations(shares, 2):
        numbers = sums.setdefault((one, other), [0] * 8)
        numbers[6] += 1
        numbers[7] += min(one_share, other_share)
