"""Which killmails of one solar system belong together.

A link is a matter of two killmails, a component of the whole set, so neither order nor batching can change the
outcome. It is enough to link each killmail to the latest earlier one that shares a party: all others in reach are
linked to that one already.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from cluster.engine.rules import Rules


class Sighting(NamedTuple):
    """What linking needs of a killmail.

    `component_id` is the component it is known to belong to, 0 where it is new. Time in Unix seconds.
    """

    killmail_time: int
    killmail_id: int
    parties: Collection[int]
    component_id: int = 0


def components(sightings: Iterable[Sighting], rules: Rules) -> list[list[Sighting]]:
    """The connected components of one system's sightings, each in time order.

    Sightings of one known component are together from the start, whether or not the killmails that link them are
    given: so a neighbourhood of new killmails is enough to place them.
    """
    ordered = sorted(sightings)
    parents = list(range(len(ordered)))
    latest: dict[int, int] = {}
    known: dict[int, int] = {}
    party_reach_s = rules.party_reach_s
    any_reach_s = rules.any_reach_s
    for index, (killmail_time, _, parties, component_id) in enumerate(ordered):
        linked = {
            earlier
            for party in parties
            if (earlier := latest.get(party)) is not None
            and killmail_time - ordered[earlier].killmail_time <= party_reach_s
        }
        if component_id:
            linked.add(known.setdefault(component_id, index))
        if (
            any_reach_s is not None
            and index
            and killmail_time - ordered[index - 1].killmail_time <= any_reach_s
        ):
            linked.add(index - 1)
        root = index
        for earlier in linked:
            other = _root(parents, earlier)
            parents[root] = other
            root = other
        latest.update(dict.fromkeys(parties, index))
    members: dict[int, list[Sighting]] = {}
    for index, sighting in enumerate(ordered):
        members.setdefault(_root(parents, index), []).append(sighting)
    return list(members.values())


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = index = parents[parents[index]]
    return index
