"""Planted fights: whether the sides that the simulated New Eden planted are found again.

Friendly fire on one kill in ten, kill-stealing on another, and a third party that shoots everybody.
"""

from collections.abc import Iterator, Mapping

from battlescope.killmail import Killmail
from battlescope_local.new_eden import plant
from ingest.payload import parse_killmail

SEEDS = 20


def planted_fights() -> Iterator[tuple[list[Killmail], Mapping[int, int]]]:
    """Fights of two, three and four sides, and the truth about each: affiliation -> side, 0 for third parties."""
    for sides in (2, 3, 4):
        for ships in (80, 160):
            for seed in range(SEEDS):
                fight = plant(seed=seed, sides=sides, ships=ships)
                killmails = [
                    parse_killmail(upload["esi"], killmail_hash=upload["hash"], zkb=upload["zkb"])
                    for upload in fight.killmails
                ]
                yield killmails, fight.sides


def recovered(truth: Mapping[int, int], answer: Mapping[int, int]) -> bool:
    """Whether the answer has exactly the sides of the truth; where it puts third parties does not matter."""
    fought = [one for one, side in truth.items() if side and one in answer]
    pairs = {(truth[one], answer[one]) for one in fought}
    found = {side for side in answer.values() if side}
    return all(answer[one] for one in fought) and len(pairs) == len({true for true, _ in pairs}) == len(
        found
    ) == len({ours for _, ours in pairs})
