"""The engine over a whole set of killmails at once: archives, and the measure that stored battles are held against."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from battlescope.killmail import Killmail
from cluster.engine.battle import Totals, battle_id, is_battle, summarise
from cluster.engine.linking import Sighting, components
from cluster.engine.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Battle:
    """A battle; its killmails by ascending id."""

    system_id: int
    killmails: tuple[Killmail, ...]
    rules: Rules

    @property
    def id(self) -> UUID:
        """Told from system and lowest killmail id."""
        return battle_id(self.system_id, self.killmails[0].killmail_id)

    @cached_property
    def totals(self) -> Totals:
        """Its sums."""
        return summarise(self.killmails, self.rules)


def find_battles(killmails: Iterable[Killmail], rules: Rules) -> list[Battle]:
    """All battles in these killmails, by their killmail ids; of a killmail given twice the newest upload counts."""
    newest: dict[int, Killmail] = {}
    for killmail in killmails:
        held = newest.get(killmail.killmail_id)
        if held is None or killmail.version > held.version:
            newest[killmail.killmail_id] = killmail
    by_system: dict[int, list[Killmail]] = {}
    for killmail in newest.values():
        by_system.setdefault(killmail.solar_system_id, []).append(killmail)
    battles = [battle for system_id, held in by_system.items() for battle in _battles(system_id, held, rules)]
    return sorted(battles, key=lambda battle: [killmail.killmail_id for killmail in battle.killmails])


def digest(members: Iterable[Sequence[int]]) -> str:
    """A name for a set of battles, told from their ascending killmail ids alone.

    The sha256 of one line per battle, its ids joined by commas, the lines sorted by their ids as numbers.
    """
    lines = (",".join(map(str, ids)) for ids in sorted(map(tuple, members)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _battles(system_id: int, killmails: Sequence[Killmail], rules: Rules) -> Iterable[Battle]:
    if len(killmails) < rules.min_kills:
        return
    by_id = {killmail.killmail_id: killmail for killmail in killmails}
    sightings = [
        Sighting(killmail.killmail_time, killmail.killmail_id, killmail.parties) for killmail in killmails
    ]
    for component in components(sightings, rules):
        if len(component) < rules.min_kills:
            continue
        members = tuple(by_id[killmail_id] for killmail_id in sorted(sighting[1] for sighting in component))
        if is_battle(members, rules):
            yield Battle(system_id=system_id, killmails=members, rules=rules)
