"""Fleet fights: two to four sides, their allies, third parties, and everything that goes wrong on a killmail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.geography import Space
from battlescope_local.new_eden.hulls import DOCTRINES, FLEET_SUPPORT, Mix
from battlescope_local.new_eden.losses import Flyer, Loss, ambushed, gang
from battlescope_local.new_eden.population import BLOC_ALLIANCES, Group
from battlescope_local.new_eden.world import World

ON_KILLMAIL = ((0.0, 0.01), (0.25, 0.05), (0.5, 0.13), (0.75, 0.28), (0.9, 0.45), (0.98, 0.6), (1.0, 0.8))
"""Share of a side that is on one kill."""

PODDED = 0.42

FLEET_SPACE: tuple[Space, ...] = ("nullsec", "nullsec", "nullsec", "lowsec", "lowsec", "pochven")

SMALL_FLEET_LOSSES = ((0.0, 18.0), (0.5, 38.0), (0.9, 72.0), (1.0, 100.0))
LARGE_FLEET_LOSSES = ((0.0, 90.0), (0.6, 150.0), (0.9, 330.0), (0.99, 700.0), (1.0, 1100.0))
SMALL_FLEETS_MAX_H = 3
LARGE_FLEETS_MAX_H = 6
"""No loss comes later after the beginning of the hour in which the fight began."""

SIDES = (2,) * 17 + (3,) * 2 + (4,)
"""Sides of a fight, all of these equally likely."""

THIRD_PARTY_KILLS = 0.06
"""Share of kills by or of third parties."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a fight, or a third party; one fleet per affiliation."""

    fleets: list[list[Flyer]]
    pilots: list[Flyer] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pilots", [flyer for fleet in self.fleets for flyer in fleet])


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFight:
    """A fight in one system.

    Attributes:
        sides: at least two; everybody on a side shoots at everybody on the others.
        third_parties: shoot at all sides, and are shot by them, now and then.
        friendly_fire: share of kills that carry pilots of the victim's own side.
        kill_stealing: share of kills that carry pilots of neither the victim's nor the killers' side.
        on_killmail: share of a side that is on one kill.
    """

    system_id: int
    sides: Sequence[Side]
    third_parties: Side | None = None
    friendly_fire: float = 0.02
    kill_stealing: float = 0.02
    on_killmail: Sequence[tuple[float, float]] = ON_KILLMAIL

    def losses(self, dice: Dice, start: int, ships: int, seconds: float) -> Iterator[Loss]:
        """`ships` ship losses and the pods after them, spread over about `seconds` from `start` on."""
        at = float(start)
        for nth in range(ships):
            victims, killers = self._opponents(dice)
            # every fleet loses its first ship early, so that everybody who came is on a killmail
            fleet = (
                victims.fleets[nth % len(victims.fleets)] if nth < 3 * len(victims.fleets) else victims.pilots
            )
            shooters = self._mishaps(dice, victims, killers, self._focus(dice, killers))
            yield from ambushed(dice, int(at), self.system_id, dice.pick(fleet), shooters, PODDED)
            at += 2 * dice.random() * seconds / ships

    def _opponents(self, dice: Dice) -> tuple[Side, Side]:
        victims = dice.pick(self.sides)
        others = [side for side in self.sides if side is not victims]
        killers = dice.pick(others)
        if self.third_parties is not None and dice.chance(THIRD_PARTY_KILLS):
            return (self.third_parties, killers) if dice.chance(0.5) else (victims, self.third_parties)
        return victims, killers

    def _focus(self, dice: Dice, side: Side) -> list[Flyer]:
        """Who of a side is on one kill: neighbours, as wings shoot together."""
        pilots = side.pilots
        count = max(1, int(dice.quantile(self.on_killmail) * len(pilots)))
        start = int(dice.random() * len(pilots))
        shooters = pilots[start : start + count]
        return shooters + pilots[: count - len(shooters)]

    def _mishaps(self, dice: Dice, victims: Side, killers: Side, shooters: list[Flyer]) -> list[Flyer]:
        """The shooters, with whoever else got onto the killmail."""
        if dice.chance(self.friendly_fire):
            shooters = shooters + _some(dice, victims)
        if dice.chance(self.kill_stealing):
            strangers = [side for side in self.sides if side is not victims and side is not killers]
            if self.third_parties is not None and self.third_parties not in (victims, killers):
                strangers.append(self.third_parties)
            if strangers:
                shooters = shooters + _some(dice, dice.pick(strangers))
        return shooters


def doctrine(dice: Dice) -> Mix:
    """One damage ship, and support around it."""
    return (dice.pick(DOCTRINES),) * (3 * len(FLEET_SUPPORT)) + FLEET_SUPPORT


def small_fleet_fight(world: World, dice: Dice, hour: int) -> list[Loss]:
    """A few dozen losses; up to four alliances a side."""
    ships = dice.quantile(SMALL_FLEET_LOSSES) / (1 + PODDED)
    return _fleet_fight(world, dice, hour, int(ships), ships * dice.between(0.6, 1.5), 4, SMALL_FLEETS_MAX_H)


def large_fleet_fight(world: World, dice: Dice, hour: int) -> list[Loss]:
    """Hundreds of losses, hours long; up to nine alliances a side."""
    ships = dice.quantile(LARGE_FLEET_LOSSES) / (1 + PODDED)
    return _fleet_fight(world, dice, hour, int(ships), ships * dice.between(0.9, 2.4), 9, LARGE_FLEETS_MAX_H)


def _fleet_fight(
    world: World, dice: Dice, hour: int, ships: int, pilots: float, allies_max: int, hours_max: int
) -> list[Loss]:
    """Two blocs meet, sometimes three or four, `pilots` a side; strangers come by."""
    at = hour * 3600 + dice.whole(0, 3599)
    blocs = dice.some(world.population.blocs, dice.pick(SIDES))
    fight = FleetFight(
        system_id=world.geography.system(dice, dice.pick(FLEET_SPACE)),
        sides=[_muster(dice, bloc, pilots, dice.whole(1, allies_max), at) for bloc in blocs],
        third_parties=_passers_by(world, dice, at) if dice.chance(0.4) else None,
    )
    seconds = min((hours_max - 1.5) * 3600, ships * dice.between(4, 45) + 300)
    latest = (hour + hours_max) * 3600
    return [loss for loss in fight.losses(dice, at, ships, seconds) if loss.at < latest]


def _muster(dice: Dice, bloc: Sequence[Group], pilots: float, allies: int, at: int) -> Side:
    """A side: alliances of one bloc, the larger ones more often, all in one doctrine."""
    fitting = doctrine(dice)
    groups = dict.fromkeys(bloc[int(dice.random() * dice.random() * len(bloc))] for _ in range(allies))
    shares = [int(pilots * dice.between(0.4, 1.6) / len(groups)) + 4 for _ in groups]
    return Side([gang(dice, group, share, fitting, at) for group, share in zip(groups, shares, strict=True)])


def _passers_by(world: World, dice: Dice, at: int) -> Side:
    """A third party: small fleets of alliances that belong to no bloc."""
    strangers = dice.some(world.population.alliances[BLOC_ALLIANCES:], dice.whole(1, 4))
    return Side([gang(dice, group, dice.whole(2, 9), doctrine(dice), at) for group in strangers])


def _some(dice: Dice, side: Side) -> list[Flyer]:
    start = int(dice.random() * len(side.pilots))
    return side.pilots[start : start + dice.whole(1, 3)]
