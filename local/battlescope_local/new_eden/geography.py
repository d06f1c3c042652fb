"""Where things happen: real solar systems by kind, some far busier than others."""

from dataclasses import dataclass
from typing import Literal

from battlescope.space import POCHVEN_SYSTEM_IDS, security_band
from battlescope.static import SolarSystem, solar_systems
from battlescope_local.new_eden.dice import Dice

type Space = Literal["highsec", "lowsec", "nullsec", "wormhole", "pochven", "abyssal"]

JOVE_REGION_IDS = frozenset({10000004, 10000017, 10000019})
"""Regions without a way in."""

BUSY: dict[Space, tuple[int, ...]] = {
    "highsec": (30000142, 30002053, 30002187, 30002510, 30002659),
    "lowsec": (30002813, 30003068, 30005196, 30003792, 30002719, 30045349, 30045344),
    "nullsec": (30002874, 30001155, 30001986, 30001984, 30003114, 30002005, 30002133),
}
"""Systems that lead their kind, busiest first: Jita, Tama, R1O-GN and the like."""


@dataclass(frozen=True, slots=True)
class Geography:
    """System ids by kind of space, busiest first, and the systems beside each in its region."""

    systems: dict[Space, tuple[int, ...]]
    regions: dict[int, tuple[int, ...]]
    region_of: dict[int, int]

    @classmethod
    def from_static(cls, seed: int) -> "Geography":
        """The shipped solar systems; which of them are busy, beyond the known ones, is up to the seed."""
        known = solar_systems()
        by_space: dict[Space, list[int]] = {}
        by_region: dict[int, list[int]] = {}
        for system_id in sorted(known):
            space = _space(known[system_id])
            if space is not None:
                by_space.setdefault(space, []).append(system_id)
                by_region.setdefault(known[system_id].region_id, []).append(system_id)
        for space, ids in by_space.items():
            dice = Dice.of(seed, "geography", space)
            ids.sort(key=lambda _: dice.random())
            busy = [system_id for system_id in BUSY.get(space, ()) if system_id in known]
            by_space[space] = busy + [system_id for system_id in ids if system_id not in busy]
        return cls(
            {space: tuple(ids) for space, ids in by_space.items()},
            {region: tuple(ids) for region, ids in by_region.items()},
            {system_id: region for region, ids in by_region.items() for system_id in ids},
        )

    def system(self, dice: Dice, space: Space) -> int:
        """A system of this kind; Tama sees a ninth of all lowsec, a system of nullsec rarely a hundredth."""
        ids = self.systems[space]
        at = dice.random()
        return ids[int(at * at * (at if space == "lowsec" else 0.15 + 0.85 * at) * len(ids))]

    def route(self, dice: Dice, space: Space, jumps: int) -> list[int]:
        """Systems one after another through one region."""
        start = self.system(dice, space)
        ids = self.regions[self.region_of[start]]
        at = ids.index(start)
        return [ids[(at + jump) % len(ids)] for jump in range(jumps)]


def space_of(dice: Dice, shares: tuple[tuple[float, Space], ...]) -> Space:
    """A kind of space as often as `shares` says."""
    draw = dice.random()
    return next(space for upper, space in shares if draw < upper)


def _space(system: SolarSystem) -> Space | None:
    if system.system_id in POCHVEN_SYSTEM_IDS:
        return "pochven"
    if system.region_id in JOVE_REGION_IDS:
        return None
    if 31_000_000 <= system.system_id < 32_000_000:
        return "wormhole"
    if 32_000_000 <= system.system_id < 33_000_000:
        return "abyssal"
    return security_band(system.security_status) if system.system_id < 31_000_000 else None
