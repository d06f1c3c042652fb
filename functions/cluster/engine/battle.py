"""What a component of killmails amounts to: whether it is a battle, its id, its totals.

A battle's totals can be told from its killmails (`summarise`), or from the totals before and what came
since (`Totals.grown`): the outcome is the same, and the second costs no more for a long battle than for a short one.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from battlescope.killmail import CAPSULE_TYPE_IDS, Killmail, affiliation_id
from cluster.engine.roll import roll_of
from cluster.engine.rules import Rules

BATTLE_NAMESPACE = uuid.UUID("b6a7e5c2-6c1f-5d0e-9a53-5f0e1ba77135")
"""Fixed for ever: battle ids are made in it."""


def battle_id(system_id: int, first_killmail_id: int) -> uuid.UUID:
    """The id of the battle in this system whose lowest killmail id this is."""
    return uuid.uuid5(BATTLE_NAMESPACE, f"{system_id}/{first_killmail_id}")


class Loss(NamedTuple):
    """What folding pods needs of a killmail, and in whose name it was lost; time in Unix seconds."""

    character_id: int
    killmail_time: int
    is_pod: bool
    corporation_id: int
    alliance_id: int

    @property
    def affiliation_id(self) -> int:
        """The alliance, else the player corporation, else the character; 0 for what an NPC corporation owns."""
        return affiliation_id(self.corporation_id, self.alliance_id) or self.character_id


class Totals(NamedTuple):
    """A battle's sums. Times in Unix seconds; `losses` has pods folded into their ships."""

    start_time: int
    end_time: int
    total_kills: int
    total_isk_destroyed: int
    losses: int
    pilots: int

    @classmethod
    def of(cls, killmails: Sequence[Killmail], *, losses: int, pilots: int) -> Self:
        """The totals of these killmails (at least one), whose losses and pilots are counted."""
        times = [killmail.killmail_time for killmail in killmails]
        return cls(
            start_time=min(times),
            end_time=max(times),
            total_kills=len(killmails),
            total_isk_destroyed=sum(killmail.isk_value or 0 for killmail in killmails),
            losses=losses,
            pilots=pilots,
        )

    def grown(self, killmails: Iterable[Killmail], *, losses: int, pilots: int) -> "Totals":
        """The totals with these killmails added, and this many losses and pilots more."""
        added = list(killmails)
        return Totals(
            start_time=min(self.start_time, *(killmail.killmail_time for killmail in added)),
            end_time=max(self.end_time, *(killmail.killmail_time for killmail in added)),
            total_kills=self.total_kills + len(added),
            total_isk_destroyed=self.total_isk_destroyed + sum(killmail.isk_value or 0 for killmail in added),
            losses=self.losses + losses,
            pilots=self.pilots + pilots,
        )


def summarise(killmails: Iterable[Killmail], rules: Rules) -> Totals:
    """The totals of a component's killmails (at least one)."""
    members = list(killmails)
    losses = count_losses(map(loss, members), rules).total()
    return Totals.of(members, losses=losses, pilots=len(roll_of(members).characters))


def is_battle(killmails: Sequence[Killmail], rules: Rules) -> bool:
    """Whether a component is a battle: enough losses, and not NPC-only throughout."""
    for killmail in killmails:
        if not killmail.is_npc_only:
            return _has_losses(killmails, rules)
    return False


def _has_losses(killmails: Sequence[Killmail], rules: Rules) -> bool:
    """Whether there are MIN_KILLS losses, as `count_losses` has them; ships alone settle it most of the time."""
    missing = rules.min_kills
    if not rules.fold_pods:
        return len(killmails) >= missing
    ships: dict[int, int] = {}  # character -> when it first lost one
    pods: list[Killmail] = []
    for killmail in killmails:
        victim = killmail.victim
        if victim[3] in CAPSULE_TYPE_IDS:
            pods.append(killmail)
            continue
        missing -= 1
        if not missing:
            return True
        if victim[0]:
            ships[victim[0]] = min(ships.get(victim[0], killmail.killmail_time), killmail.killmail_time)
    if len(pods) < missing:
        return False
    for pod in pods:
        if ships.get(pod.victim[0], pod.killmail_time + 1) > pod.killmail_time:
            missing -= 1
            if not missing:
                return True
    return False


def loss(killmail: Killmail) -> Loss:
    """The killmail as a loss."""
    victim = killmail.victim
    return Loss(
        victim.character_id,
        killmail.killmail_time,
        victim.ship_type_id in CAPSULE_TYPE_IDS,
        victim.corporation_id,
        victim.alliance_id,
    )


def count_losses(losses: Iterable[Loss], rules: Rules) -> Counter[int]:
    """Affiliation -> its losses of one component, a pod not counting where its character lost a ship at or before it."""
    counted = list(losses)
    if rules.fold_pods:
        first_ship_loss: dict[int, int] = {}
        for one in counted:
            if one.character_id and not one.is_pod:
                first_ship_loss[one.character_id] = min(
                    first_ship_loss.get(one.character_id, one.killmail_time), one.killmail_time
                )
        counted = [
            one
            for one in counted
            if not (
                one.is_pod
                and first_ship_loss.get(one.character_id, one.killmail_time + 1) <= one.killmail_time
            )
        ]
    return Counter(one.affiliation_id for one in counted)
