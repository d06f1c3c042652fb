"""Losses that no battle is made of: to NPCs, to one hunter, and for the killboard's sake."""

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.geography import Space, space_of
from battlescope_local.new_eden.hulls import (
    DEPLOYABLES,
    GANG,
    LONE_VICTIMS,
    NPC_VICTIMS,
    SHUTTLES,
    TRACTOR_UNITS,
)
from battlescope_local.new_eden.losses import Flyer, Loss, Npc, gang, lose, lose_pod
from battlescope_local.new_eden.world import World

UNMANNED = frozenset(TRACTOR_UNITS + DEPLOYABLES)

NPCS: dict[Space, tuple[Npc, ...]] = {
    "highsec": (Npc(9970, 1000043), Npc(9989, 1000054), Npc(25181, 0, 500021), Npc(30462, 0, 500021)),
    "lowsec": (Npc(1194, 0, 500003), Npc(3739, 0, 500001), Npc(3742, 0, 500004), Npc(24130, 0, 500011)),
    "nullsec": (Npc(24130, 0, 500011), Npc(19505, 0, 500010), Npc(11076, 0, 500020), Npc(11125, 1000125)),
    "wormhole": (Npc(30460, 0, 500021), Npc(30462, 0, 500021)),
    "pochven": (Npc(54577, 0, 500026), Npc(54580, 0, 500027), Npc(57584, 0, 500027)),
    "abyssal": (Npc(47465, 0, 500021), Npc(56150, 1000292), Npc(56188, 1000137), Npc(48092, 1000293)),
}  # fmt: skip
"""Rats, sentry guns, police and abyssal hazards by where they shoot."""

LONE_SPACE: tuple[tuple[float, Space], ...] = (
    (0.07, "highsec"), (0.33, "lowsec"), (0.83, "nullsec"), (0.92, "wormhole"), (0.95, "pochven"), (1.0, "abyssal"),
)  # fmt: skip
NPC_SPACE: tuple[tuple[float, Space], ...] = (
    (0.25, "highsec"), (0.37, "lowsec"), (0.66, "nullsec"), (0.71, "wormhole"), (0.76, "pochven"), (1.0, "abyssal"),
)  # fmt: skip

NPC_COUNT = ((0.0, 1.0), (0.65, 1.99), (0.93, 2.99), (1.0, 4.99))

PADDING_SPACE: tuple[Space, ...] = ("wormhole", "nullsec", "lowsec")
PADDING_LOSSES = ((0.0, 8.0), (0.6, 25.0), (0.9, 60.0), (1.0, 260.0))


def npc_loss(world: World, dice: Dice, hour: int) -> list[Loss]:
    """A ratter, a mission runner or an abyssal diver dies to NPCs; in the abyss the pod dies too."""
    at = hour * 3600 + dice.whole(0, 3599)
    space = space_of(dice, NPC_SPACE)
    system_id = world.geography.system(dice, space)
    group = world.population.prey(dice)
    victim = gang(dice, group, 1, NPC_VICTIMS, at)[0]
    npcs = [dice.pick(NPCS[space]) for _ in range(int(dice.quantile(NPC_COUNT)))]
    ship = lose(dice, at, system_id, victim, (), npcs)
    if dice.chance(0.75 if space == "abyssal" else 0.12):
        return [ship, lose_pod(dice, ship, (), npcs)]
    return [ship]


def lone_kill(world: World, dice: Dice, hour: int) -> list[Loss]:
    """One ship, or something left in space, falls to a hunter or a small gang; often the pod after it."""
    at = hour * 3600 + dice.whole(0, 3599)
    space = space_of(dice, LONE_SPACE)
    system_id = world.geography.system(dice, space)
    victim = gang(dice, world.population.prey(dice), 1, LONE_VICTIMS, at)[0]
    hunters = 1 + int(dice.random() * dice.random() * dice.random() * 9)
    killers = gang(dice, world.population.aggressor(dice), hunters, GANG, at)
    npcs = [dice.pick(NPCS[space])] if dice.chance(0.13) else []
    ship = lose(dice, at, system_id, victim, killers, npcs)
    if victim.hull not in UNMANNED and dice.chance(0.5):
        return [ship, lose_pod(dice, ship, killers)]
    return [ship]


def padding(world: World, dice: Dice, hour: int) -> list[Loss]:
    """Friends blow up each other's shuttles, seconds apart, for the numbers: no battle, however many kills."""
    at = hour * 3600 + dice.whole(0, 3599)
    system_id = world.geography.system(dice, dice.pick(PADDING_SPACE))
    friends = gang(dice, dice.pick(world.population.alliances), 7, GANG, at)
    losses: list[Loss] = []
    for _ in range(int(dice.quantile(PADDING_LOSSES))):
        at += dice.whole(1, 4)
        victim = Flyer(dice.pick(friends).who, dice.pick(SHUTTLES))
        killers = [friend for friend in friends if friend.who != victim.who][: dice.whole(1, 2)]
        losses.append(lose(dice, at, system_id, victim, killers))
    return losses
