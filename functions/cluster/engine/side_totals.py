"""What each side of a battle amounts to, told from its ledger."""

from collections.abc import Mapping
from typing import NamedTuple

from battlescope.evidence import THIRD_PARTY, Ledger


class SideTotals(NamedTuple):
    """One side; 0 is that of third parties, who need not be friends of one another.

    Attributes:
        affiliation_ids: the most pilots first; ids decide last.
        pilots: characters; who flew in two names of the side counts in both.
        losses: pods folded into their ships.
        isk_lost: in whole ISK.
        isk_destroyed: of what others lost (other sides; of third parties, anybody else) the share of the players'
            damage, in whole ISK, each share rounded down.
    """

    side_id: int
    affiliation_ids: tuple[int, ...]
    pilots: int
    losses: int
    isk_lost: int
    isk_destroyed: int


def side_totals(ledger: Ledger, side_ids: Mapping[int, int]) -> list[SideTotals]:
    """The sides that have anybody on them, by number."""
    destroyed: dict[int, int] = {}
    for (lower, higher), pair in ledger.evidence.pairs.items():
        one, other = side_ids[lower], side_ids[higher]
        if one != other or one == THIRD_PARTY:
            destroyed[one] = destroyed.get(one, 0) + pair.shot_isk_share
            destroyed[other] = destroyed.get(other, 0) + pair.lost_isk_share
    members: dict[int, list[int]] = {}
    for affiliation in ledger.affiliations:
        members.setdefault(side_ids[affiliation], []).append(affiliation)
    totals = []
    for side_id, affiliation_ids in sorted(members.items()):
        known = [ledger.affiliations[one] for one in affiliation_ids]
        totals.append(
            SideTotals(
                side_id,
                tuple(sorted(affiliation_ids, key=lambda one: (-ledger.affiliations[one].pilots, one))),
                sum(one.pilots for one in known),
                sum(one.losses for one in known),
                sum(one.isk_lost for one in known),
                destroyed.get(side_id, 0),
            )
        )
    return totals
