"""One loss: who lost what to whom, with damage shared out, and the pod after it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.hulls import CAPSULE, GENOLUTION_CAPSULE, Hull, Mix
from battlescope_local.new_eden.population import Group

type Party = dict[str, Any]
"""A victim or an attacker, as ESI writes it."""

PILOT_FIELDS = ("character_id", "corporation_id", "alliance_id")

ACTIVE_SHARE = 0.3
"""Of a group's pilots, on one day."""

USELESS_SHARE = 0.26
"""Attackers with no damage: tackle, electronic warfare, whores."""

POD_ISK = (
    (0.0, 10_000.0),
    (0.5, 10_000.0),
    (0.6, 9e6),
    (0.8, 45e6),
    (0.95, 260e6),
    (0.995, 1.4e9),
    (1.0, 4e9),
)
"""Value of a pod: mostly no implants, sometimes very good ones."""

POD_KILLERS = ((0.0, 1.0), (0.6, 1.99), (0.75, 2.99), (0.9, 4.99), (0.98, 9.0), (1.0, 24.0))
"""Attackers on a pod: few are quick enough."""


class Loss(NamedTuple):
    """A killmail before it has an id; `at` in Unix seconds, `isk` with fractions as zKillboard tells it."""

    at: int
    system_id: int
    victim: Party
    attackers: list[Party]
    isk: float


class Flyer:
    """A pilot in a ship, for as long as one engagement lasts."""

    __slots__ = ("attacker", "hull", "who")

    def __init__(self, who: dict[str, int], hull: Hull) -> None:
        self.who = who
        self.hull = hull
        self.attacker: Party = {
            **who,
            "security_status": (who["character_id"] % 151 - 100) / 10,
            "ship_type_id": hull.ship_type_id,
        }


class Npc(NamedTuple):
    """Who shoots without being a player: a corporation or a faction, and a ship type."""

    ship_type_id: int
    corporation_id: int = 0
    faction_id: int = 0

    def attacker(self) -> Party:
        """As ESI writes it."""
        party: Party = {"security_status": 0.0, "ship_type_id": self.ship_type_id}
        if self.corporation_id:
            party["corporation_id"] = self.corporation_id
        if self.faction_id:
            party["faction_id"] = self.faction_id
        return party


def gang(dice: Dice, group: Group, pilots: int, mix: Mix, at: int) -> list[Flyer]:
    """Pilots of one group, out of those who play that day; neighbours in its roster fly together time and again."""
    first = at // 86_400 * 61 + int(dice.random() * (group.size * ACTIVE_SHARE + 1))
    return [
        Flyer(group.character(first + nth, at), dice.pick(dice.pick(mix)))
        for nth in range(min(pilots, group.size))
    ]


def lose(
    dice: Dice,
    at: int,
    system_id: int,
    victim: Flyer,
    killers: Sequence[Flyer],
    npcs: Sequence[Npc] = (),
    *,
    final_blow: int | None = None,
) -> Loss:
    """A ship loss; `final_blow` is a place in `killers`, by chance where it is not given."""
    hull = victim.hull
    attackers = [flyer.attacker for flyer in killers]
    attackers += [npc.attacker() for npc in npcs]
    taken = int(hull.hit_points * (0.8 + 0.5 * dice.random())) + 1
    dealt = _shares(dice, attackers, taken, final_blow)
    isk = hull.isk * (0.55 + 0.9 * dice.random()) + dice.random() * 1000
    return Loss(
        at,
        system_id,
        {
            **victim.who,
            "damage_taken": sum(party["damage_done"] for party in dealt),
            "ship_type_id": hull.ship_type_id,
        },
        dealt,
        round(isk, 2),
    )


def lose_pod(dice: Dice, ship: Loss, killers: Sequence[Flyer], npcs: Sequence[Npc] = ()) -> Loss:
    """The pod of a ship that was just lost, to some of its killers."""
    few = killers
    if len(killers) > 1:
        count = min(len(killers), int(dice.quantile(POD_KILLERS)))
        start = dice.whole(0, len(killers) - count)
        few = killers[start : start + count]
    who: dict[str, int] = {name: ship.victim[name] for name in PILOT_FIELDS if name in ship.victim}
    capsule = CAPSULE if dice.random() < 0.985 else GENOLUTION_CAPSULE
    pod = lose(dice, ship.at + dice.whole(1, 45), ship.system_id, Flyer(who, capsule), few, npcs)
    return pod._replace(isk=round(dice.quantile(POD_ISK) * (1 + 0.2 * dice.random()), 2))


def ambushed(
    dice: Dice, at: int, system_id: int, victim: Flyer, killers: Sequence[Flyer], pod: float
) -> list[Loss]:
    """A ship, and with probability `pod` its pod."""
    ship = lose(dice, at, system_id, victim, killers)
    return [ship, lose_pod(dice, ship, killers)] if dice.chance(pod) else [ship]


def lose_structure(
    dice: Dice, at: int, system_id: int, owner: dict[str, int], hull: Hull, killers: Sequence[Flyer]
) -> Loss:
    """The loss of something nobody flies: a victim without a character."""
    loss = lose(dice, at, system_id, Flyer({"character_id": 0, **owner}, hull), killers)
    del loss.victim["character_id"]
    return loss


def _shares(dice: Dice, attackers: list[Party], taken: int, final_blow: int | None) -> list[Party]:
    """The attackers with about `taken` hit points of damage among them, one of them with the final blow."""
    count = len(attackers)
    if count == 1:
        return [{**attackers[0], "damage_done": taken, "final_blow": True}]
    chance = dice.random
    last = int(chance() * count) if final_blow is None else final_blow
    weights = [0.0 if (draw := chance()) < USELESS_SHARE else draw for _ in attackers]
    if weights[last] == 0.0:
        weights[last] = 0.1
    scale = taken / sum(weights)
    parties = [
        {**party, "damage_done": int(weight * scale), "final_blow": False}
        for party, weight in zip(attackers, weights, strict=True)
    ]
    parties[last]["final_blow"] = True
    return parties
