"""New killmails into components, and what of the stored ones goes into each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from battlescope.database import Database
from battlescope.killmail import Killmail
from cluster.engine.linking import Linkable, components
from cluster.engine.roll import Roll, roll_of
from cluster.engine.rules import Rules
from cluster.store import battles as battles_store
from cluster.store import reading
from cluster.store.rows import Neighbourhood, StoredBattle


@dataclass
class Component:
    """A component that gained killmails, and what it is made of.

    Attributes:
        system_id: where.
        id: its lowest killmail id.
        absorbed: the stored components in it, its own earlier self included.
        fresh: what arrived.
        base: the largest battle among what was absorbed; one without a ledger (stored before sides were told) is
            made anew instead.
        revision: the highest among the battles absorbed.
        joining: killmails of everything absorbed but the base.
    """

    system_id: int
    id: int
    absorbed: frozenset[int]
    fresh: list[Killmail]
    base: StoredBattle | None = None
    revision: int = 0
    joining: list[Killmail] = field(default_factory=list)

    @cached_property
    def additions(self) -> list[Killmail]:
        """All that the base does not hold yet; known once the base is chosen."""
        return [*self.joining, *self.fresh]

    @cached_property
    def roll(self) -> Roll:
        """Everybody on the additions."""
        return roll_of(self.additions)


def components_of(
    system_id: int, fresh: Sequence[Killmail], around: Neighbourhood, rules: Rules
) -> Iterator[Component]:
    """The components of one system that gained killmails."""
    arrived = {killmail.killmail_id: killmail for killmail in fresh}
    killmails: list[Linkable] = [*around.sightings.get(system_id, ()), *fresh]
    for members in components(killmails, rules, around.component_of):
        new = [arrived[member.killmail_id] for member in members if member.killmail_id in arrived]
        if new:
            known = {around.component_of.get(member.killmail_id, 0) for member in members}
            absorbed = frozenset(known) - {0}
            lowest = min(*absorbed, *(killmail.killmail_id for killmail in new), 1 << 62)
            yield Component(system_id, lowest, absorbed, new)


def choose_bases(connection: Database, grown: Sequence[Component]) -> None:
    """Find each component's largest battle, and read everything else that it absorbs."""
    absorbed = [component_id for component in grown for component_id in component.absorbed]
    if not absorbed:
        return
    battles, loose = reading.battles_and_loose_members(connection, absorbed)
    merging = set(battles)
    superseded: list[StoredBattle] = []
    for component in grown:
        held = [battles[id_] for id_ in component.absorbed if id_ in battles]
        component.base = max(
            (battle for battle in held if battle.ledger.affiliations),
            key=lambda battle: (battle.totals.total_kills, -battle.component_id),
            default=None,
        )
        if component.base is not None:
            merging.remove(component.base.component_id)
        component.revision = max((battle.revision for battle in held), default=0)
        superseded.extend(battle for battle in held if battle.component_id != component.id)
    loose.update(reading.members_of(connection, merging))
    for component in grown:
        component.joining = [killmail for id_ in component.absorbed for killmail in loose.get(id_, ())]
    battles_store.supersede_battles(connection, superseded)
    battles_store.delete_battles(connection, [battles[id_] for id_ in merging])
