"""The evidence that killmails give: who shot whom, and who shot together.

What weighs is a share of the players' damage, in millionths, times the weight of what the loss was worth: so one shot at
a friend and a whore's one hit count next to nothing.
"""

from collections.abc import Iterable
from itertools import combinations

from battlescope.evidence import DAMAGE_SHARES, ORDINARY_VALUE, Evidence, PairEvidence
from battlescope.killmail import Killmail, affiliation_id

COMPANIONS_MAX = 200
"""Of more affiliations on one killmail, only those with the most damage count as having shot together.

Pairs grow as the square: two killmails of 2,000 affiliations made two million, a gigabyte. The most that three real days have
on a killmail is 76; whoever is left out here did less than one in so many of the damage."""


def evidence_of(killmails: Iterable[Killmail]) -> Evidence:
    """The evidence of these killmails, each given once."""
    sums: dict[tuple[int, int], list[int]] = {}
    for killmail in killmails:
        _add(killmail, sums)
    return Evidence({pair: PairEvidence(*numbers) for pair, numbers in sums.items()})


def loss_weight(isk_value: int | None) -> int:
    """How much a loss weighs as evidence: one more for each further digit of its value.

    A pod weighs 1, an ordinary ship 3 or 4, a titan 7: a fleet makes sure of what it shoots when it is worth
    a lot, and yet one dear ship must not outweigh ten others.
    """
    return ORDINARY_VALUE if isk_value is None else max(1, len(str(isk_value)) - 5)


def _add(killmail: Killmail, sums: dict[tuple[int, int], list[int]]) -> None:
    damage: dict[int, int] = {}
    total = 0
    for character_id, corporation_id, alliance_id, _, damage_done, _ in killmail.attackers:
        if character_id:  # what fires without one is an NPC or a machine
            affiliation = alliance_id or affiliation_id(corporation_id, 0) or character_id
            damage[affiliation] = damage.get(affiliation, 0) + damage_done
            total += damage_done
    if not damage:
        return
    defender = killmail.victim.affiliation_id or killmail.victim.character_id
    isk = killmail.isk_value or 0
    weight = loss_weight(killmail.isk_value)
    # the lower id first, so that the pairs come out as the keys that they are
    shares = [
        (affiliation, weight * (done * DAMAGE_SHARES // total) if total else 0)
        for affiliation, done in sorted(damage.items())
    ]
    if defender:
        for attacker, share in shares:
            isk_share = isk * damage[attacker] // total if total else 0
            if attacker < defender:
                numbers = sums.setdefault((attacker, defender), [0] * 10)
                numbers[0] += 1
                numbers[1] += share
                numbers[2] += isk
                numbers[3] += isk_share
            elif attacker > defender:
                numbers = sums.setdefault((defender, attacker), [0] * 10)
                numbers[4] += 1
                numbers[5] += share
                numbers[6] += isk
                numbers[7] += isk_share
    if len(shares) > COMPANIONS_MAX:
        most = sorted(damage, key=lambda affiliation: (-damage[affiliation], affiliation))[:COMPANIONS_MAX]
        companions = set(most)
        shares = [share for share in shares if share[0] in companions]
    for (one, one_share), (other, other_share) in combinations(shares, 2):
        numbers = sums.setdefault((one, other), [0] * 10)
        numbers[8] += 1
        numbers[9] += min(one_share, other_share)
