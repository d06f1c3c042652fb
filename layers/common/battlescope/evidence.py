"""What a battle's sides are told from: who shot whom, who shot together, and what each affiliation flew and lost.

Kept per affiliation and per pair of affiliations, in whole numbers only, so that evidence adds up to the same, to the
bit, in any order and any batches, and a killmail can be taken out again (a value that changed is the old taken out and
the new put in). The clusterer keeps a `Ledger` with each battle; the API tells from it why who is on which side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self

Kind = Literal["alliance", "corporation", "character"]

KINDS: tuple[Kind, ...] = ("alliance", "corporation", "character")

DAMAGE_SHARES = 1_000_000
"""Damage shares are counted in millionths."""

ORDINARY_VALUE = 4
"""The weight of a loss worth 100m to 1b ISK, and of one whose value nobody has told."""

KILL = ORDINARY_VALUE * DAMAGE_SHARES
"""The weight of a whole ordinary kill."""

THIRD_PARTY = 0
"""The side of third parties, and of whoever the evidence does not place."""

CONFIDENCE_STEPS = 1000
"""Confidences are kept to three digits."""


class PairEvidence(NamedTuple):
    """What one pair of affiliations did, the one with the lower id first.

    `shot_*` is what the lower did to the higher, `lost_*` what the higher did to the lower: killmails, their weight
    by share of damage, what they were worth in whole ISK, and that by share of damage. `shared_*` are the killmails that
    both were on, and the weight of the smaller share of the two.
    """

    shot_kills: int = 0
    shot_weight: int = 0
    shot_isk: int = 0
    shot_isk_share: int = 0
    lost_kills: int = 0
    lost_weight: int = 0
    lost_isk: int = 0
    lost_isk_share: int = 0
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
    """An affiliation in a battle.

    Attributes:
        kind: what its id is the id of.
        pilots: characters that flew in its name.
        losses: what it lost, pods folded into their ships.
        isk_lost: the value of all it lost, in whole ISK.
    """

    kind: Kind
    pilots: int = 0
    losses: int = 0
    isk_lost: int = 0


class Placement(NamedTuple):
    """Where an affiliation stands; the confidence, 0 to 1, in CONFIDENCE_STEPS."""

    side_id: int
    confidence: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that is kept of a battle for its sides, or a change to it.

    Attributes:
        affiliations: everybody on the battle's killmails, by id.
        evidence: what they did to and with one another.
    """

    affiliations: Mapping[int, Affiliation] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)

    def __add__(self, change: Self) -> "Ledger":
        """This and a change to it; an affiliation that was ever in it stays."""
        affiliations = dict(self.affiliations)
        for affiliation, (kind, *numbers) in change.affiliations.items():
            held = affiliations.get(affiliation)
            affiliations[affiliation] = Affiliation(
                kind, *(numbers if held is None else map(int.__add__, held[1:], numbers))
            )
        return Ledger(affiliations, self.evidence + change.evidence)

    @property
    def pilots(self) -> dict[int, int]:
        """Affiliation -> its pilots."""
        return {affiliation: known.pilots for affiliation, known in self.affiliations.items()}


def to_json(ledger: Ledger, placements: Mapping[int, Placement]) -> dict[str, list[list[Any]]]:
    """A ledger and where everybody in it stands, as `battles.evidence` keeps them: the same for the same battle.

    `affiliations`: `[id, kind, side, confidence, pilots, losses, isk_lost]` each, by id. `pairs`: the places of two
    affiliations in that list, then the numbers of `PairEvidence`, each.
    """
    ordered = sorted(ledger.affiliations)
    place = {affiliation: number for number, affiliation in enumerate(ordered)}
    return {
        "affiliations": [
            [affiliation, kind, *placements[affiliation], *numbers]
            for affiliation in ordered
            for kind, *numbers in (ledger.affiliations[affiliation],)
        ],
        "pairs": sorted(
            [place[lower], place[higher], *numbers]
            for (lower, higher), numbers in ledger.evidence.pairs.items()
        ),
    }


def from_json(kept: Mapping[str, Sequence[Sequence[Any]]]) -> tuple[Ledger, dict[int, Placement]]:
    """What `to_json` made, read back."""
    affiliations: dict[int, Affiliation] = {}
    placements: dict[int, Placement] = {}
    for affiliation, kind, side_id, confidence, *numbers in kept["affiliations"]:
        affiliations[affiliation] = Affiliation(kind, *numbers)
        placements[affiliation] = Placement(side_id, confidence)
    ids = list(affiliations)
    pairs = {(ids[lower], ids[higher]): PairEvidence(*numbers) for lower, higher, *numbers in kept["pairs"]}
    return Ledger(affiliations, Evidence(pairs)), placements
