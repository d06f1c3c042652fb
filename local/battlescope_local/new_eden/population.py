"""Who lives there: alliances and corporations of very unequal size, and their pilots.

Nothing is stored per pilot: a pilot is a number, and everything about it follows from that number.
"""

from bisect import bisect_right
from dataclasses import dataclass

from battlescope_local.new_eden.dice import Dice, derived_seed

ALLIANCES = 320
BLOCS = 5
BLOC_ALLIANCES = 150
"""The largest alliances, dealt into blocs that fight each other's fleets."""

CORPORATIONS = 2_600
"""Player corporations without an alliance."""

NPC_CORPORATION_IDS = (1_000_006, 1_000_044, 1_000_107, 1_000_115, *range(1_000_165, 1_000_182))
"""Where pilots are who belong to no player corporation."""

UNAFFILIATED_PILOTS = 9_000

HOURS_BETWEEN_MOVES = 24 * 30


@dataclass(frozen=True, slots=True)
class Group:
    """An affiliation: an alliance, a corporation without one, or (no id of its own) everybody in NPC corporations.

    Attributes:
        first: its pilots are the numbers `first` to `first + size - 1`.
    """

    alliance_id: int
    corporation_ids: tuple[int, ...]
    first: int
    size: int

    @property
    def affiliation_id(self) -> int:
        """The alliance, else the corporation."""
        return self.alliance_id or self.corporation_ids[0]

    def character(self, place: int, at: int) -> dict[str, int]:
        """Ids of the pilot at `place` as of `at` (Unix seconds), as on a killmail.

        One in sixteen moves now and then: within the alliance to another corporation, else out to an NPC
        corporation and back.
        """
        number = self.first + place % self.size
        who = {"character_id": _character_id(number), "corporation_id": self._corporation(number, at)}
        if self.alliance_id:
            who["alliance_id"] = self.alliance_id
        return who

    def _corporation(self, number: int, at: int) -> int:
        moves = (at // 3600 + 7 * number) // HOURS_BETWEEN_MOVES if number % 16 == 5 else 0
        count = len(self.corporation_ids)
        if count == 1:
            return (
                NPC_CORPORATION_IDS[number % len(NPC_CORPORATION_IDS)]
                if moves % 2
                else self.corporation_ids[0]
            )
        # the product of two even draws leaves the first corporations the largest
        return self.corporation_ids[
            ((number * 7919 % count) * (number * 104_729 % (count + 1)) // count + moves) % count
        ]


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody."""

    alliances: tuple[Group, ...]
    blocs: tuple[tuple[Group, ...], ...]
    corporations: tuple[Group, ...]
    unaffiliated: Group
    _alliance_ends: tuple[int, ...]
    _corporation_ends: tuple[int, ...]

    @classmethod
    def of(cls, seed: int) -> "Population":
        """The population of this seed: of the same shape for every seed, with other ids."""
        shift = derived_seed(seed, "population") % 89
        alliances, first = [], 0
        for rank in range(ALLIANCES):
            size = int(2_600 / (1 + 0.35 * rank)) + 6
            corporations = tuple(
                98_000_000 + 173 * (first // 8 + nth) + shift for nth in range(min(60, 1 + size // 30))
            )
            alliances.append(Group(99_000_000 + 37 * rank + shift, corporations, first, size))
            first += size
        corporations_alone, start = [], first
        for rank in range(CORPORATIONS):
            size = int(40 / (1 + 0.05 * rank)) + 1
            corporations_alone.append(Group(0, (98_800_000 + 31 * rank + shift,), first, size))
            first += size
        return cls(
            alliances=tuple(alliances),
            blocs=tuple(tuple(alliances[bloc:BLOC_ALLIANCES:BLOCS]) for bloc in range(BLOCS)),
            corporations=tuple(corporations_alone),
            unaffiliated=Group(0, NPC_CORPORATION_IDS, first, UNAFFILIATED_PILOTS),
            _alliance_ends=tuple(group.first + group.size for group in alliances),
            _corporation_ends=tuple(group.first + group.size - start for group in corporations_alone),
        )

    def aggressor(self, dice: Dice) -> Group:
        """Who attacks: mostly alliances, each in proportion to its pilots."""
        return self._group(dice, alliances=0.80, corporations=0.985)

    def prey(self, dice: Dice) -> Group:
        """Who loses ships alone: more corporations without an alliance, and more of no corporation at all."""
        return self._group(dice, alliances=0.62, corporations=0.87)

    def owner(self, dice: Dice) -> Group:
        """Who owns structures: an alliance's or a lone corporation's."""
        return self._group(dice, alliances=0.82, corporations=1.0)

    def _group(self, dice: Dice, *, alliances: float, corporations: float) -> Group:
        share = dice.random()
        if share < alliances:
            ends, groups = self._alliance_ends, self.alliances
        elif share < corporations:
            ends, groups = self._corporation_ends, self.corporations
        else:
            return self.unaffiliated
        return groups[bisect_right(ends, int(dice.random() * ends[-1]))]


def _character_id(number: int) -> int:
    """Two in five are veterans with ids of the old range."""
    return (90_000_000 + 97 * number) if number % 5 < 2 else (2_112_000_000 + 211 * number)
