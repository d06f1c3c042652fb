"""The engine over a whole set of killmails at once: archives, and the measure that stored battles are held against."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from battlescope.evidence import Ledger
from battlescope.killmail import Killmail
from cluster.engine.battle import Totals, battle_id, is_battle, summarise
from cluster.engine.ledger import growth
from cluster.engine.linking import components
from cluster.engine.rules import Rules
from cluster.engine.sides import Sides, assign

_BY_ID = attrgetter("killmail_id")


class Battle(NamedTuple):
    """A battle; its killmails by ascending id."""

    system_id: int
    killmails: tuple[Killmail, ...]
    rules: Rules

    @property
    def id(self) -> UUID:
        """Told from system and lowest killmail id."""
        return battle_id(self.system_id, self.killmails[0].killmail_id)

    @property
    def totals(self) -> Totals:
        """Its sums, worked out at every call."""
        return summarise(self.killmails, self.rules)

    @property
    def ledger(self) -> Ledger:
        """What its sides are told from, worked out at every call."""
        return growth(self.killmails, self.rules).ledger

    @property
    def sides(self) -> Sides:
        """Who was on which side, worked out at every call."""
        ledger = self.ledger
        return assign(ledger.evidence, ledger.pilots)


def find_battles(killmails: Iterable[Killmail], rules: Rules) -> list[Battle]:
    """All battles in these killmails, by lowest killmail id; of a killmail given twice the newest upload counts."""
    by_system: defaultdict[int, list[Killmail]] = defaultdict(list)
    for killmail in _newest(killmails):
        by_system[killmail.solar_system_id].append(killmail)
    min_kills = rules.min_kills
    battles = [
        Battle(system_id, tuple(sorted(members, key=_BY_ID)), rules)
        for system_id, held in by_system.items()
        if len(held) >= min_kills
        for members in components(held, rules)
        if len(members) >= min_kills and is_battle(members, rules)
    ]
    battles.sort(key=lambda battle: battle.killmails[0].killmail_id)
    return battles


def digest(members: Iterable[Sequence[int]]) -> str:
    """A name for a set of battles, told from their ascending killmail ids alone.

    The sha256 of one line per battle, its ids joined by commas, the lines sorted by their ids as numbers.
    """
    lines = (",".join(map(str, ids)) for ids in sorted(map(tuple, members)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _newest(killmails: Iterable[Killmail]) -> Iterable[Killmail]:
    given = list(killmails)
    if len(set(map(_BY_ID, given))) == len(given):
        return given
    newest = {killmail.killmail_id: killmail for killmail in given}
    for killmail in given:
        if killmail.version > newest[killmail.killmail_id].version:
            newest[killmail.killmail_id] = killmail
    return newest.values()
