"""Small warfare: ganks, gate camps, roams, skirmishes, and what is done to structures."""

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.geography import Space, space_of
from battlescope_local.new_eden.hulls import (
    CITADELS,
    CUSTOMS_OFFICES,
    DESTROYERS,
    GANG,
    GANK_VICTIMS,
    LONE_VICTIMS,
    WARP_DISRUPTORS,
    mix,
)
from battlescope_local.new_eden.lone import UNMANNED
from battlescope_local.new_eden.losses import Flyer, Loss, Npc, ambushed, gang, lose, lose_structure
from battlescope_local.new_eden.world import World

CONCORD = Npc(3885, 1000125)
"""A CONCORD police captain."""

GANKERS = mix((90, DESTROYERS[:2]), (10, DESTROYERS[2:3]))

GANG_SPACE: tuple[tuple[float, Space], ...] = (
    (0.02, "highsec"), (0.29, "lowsec"), (0.85, "nullsec"), (0.95, "wormhole"), (1.0, "pochven"),
)  # fmt: skip

CAMP_SPACE: tuple[Space, ...] = ("lowsec", "nullsec", "nullsec")
BASH_SPACE: tuple[Space, ...] = ("nullsec", "nullsec", "lowsec", "wormhole", "highsec")

FRIENDS = (0.7, 0.4, 0.2)
"""How often a gang brings friends of one, another and a third group."""

GANKER_COUNT = ((0.0, 1.0), (0.4, 2.99), (0.8, 6.0), (0.97, 14.0), (1.0, 32.0))
CAMP_SIZE = ((0.0, 2.0), (0.5, 6.0), (0.9, 15.0), (1.0, 40.0))
CAMP_LOSSES = ((0.0, 2.0), (0.5, 5.0), (0.9, 11.0), (1.0, 24.0))
ROAM_SIZE = ((0.0, 2.0), (0.5, 6.0), (0.9, 17.0), (1.0, 45.0))
SKIRMISH_LOSSES = ((0.0, 2.0), (0.55, 3.5), (0.8, 7.0), (0.95, 14.0), (1.0, 26.0))
BASH_SIZE = ((0.0, 2.0), (0.5, 8.0), (0.9, 30.0), (1.0, 140.0))


def band(world: World, dice: Dice, pilots: int, at: int) -> list[Flyer]:
    """A gang with friends from up to three other groups."""
    friends = sum(dice.chance(share) for share in FRIENDS) if pilots > 2 else 0
    core = max(1, pilots - 2 * friends)
    flyers = gang(dice, world.population.aggressor(dice), core, GANG, at)
    for _ in range(friends):
        group = world.population.aggressor(dice)
        flyers += gang(dice, group, dice.whole(1, 3), GANG, at)
    return flyers


def gank(world: World, dice: Dice, hour: int) -> list[Loss]:
    """Destroyers kill a hauler or a miner in highsec, then CONCORD kills them: losses that belong to the gank."""
    at = hour * 3600 + dice.whole(0, 3599)
    system_id = world.geography.system(dice, "highsec")
    victim = gang(dice, world.population.prey(dice), 1, GANK_VICTIMS, at)[0]
    count = int(dice.quantile(GANKER_COUNT))
    gankers = gang(dice, world.population.aggressor(dice), count, GANKERS, at)
    losses = ambushed(dice, at, system_id, victim, gankers, 0.5)
    losses += [lose(dice, at + dice.whole(4, 24), system_id, ganker, (), (CONCORD,)) for ganker in gankers]
    return losses


def gate_camp(world: World, dice: Dice, hour: int) -> list[Loss]:
    """A gang sits at a gate, up to two hours, and kills travellers, who have nothing to do with each other."""
    at = hour * 3600 + dice.whole(0, 3599)
    system_id = world.geography.system(dice, dice.pick(CAMP_SPACE))
    campers = band(world, dice, int(dice.quantile(CAMP_SIZE)), at)
    losses: list[Loss] = []
    for _ in range(int(dice.quantile(CAMP_LOSSES))):
        traveller = gang(dice, world.population.prey(dice), 1, LONE_VICTIMS, at)[0]
        if traveller.hull not in UNMANNED:
            present = campers[: dice.whole(1, len(campers))]
            losses += ambushed(dice, at, system_id, traveller, present, 0.42)
        at += dice.whole(30, 780)
    return losses


def roam(world: World, dice: Dice, hour: int) -> list[Loss]:
    """A gang moves through a region and kills what it meets: a small battle here and there, none of them one."""
    at = hour * 3600 + dice.whole(0, 3599)
    roamers = band(world, dice, int(dice.quantile(ROAM_SIZE)), at)
    losses: list[Loss] = []
    for system_id in world.geography.route(dice, space_of(dice, GANG_SPACE), dice.whole(3, 9)):
        met = world.population.prey(dice)
        for victim in gang(dice, met, dice.whole(0, 2), LONE_VICTIMS, at):
            losses += ambushed(dice, at, system_id, victim, roamers[: dice.whole(1, len(roamers))], 0.4)
            at += dice.whole(10, 300)
        at += dice.whole(120, 900)
    return losses


def skirmish(world: World, dice: Dice, hour: int) -> list[Loss]:
    """Two small gangs meet; the stronger loses less."""
    at = hour * 3600 + dice.whole(0, 3599)
    system_id = world.geography.system(dice, space_of(dice, GANG_SPACE))
    count = int(dice.quantile(SKIRMISH_LOSSES))
    stronger = band(world, dice, count + dice.whole(0, 9), at)
    weaker = gang(dice, world.population.prey(dice), count + dice.whole(0, 3), LONE_VICTIMS, at)
    edge = dice.between(0.6, 1.0)
    losses: list[Loss] = []
    doomed = (list(stronger), list(weaker))
    for _ in range(count):
        loser, winner = (1, stronger) if dice.chance(edge) else (0, weaker)
        if not doomed[loser]:
            break
        victim = doomed[loser].pop()
        killers = winner[: dice.whole(1, len(winner))]
        pod = 0.0 if victim.hull in UNMANNED else 0.38
        losses += ambushed(dice, at, system_id, victim, killers, pod)
        at += dice.whole(4, 330)
    return losses


def bash(world: World, dice: Dice, hour: int) -> list[Loss]:
    """A structure falls, sometimes with a defender; bubbles and customs offices far more often than citadels."""
    at = hour * 3600 + dice.whole(600, 4199)
    system_id = world.geography.system(dice, dice.pick(BASH_SPACE))
    owner = world.population.owner(dice)
    attackers = band(world, dice, int(dice.quantile(BASH_SIZE)), at)
    corporation = owner.character(0, at)
    del corporation["character_id"]
    hull = dice.pick(dice.pick((WARP_DISRUPTORS, WARP_DISRUPTORS, CUSTOMS_OFFICES, CITADELS)))
    losses = [lose_structure(dice, at, system_id, corporation, hull, attackers)]
    if dice.chance(0.25):
        for defender in gang(dice, owner, dice.whole(1, 4), GANG, at):
            losses += ambushed(dice, at - dice.whole(10, 500), system_id, defender, attackers, 0.3)
    return losses
