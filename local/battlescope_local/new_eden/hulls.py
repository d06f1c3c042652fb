"""What flies in the simulated New Eden: real ship types, with prices and hit points of the right order."""

from typing import NamedTuple


class Hull(NamedTuple):
    """A ship type; `isk` is what it and an ordinary fitting cost, `hit_points` what it takes to kill it."""

    ship_type_id: int
    isk: int
    hit_points: int


def _class(isk: int, hit_points: int, *ship_type_ids: int) -> tuple[Hull, ...]:
    return tuple(Hull(ship_type_id, isk, hit_points) for ship_type_id in ship_type_ids)


M = 1_000_000

CAPSULE = Hull(670, 0, 458)
GENOLUTION_CAPSULE = Hull(33328, 0, 458)

SHUTTLES = _class(30_000, 510, 672, 11134, 11129, 11132)
CORVETTES = _class(10_000, 520, 601, 606, 588, 596)
FRIGATES = _class(4 * M, 1_000, 605, 608, 593, 602, 585, 603, 597, 587, 607, 583, 29248, 594, 3766, 586)
ADVANCED_FRIGATES = _class(
    42 * M, 3_200, 11198, 11186, 11393, 11379, 33468, 17703, 17841, 12038, 12032, 12034, 11400, 11371, 11192
)
DESTROYERS = _class(12 * M, 3_100, 16240, 16242, 16238, 16236, 32872, 32876, 32878)
TACTICAL_DESTROYERS = _class(75 * M, 5_000, 35683, 34828, 49710, 34562)
INTERDICTORS = _class(80 * M, 5_300, 22456, 22456, 22464, 22460)
CRUISERS = _class(32 * M, 12_000, 621, 626, 622, 627, 623, 629, 631, 620, 624, 2006)
ADVANCED_CRUISERS = _class(190 * M, 24_000, 12005, 12015, 12011, 11993, 17715, 29340, 11999, 33470)
STRATEGIC_CRUISERS = _class(520 * M, 48_000, 29984, 29990, 29986)
LOGISTICS = _class(230 * M, 20_000, 11985, 11978, 11987)
RECONS = _class(260 * M, 17_000, 11961, 11971, 11963, 11969)
BATTLECRUISERS = _class(80 * M, 28_000, 16233, 24702, 24698, 16227, 16229, 3756, 24696, 24700)
BATTLESHIPS = _class(260 * M, 48_000, 24688, 638, 639, 644, 641, 645, 643, 47466)
PIRATE_BATTLESHIPS = _class(900 * M, 90_000, 17738, 17736, 28659, 28665)
DREADNOUGHTS = _class(3_600 * M, 700_000, 19720, 19722, 19724)
HAULERS = _class(22 * M, 9_000, 655, 657, 649, 648, 656, 650, 19744, 1944)
MINERS = _class(34 * M, 9_500, 17480, 17478, 17476, 22544, 22548)
VENTURES = _class(2 * M, 720, 32880)
FREIGHTERS = _class(2_600 * M, 190_000, 20183, 20185, 20187, 20189)

TRACTOR_UNITS = _class(11 * M, 48_000, 33475)
DEPLOYABLES = _class(4 * M, 55_000, 33474, 12198, 12198, 12199)
WARP_DISRUPTORS = _class(14 * M, 60_000, 12198, 12200)
CUSTOMS_OFFICES = _class(120 * M, 11_000_000, 2233)
CITADELS = _class(1_900 * M, 7_100_000, 35832, 35825, 35835, 35833)

type Mix = tuple[tuple[Hull, ...], ...]
"""Classes as often as they are flown, a half percent each."""


def mix(*shares: tuple[float, tuple[Hull, ...]]) -> Mix:
    """A mix from classes and the percent of each, 100 in all."""
    return tuple(hulls for percent, hulls in shares for _ in range(round(2 * percent)))


LONE_VICTIMS = mix(
    (27, FRIGATES), (10, ADVANCED_FRIGATES), (8, DESTROYERS), (3, TACTICAL_DESTROYERS),
    (10, CRUISERS), (6, BATTLECRUISERS), (3, BATTLESHIPS), (3, HAULERS), (3, MINERS), (5, VENTURES),
    (4, CORVETTES), (2.5, SHUTTLES), (3, ADVANCED_CRUISERS), (1, STRATEGIC_CRUISERS),
    (7, TRACTOR_UNITS), (3.5, DEPLOYABLES), (1, INTERDICTORS),
)  # fmt: skip

NPC_VICTIMS = mix(
    (20, CORVETTES), (26, FRIGATES), (8, DESTROYERS), (18, CRUISERS), (6, ADVANCED_FRIGATES),
    (8, BATTLECRUISERS), (5, ADVANCED_CRUISERS), (4, BATTLESHIPS), (3, SHUTTLES),
    (2, STRATEGIC_CRUISERS),
)  # fmt: skip

GANK_VICTIMS = mix(
    (40, HAULERS), (40, MINERS), (10, VENTURES), (6, FREIGHTERS), (4, BATTLESHIPS),
)  # fmt: skip

GANG = mix(
    (14, FRIGATES), (18, ADVANCED_FRIGATES), (10, DESTROYERS), (10, TACTICAL_DESTROYERS),
    (8, INTERDICTORS), (12, CRUISERS), (10, ADVANCED_CRUISERS), (4, STRATEGIC_CRUISERS),
    (4, RECONS), (2, LOGISTICS), (6, BATTLECRUISERS), (2, PIRATE_BATTLESHIPS),
)  # fmt: skip

DOCTRINES: tuple[tuple[Hull, ...], ...] = (
    ADVANCED_CRUISERS[2:3], ADVANCED_CRUISERS[1:2], ADVANCED_CRUISERS[3:4], BATTLECRUISERS[3:4], BATTLECRUISERS[1:2],
    CRUISERS[:1], TACTICAL_DESTROYERS[1:2], BATTLESHIPS[:1], PIRATE_BATTLESHIPS[:1], DESTROYERS[2:3],
)  # fmt: skip
"""What a fleet's damage ships are, all of one type; around them fly interdictors, recons and logistics."""

FLEET_SUPPORT = mix(
    (30, INTERDICTORS), (25, ADVANCED_FRIGATES), (15, RECONS), (27, LOGISTICS), (3, DREADNOUGHTS),
)  # fmt: skip
