"""Which killmails of one solar system belong together.

A link is a matter of two killmails, a component of the whole set, so neither order nor batching can change the
outcome. Killmails are taken in time order, and cut into runs where nothing reaches from one to the next. Most runs
are one killmail, or a chain in which each is linked to the one before, and are one component as they stand. In the
others each killmail joins the components that hold a killmail in reach to which it is linked.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple, Protocol

from cluster.engine.rules import Rules


class Linkable(Protocol):
    """What linking needs of a killmail; a `Killmail` is one. Time in Unix seconds."""

    @property
    def killmail_time(self) -> int: ...
    @property
    def killmail_id(self) -> int: ...
    @property
    def parties(self) -> frozenset[int]: ...


class Sighting(NamedTuple):
    """A killmail of which no more is known, or needed, than linking needs."""

    killmail_time: int
    killmail_id: int
    parties: frozenset[int]


_IN_TIME_ORDER = attrgetter("killmail_time")


class _Component[L: Linkable]:
    """Killmails that are linked, in time order, and the parties of the first `counted` of them."""

    __slots__ = ("counted", "members", "parties")

    def __init__(self, members: list[L]) -> None:
        self.members = members
        self.parties: set[int] = set()
        self.counted = 0

    def shares(self, parties: frozenset[int], since: int) -> bool:
        """Whether any member but the latest, at or after `since`, has one of these parties."""
        if len(self.members) == 1:
            return False
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

    def absorb(self, other: "_Component[L]") -> None:
        """Take over another component's members."""
        self.members = sorted(self.members + other.members, key=_IN_TIME_ORDER)
        self.parties = set()
        self.counted = 0


def components[L: Linkable](
    killmails: Iterable[L], rules: Rules, component_of: Mapping[int, int] | None = None
) -> list[list[L]]:
    """The connected components of one system's killmails, each in time order.

    Args:
        killmails: of one solar system.
        rules: what links two of them.
        component_of: what is known of some of them, by killmail id. Killmails of one known component are together
            from the start, whether or not the killmails that link them are given: so a neighbourhood of new
            killmails is enough to place them.
    """
    party_reach_s, any_reach_s = rules.party_reach_s, rules.any_reach_s
    reach_s = party_reach_s if any_reach_s is None else max(party_reach_s, any_reach_s)
    found: list[list[L]] = []
    for run in _runs(sorted(killmails, key=_IN_TIME_ORDER), reach_s):
        if len(run) == 1 or _is_chain(run, any_reach_s):
            found.append(run)
        else:
            found += _linked(run, party_reach_s, any_reach_s, reach_s)
    return _joined(found, component_of) if component_of else found


def _runs[L: Linkable](ordered: Iterable[L], reach_s: int) -> list[list[L]]:
    """Killmails in time order, cut wherever nothing reaches from one to the next."""
    runs: list[list[L]] = []
    cut = -1  # the time after which the latest run reaches no further
    for killmail in ordered:
        now = killmail.killmail_time
        if now > cut:
            run = [killmail]
            runs.append(run)
        else:
            run.append(killmail)
        cut = now + reach_s
    return runs


def _is_chain[L: Linkable](run: list[L], any_reach_s: int | None) -> bool:
    """Whether each killmail of a run is linked to the one before: most runs are so, and are one component."""
    killmails = iter(run)
    latest = next(killmails)
    parties = latest.parties
    for killmail in killmails:
        before, parties = parties, killmail.parties
        if parties.isdisjoint(before) and (
            any_reach_s is None or killmail.killmail_time - latest.killmail_time > any_reach_s
        ):
            return False
        latest = killmail
    return True


def _linked[L: Linkable](
    run: Iterable[L], party_reach_s: int, any_reach_s: int | None, reach_s: int
) -> list[list[L]]:
    closed: list[list[L]] = []
    near: list[_Component[L]] = []  # those with a member that is still in reach
    for killmail in run:
        now = killmail.killmail_time
        parties = killmail.parties
        home: _Component[L] | None = None
        gone: list[_Component[L]] = []
        for component in near:
            latest = component.members[-1]
            apart_s = now - latest.killmail_time
            if apart_s > reach_s:
                closed.append(component.members)
                gone.append(component)
            elif (
                (any_reach_s is None or apart_s > any_reach_s)
                and (apart_s > party_reach_s or latest.parties.isdisjoint(parties))
                and not component.shares(parties, now - party_reach_s)
            ):
                continue
            elif home is None:
                home = component
            else:
                home.absorb(component)
                gone.append(component)
        for component in gone:
            near.remove(component)
        if home is None:
            near.append(_Component([killmail]))
        else:
            home.members.append(killmail)
    return closed + [component.members for component in near]


def _joined[L: Linkable](found: Iterable[list[L]], component_of: Mapping[int, int]) -> list[list[L]]:
    """Components that hold killmails of one known component, as one."""
    joined: dict[int, list[L]] = {}
    home_of: dict[int, list[L]] = {}
    for members in found:
        known = {
            component_of[killmail.killmail_id] for killmail in members if killmail.killmail_id in component_of
        }
        homes = {id(home): home for component_id in known if (home := home_of.get(component_id)) is not None}
        for home in homes.values():
            members.extend(home)
            del joined[id(home)]
            known.update(component_of[k.killmail_id] for k in home if k.killmail_id in component_of)
        members.sort(key=_IN_TIME_ORDER)
        joined[id(members)] = members
        home_of.update(dict.fromkeys(known, members))
    return list(joined.values())
