"""Fights of which the truth is known: for tests of sides, and for battles that grow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.fleets import ON_KILLMAIL, PODDED, FleetFight, Side, doctrine
from battlescope_local.new_eden.history import START
from battlescope_local.new_eden.losses import Loss, gang
from battlescope_local.new_eden.payloads import Payload, numbered, sequenced
from battlescope_local.new_eden.population import BLOC_ALLIANCES, Group
from battlescope_local.new_eden.world import world_of

SYSTEM_ID = 30001046
"""Jorund, where planted fights take place."""

ON_KILLMAIL_PILOTS = 120
"""In a growing battle: the more pilots come, the smaller the share of them that reaches one kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFight:
    """A fight, and the truth about it.

    Attributes:
        killmails: in the order of their kills.
        sides: affiliation (all of them alliances) -> its side, 1 to n, or 0 for a third party.
    """

    killmails: list[Payload]
    sides: dict[int, int]


def plant(
    *,
    seed: int,
    sides: int = 2,
    ships: int = 80,
    affiliations_per_side: int = 3,
    third_parties: int = 1,
    friendly_fire: float = 0.1,
    kill_stealing: float = 0.1,
    start: int = START,
) -> PlantedFight:
    """A fight of 2 to 5 sides over half an hour with `ships` ship losses, and pods.

    Third parties are small, and shoot at, steal from and are shot by all sides alike. `friendly_fire` is the share of
    kills with pilots of the victim's own side among the attackers; `kill_stealing` the share with pilots of a side
    that is neither the victim's nor the killers', or of a third party (in a fight of two sides: of a third party, so
    without one there is none).
    """
    dice = Dice.of(seed, "plant", sides, ships, affiliations_per_side)
    population = world_of(seed).population
    groups = [dice.some(bloc, affiliations_per_side) for bloc in dice.some(population.blocs, sides)]
    strangers = dice.some(population.alliances[BLOC_ALLIANCES:], third_parties)
    fight = FleetFight(
        system_id=SYSTEM_ID,
        sides=[_side(dice, allies, 8, 20, start) for allies in groups],
        third_parties=_side(dice, strangers, 3, 6, start) if strangers else None,
        friendly_fire=friendly_fire,
        kill_stealing=kill_stealing,
    )
    truth = {
        group.affiliation_id: number
        for number, allies in [*enumerate(groups, 1), (0, strangers)]
        for group in allies
    }
    return PlantedFight(
        killmails=list(_published(fight.losses(dice, start, ships, seconds=1_800.0))), sides=truth
    )


def growing_battle(
    *, seed: int, kills: int, per_minute: float = 8.0, pilots: int = 4_000, start: int = START
) -> Iterator[Payload]:
    """One battle of two sides that grows to `kills` killmails, pods included, at about `per_minute` of them."""
    dice = Dice.of(seed, "growing", kills)
    first, second = dice.some(world_of(seed).population.blocs, 2)
    share = min(1.0, 2 * ON_KILLMAIL_PILOTS / pilots)
    each = max(1, pilots // 12)
    fight = FleetFight(
        system_id=SYSTEM_ID,
        sides=[_side(dice, list(bloc[:6]), each, each, start) for bloc in (first, second)],
        on_killmail=[(upper, part * share) for upper, part in ON_KILLMAIL],
    )
    seconds = kills * 60 / per_minute * (1 + PODDED)
    return islice(_published(fight.losses(dice, start, kills, seconds)), kills)


def _side(dice: Dice, groups: Iterable[Group], pilots_min: int, pilots_max: int, at: int) -> Side:
    fitting = doctrine(dice)
    return Side([gang(dice, group, dice.whole(pilots_min, pilots_max), fitting, at) for group in groups])


def _published(losses: Iterable[Loss]) -> Iterator[Payload]:
    """Losses, given in the order of their ships, as payloads in the order of their kills."""
    by_hour: dict[int, list[Loss]] = {}
    for loss in losses:
        by_hour.setdefault(loss.at // 3600, []).append(loss)
        # a pod dies at most 45 s after its ship, so an hour is complete a minute after its end
        for hour in [hour for hour in by_hour if loss.at >= (hour + 1) * 3600 + 60]:
            yield from _hour(hour, by_hour.pop(hour))
    for hour in sorted(by_hour):
        yield from _hour(hour, by_hour[hour])


def _hour(hour: int, losses: list[Loss]) -> list[Payload]:
    return sequenced(hour, [payload for payload, _ in numbered(hour, losses)])
