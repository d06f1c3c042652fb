"""Which killmails of one solar system belong together.

A link is a matter of two killmails, a component of the whole set, so neither order nor batching can change the
outcome. Killmails are taken in time order; each joins the components that hold a killmail in reach with which it
shares a party. Most share one with the latest killmail of their component, so one look at two small sets settles it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cluster.engine.rules import Rules


class Sighting(NamedTuple):
    """What linking needs of a killmail.

    `component_id` is the component it is known to belong to, 0 where it is new. Time in Unix seconds.
    """

    killmail_time: int
    killmail_id: int
    parties: frozenset[int]
    component_id: int = 0


class _Component:
    """Sightings that are linked, in time order, and the parties of the first `counted` of them."""

    __slots__ = ("counted", "members", "parties")

    def __init__(self, members: list[Sighting]) -> None:
        self.members = members
        self.parties: set[int] = set()
        self.counted = 0

    def shares(self, parties: frozenset[int], since: int) -> bool:
        """Whether any member at or after `since` has one of these parties."""
        for member in self.members[self.counted :]:
            self.parties.update(member.parties)
        self.counted = len(self.members)
        if self.parties.isdisjoint(parties):
            return False
        for member in reversed(self.members):
            if member.killmail_time < since:
                return False
            if not member.parties.isdisjoint(parties):
                return True
        return False

    def absorb(self, other: "_Component") -> None:
        """Take over another component's members."""
        self.members = sorted(self.members + other.members)
        self.parties = set()
        self.counted = 0


def components(sightings: Iterable[Sighting], rules: Rules) -> list[list[Sighting]]:
    """The connected components of one system's sightings, each in time order.

    Sightings of one known component are together from the start, whether or not the killmails that link them are
    given: so a neighbourhood of new killmails is enough to place them.
    """
    ordered = sorted(sightings)
    if len(ordered) == 1:
        return [ordered]
    found = _linked(ordered, rules.party_reach_s, rules.any_reach_s)
    if any(sighting.component_id for sighting in ordered):
        found = _joined_by_component(found)
    return found


def _linked(ordered: Sequence[Sighting], party_reach_s: int, any_reach_s: int | None) -> list[list[Sighting]]:
    closed: list[list[Sighting]] = []
    near: list[_Component] = []  # those with a member that is still in reach
    reach_s = party_reach_s if any_reach_s is None else max(party_reach_s, any_reach_s)
    for sighting in ordered:
        now, _, parties, _ = sighting
        home: _Component | None = None
        kept: list[_Component] = []
        for component in near:
            latest = component.members[-1]
            apart_s = now - latest.killmail_time
            if apart_s > reach_s:
                closed.append(component.members)
            elif (
                (any_reach_s is None or apart_s > any_reach_s)
                and (apart_s > party_reach_s or latest.parties.isdisjoint(parties))
                and not component.shares(parties, now - party_reach_s)
            ):
                kept.append(component)
            elif home is None:
                home = component
                kept.append(component)
            else:
                home.absorb(component)
        if home is None:
            kept.append(_Component([sighting]))
        else:
            home.members.append(sighting)
        near = kept
    return closed + [component.members for component in near]


def _joined_by_component(found: Iterable[list[Sighting]]) -> list[list[Sighting]]:
    """Components that hold sightings of one known component, as one."""
    joined: list[list[Sighting]] = []
    home_of: dict[int, list[Sighting]] = {}
    for members in found:
        homes = {
            id(home): home
            for sighting in members
            if sighting.component_id and (home := home_of.get(sighting.component_id)) is not None
        }
        for home in homes.values():
            members.extend(home)
            joined = [other for other in joined if other is not home]
        members.sort()
        joined.append(members)
        home_of.update((sighting.component_id, members) for sighting in members if sighting.component_id)
    return joined
