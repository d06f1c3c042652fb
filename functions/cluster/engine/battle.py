"""What a component of killmails amounts to: whether it is a battle, its id, its totals, who flew what.

A battle's totals can be told from its killmails (`summarise`), or from the totals before and what came
since (`Totals.grown`): the outcome is the same, and the second costs no more for a long battle than for a short one.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from battlescope.killmail import CAPSULE_TYPE_IDS, Killmail
from cluster.engine.rules import Rules

BATTLE_NAMESPACE = uuid.UUID("b6a7e5c2-6c1f-5d0e-9a53-5f0e1ba77135")
"""Fixed for ever: battle ids are made in it."""


def battle_id(system_id: int, first_killmail_id: int) -> uuid.UUID:
    """The id of the battle in this system whose lowest killmail id this is."""
    return uuid.uuid5(BATTLE_NAMESPACE, f"{system_id}/{first_killmail_id}")


class Loss(NamedTuple):
    """What folding pods needs of a killmail; time in Unix seconds."""

    character_id: int
    killmail_time: int
    is_pod: bool


class Flight(NamedTuple):
    """A character in a ship, on either end of the guns."""

    character_id: int
    ship_type_id: int


class Participation(NamedTuple):
    """In whose name a character flew, and whether the ship was lost."""

    corporation_id: int
    alliance_id: int
    is_victim: bool


class Totals(NamedTuple):
    """A battle's sums. Times in Unix seconds; `losses` has pods folded into their ships."""

    start_time: int
    end_time: int
    total_kills: int
    total_isk_destroyed: int
    losses: int
    pilots: int

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
    times = [killmail.killmail_time for killmail in members]
    return Totals(
        start_time=min(times),
        end_time=max(times),
        total_kills=len(members),
        total_isk_destroyed=sum(killmail.isk_value or 0 for killmail in members),
        losses=count_losses((loss(killmail) for killmail in members), rules),
        pilots=len(characters(members)),
    )


def is_battle(killmails: Sequence[Killmail], rules: Rules) -> bool:
    """Whether a component is a battle: enough losses, and not NPC-only throughout."""
    for killmail in killmails:
        if not killmail.is_npc_only:
            return _has_losses(killmails, rules)
    return False


def _has_losses(killmails: Sequence[Killmail], rules: Rules) -> bool:
    """Whether there are MIN_KILLS losses; ships alone settle it most of the time."""
    if not rules.fold_pods:
        return len(killmails) >= rules.min_kills
    ships = 0
    for killmail in killmails:
        if killmail.victim.ship_type_id not in CAPSULE_TYPE_IDS:
            ships += 1
            if ships == rules.min_kills:
                return True
    return count_losses(map(loss, killmails), rules) >= rules.min_kills


def loss(killmail: Killmail) -> Loss:
    """The killmail as a loss."""
    victim = killmail.victim
    return Loss(victim.character_id, killmail.killmail_time, victim.ship_type_id in CAPSULE_TYPE_IDS)


def count_losses(losses: Iterable[Loss], rules: Rules) -> int:
    """Losses of one component, a pod not counting where its character lost a ship at or before its time."""
    counted = list(losses)
    if not rules.fold_pods:
        return len(counted)
    first_ship_loss: dict[int, int] = {}
    pods: list[Loss] = []
    for one in counted:
        character_id, killmail_time, is_pod = one
        if is_pod:
            pods.append(one)
        elif character_id and killmail_time < first_ship_loss.get(character_id, killmail_time + 1):
            first_ship_loss[character_id] = killmail_time
    folded = 0
    for character_id, killmail_time, _ in pods:
        if first_ship_loss.get(character_id, killmail_time + 1) <= killmail_time:
            folded += 1
    return len(counted) - folded


def characters(killmails: Iterable[Killmail]) -> set[int]:
    """Everybody on these killmails."""
    found: set[int] = set()
    for killmail in killmails:
        found.add(killmail.victim.character_id)
        found.update(attacker.character_id for attacker in killmail.attackers)
    return found - {0}


def participations(killmails: Iterable[Killmail]) -> dict[Flight, Participation]:
    """Who flew what on these killmails, and in whose name."""
    flown: dict[Flight, Participation] = {}
    for killmail in killmails:
        victim = killmail.victim
        if victim.character_id:
            lost = Flight(victim.character_id, victim.ship_type_id)
            seen = Participation(victim.corporation_id, victim.alliance_id, True)
            flown[lost] = merged(flown.get(lost, seen), seen)
        for character_id, corporation_id, alliance_id, ship_type_id, *_ in killmail.attackers:
            if not character_id:
                continue
            flight = Flight(character_id, ship_type_id)
            before = flown.get(flight)
            if before is None or before[0] != corporation_id or before[1] != alliance_id:
                seen = Participation(corporation_id, alliance_id, False)
                flown[flight] = seen if before is None else merged(before, seen)
    return flown


def merged(one: Participation, other: Participation) -> Participation:
    """Two sightings of one character in one ship as one, in whatever order they came.

    A pilot who changes corporation in mid-battle is named by the one with the higher id, the younger one.
    """
    corporation_id, alliance_id = max(one[:2], other[:2])
    return Participation(corporation_id, alliance_id, one.is_victim or other.is_victim)


def entities(killmails: Iterable[Killmail]) -> set[int]:
    """Corporations and alliances on these killmails: of characters, and of what player corporations own."""
    found: set[int] = set()
    for killmail in killmails:
        for character_id, corporation_id, alliance_id, *_ in (killmail.victim, *killmail.attackers):
            if character_id or alliance_id or not 1_000_000 <= corporation_id < 2_000_000:
                found.add(corporation_id)
                found.add(alliance_id)
    return found - {0}
