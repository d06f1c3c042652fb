"""The engine over a whole set of killmails at once: archives, and the measure that stored battles are held against."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from uuid import UUID

from battlescope.evidence import Ledger
from battlescope.killmail import Killmail
from cluster.engine.battle import Totals, battle_id, is_battle, summarise
from cluster.engine.ledger import growth
from cluster.engine.linking import components
from cluster.engine.rules import Rules
from cluster.engine.sides import Sides, assign

_BY_ID = attrgetter("killmail_id")


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

    @cached_property
    def ledger(self) -> Ledger:
        """What its sides are told from."""
        return growth(self.killmails, self.rules).ledger

    @cached_property
    def sides(self) -> Sides:
        """Who was on which side."""
        return assign(self.ledger.evidence, self.ledger.pilots)


def find_battles(killmails: Iterable[Killmail], rules: Rules) -> list[Battle]:
    """All battles in these killmails, by their killmail ids; of a killmail given twice the newest upload counts."""
    by_system: dict[int, list[Killmail]] = {}
    for killmail in _newest(killmails):
        try:
            by_system[killmail.solar_system_id].append(killmail)
        except KeyError:
            by_system[killmail.solar_system_id] = [killmail]
    battles = [
        Battle(system_id=system_id, killmails=tuple(sorted(members, key=_BY_ID)), rules=rules)
        for system_id, held in by_system.items()
        if len(held) >= rules.min_kills
        for members in components(held, rules)
        if len(members) >= rules.min_kills and is_battle(members, rules)
    ]
    return sorted(battles, key=lambda battle: [killmail.killmail_id for killmail in battle.killmails])


def digest(members: Iterable[Sequence[int]]) -> str:
    """A name for a set of battles, told from their ascending killmail ids alone.

    The sha256 of one line per battle, its ids joined by commas, the lines sorted by their ids as numbers.
    """
    lines = (",".join(map(str, ids)) for ids in sorted(map(tuple, members)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _newest(killmails: Iterable[Killmail]) -> Iterable[Killmail]:
    given = list(killmails)
    newest = {killmail.killmail_id: killmail for killmail in given}
    if len(newest) < len(given):
        for killmail in given:
            if killmail.version > newest[killmail.killmail_id].version:
                newest[killmail.killmail_id] = killmail
    return newest.values()
