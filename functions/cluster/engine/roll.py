"""The roll of killmails: everybody who was on them, in whose name, and in what.

In a fight the same pilots are on one killmail after the other; so each is looked at once, and not once per killmail.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from battlescope.evidence import KINDS, Kind
from battlescope.killmail import Killmail, affiliation_id, is_player_corporation

type Seen = tuple[int, int, int, int]
"""Character, corporation, alliance and ship type; 0 for what there is none of."""


class Flight(NamedTuple):
    """A character in a ship, on either end of the guns."""

    character_id: int
    ship_type_id: int


class Participation(NamedTuple):
    """In whose name a character flew, and whether the ship was lost."""

    corporation_id: int
    alliance_id: int
    is_victim: bool


@dataclass(frozen=True)
class Roll:
    """Everybody on some killmails, once for each ship and each name that they flew in.

    Attributes:
        victims: who lost what.
        attackers: who shot with what.
    """

    victims: set[Seen]
    attackers: set[Seen]

    @cached_property
    def characters(self) -> set[int]:
        """All pilots."""
        return {seen[0] for everybody in (self.victims, self.attackers) for seen in everybody} - {0}

    @cached_property
    def flights(self) -> dict[Flight, Participation]:
        """Who flew what, and in whose name."""
        flown: dict[Flight, Participation] = {}
        for everybody, is_victim in ((self.attackers, False), (self.victims, True)):
            for character_id, corporation_id, alliance_id, ship_type_id in everybody:
                if character_id:
                    flight = Flight(character_id, ship_type_id)
                    seen = Participation(corporation_id, alliance_id, is_victim)
                    before = flown.get(flight)
                    flown[flight] = seen if before is None else merged(before, seen)
        return flown

    @cached_property
    def entities(self) -> set[int]:
        """Corporations and alliances: of characters, and of what player corporations own."""
        names = {seen[:3] for everybody in (self.victims, self.attackers) for seen in everybody}
        found = {alliance_id for _, _, alliance_id in names}
        found.update(
            corporation_id
            for character_id, corporation_id, alliance_id in names
            if character_id or alliance_id or is_player_corporation(corporation_id)
        )
        return found - {0}

    @cached_property
    def affiliations(self) -> dict[int, Kind]:
        """The affiliations of pilots, and of whoever lost something; NPCs have none."""
        names = {seen[1:3] for seen in self.attackers if seen[0]}
        names.update(seen[1:3] for seen in self.victims)
        kinds: dict[int, Kind] = {}
        for corporation_id, alliance_id in names:
            if affiliation := affiliation_id(corporation_id, alliance_id):
                kinds[affiliation] = KINDS[0] if alliance_id else KINDS[1]
        for everybody in (self.victims, self.attackers):
            for character_id, corporation_id, alliance_id, _ in everybody:
                if character_id and not affiliation_id(corporation_id, alliance_id):
                    kinds[character_id] = KINDS[2]
        return kinds


def roll_of(killmails: Iterable[Killmail]) -> Roll:
    """Everybody on these killmails."""
    victims: set[Seen] = set()
    attackers: set[Seen] = set()
    for killmail in killmails:
        victims.add(killmail.victim[:4])
        attackers.update([attacker[:4] for attacker in killmail.attackers])
    return Roll(victims, attackers)


def merged(one: Participation, other: Participation) -> Participation:
    """Two sightings of one character in one ship as one, in whatever order they came.

    A pilot who changes corporation in mid-battle is named by the one with the higher id, the younger one.
    """
    corporation_id, alliance_id = max(one[:2], other[:2])
    return Participation(corporation_id, alliance_id, one.is_victim or other.is_victim)
