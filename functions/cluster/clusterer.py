"""New killmails into the battles that they make, in one transaction.

Only the neighbourhood of what arrived is looked at. A battle that grows is told from its totals and from what is
new; only what joins it is read in full, and where battles merge the largest stays and the others join it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from battlescope.database import Database
from battlescope.killmail import Killmail
from battlescope.telemetry import logger
from cluster.engine.battle import (
    Loss,
    battle_id,
    characters,
    count_losses,
    entities,
    is_battle,
    loss,
    participations,
    summarise,
)
from cluster.engine.linking import Linkable, components
from cluster.engine.rules import Rules
from cluster.store import battles as battles_store
from cluster.store import killmails as killmails_store
from cluster.store import reading
from cluster.store.rows import Neighbourhood, StoredBattle, StoredKillmail


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call changed."""

    stored: int = 0
    revalued: int = 0
    conflicts: int = 0
    battles: tuple[UUID, ...] = ()


@dataclass(slots=True)
class _Component:
    """A component that gained killmails, and what it is made of.

    Attributes:
        system_id: where.
        id: its lowest killmail id.
        absorbed: the stored components in it, its own earlier self included.
        fresh: what arrived.
        base: the largest battle among what was absorbed.
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

    @property
    def additions(self) -> list[Killmail]:
        """All that the base does not hold yet."""
        return [*self.joining, *self.fresh]


def cluster(connection: Database, killmails: Sequence[Killmail], rules: Rules) -> Outcome:
    """Store these killmails, and bring the battles of their solar systems up to date. Safe to repeat."""
    with connection.pipeline(), connection.transaction():
        reach_s = max(rules.party_reach_s, rules.any_reach_s or 0)
        around = reading.look_around(connection, killmails, reach_s)
        fresh, newer, conflicts = _sort(killmails, around.stored)
        for killmail, reason in conflicts:
            logger.error(
                reason, extra={"killmail_id": killmail.killmail_id, "system_id": killmail.solar_system_id}
            )
            killmails_store.reject(connection, killmail, reason)
        if newer:
            _revalue(connection, newer, around.stored)
        changed = _grow(connection, fresh, around, rules) if fresh else []
    return Outcome(len(fresh), len(newer), len(conflicts), tuple(changed))


def _sort(
    killmails: Iterable[Killmail], stored: dict[int, StoredKillmail]
) -> tuple[list[Killmail], list[Killmail], list[tuple[Killmail, str]]]:
    """Arrivals as new ones, newer uploads of stored ones, and those that contradict what is stored."""
    newest: dict[int, Killmail] = {}
    conflicts = []
    for killmail in killmails:
        held = newest.get(killmail.killmail_id) or stored.get(killmail.killmail_id)
        if held is not None and held.killmail_hash != killmail.killmail_hash:
            reason = (
                f"killmail {killmail.killmail_id} is known with hash {held.killmail_hash}, "
                f"and came with hash {killmail.killmail_hash}"
            )
            conflicts.append((killmail, reason))
        elif held is None or killmail.version > held.version:
            newest[killmail.killmail_id] = killmail
    fresh = [killmail for killmail in newest.values() if killmail.killmail_id not in stored]
    newer = [
        killmail
        for killmail in newest.values()
        if killmail.killmail_id in stored and killmail.version > stored[killmail.killmail_id].version
    ]
    return fresh, newer, conflicts


def _revalue(connection: Database, newer: Sequence[Killmail], stored: dict[int, StoredKillmail]) -> None:
    changes: dict[UUID, dict[int, int]] = {}
    for killmail in newer:
        held = stored[killmail.killmail_id]
        change = (killmail.isk_value or 0) - (held.isk_value or 0)
        changes.setdefault(battle_id(held.system_id, held.component_id), {})[killmail.killmail_id] = change
    killmails_store.revalue(connection, newer, changes)


def _grow(connection: Database, fresh: Sequence[Killmail], around: Neighbourhood, rules: Rules) -> list[UUID]:
    """Store new killmails, and what becomes of the components they fall into; the battles that changed."""
    by_system: dict[int, list[Killmail]] = {}
    for killmail in fresh:
        by_system.setdefault(killmail.solar_system_id, []).append(killmail)
    grown = [
        component
        for system_id, arrived in by_system.items()
        for component in _components(system_id, arrived, around, rules)
    ]
    _choose_bases(connection, grown)
    battles = _totals(connection, grown, rules)  # from what was stored before
    killmails_store.insert_killmails(
        connection, [(component.id, killmail) for component in grown for killmail in component.fresh]
    )
    killmails_store.move_components(
        connection,
        {old: component.id for component in grown for old in component.absorbed if old != component.id},
    )
    _save(connection, [(component, battles[component.id]) for component in grown if component.id in battles])
    return [battle.id for battle in battles.values()]


def _components(
    system_id: int, fresh: Sequence[Killmail], around: Neighbourhood, rules: Rules
) -> Iterator[_Component]:
    """The components of one system that gained killmails."""
    arrived = {killmail.killmail_id: killmail for killmail in fresh}
    killmails: list[Linkable] = [*around.sightings.get(system_id, ()), *fresh]
    for members in components(killmails, rules, around.component_of):
        new = [arrived[member.killmail_id] for member in members if member.killmail_id in arrived]
        if new:
            known = {around.component_of.get(member.killmail_id, 0) for member in members}
            absorbed = frozenset(known) - {0}
            lowest = min(*absorbed, *(killmail.killmail_id for killmail in new), 1 << 62)
            yield _Component(system_id, lowest, absorbed, new)


def _choose_bases(connection: Database, grown: Sequence[_Component]) -> None:
    """Find each component's largest battle, and read everything else that it absorbs."""
    absorbed = [component_id for component in grown for component_id in component.absorbed]
    if not absorbed:
        return
    battles, loose = reading.battles_and_loose_members(connection, absorbed)
    bases = {
        component.id: max(held, key=lambda battle: (battle.totals.total_kills, -battle.component_id))
        for component in grown
        if (held := [battles[id_] for id_ in component.absorbed if id_ in battles])
    }
    merging = set(battles) - {base.component_id for base in bases.values()}
    loose.update(reading.members_of(connection, merging))
    superseded: list[StoredBattle] = []
    for component in grown:
        component.base = bases.get(component.id)
        component.joining = [killmail for id_ in component.absorbed for killmail in loose.get(id_, ())]
    for component in grown:
        held = [battles[id_] for id_ in component.absorbed if id_ in battles]
        component.revision = max((battle.revision for battle in held), default=0)
        superseded.extend(battle for battle in held if battle.component_id != component.id)
    battles_store.supersede_battles(connection, superseded)
    battles_store.delete_battles(connection, [battles[id_] for id_ in merging])


def _totals(connection: Database, grown: Sequence[_Component], rules: Rules) -> dict[int, StoredBattle]:
    """The battles that these components are now, by component; what was a battle and is none any more goes."""
    based = [(component, component.base) for component in grown if component.base is not None]
    prior_losses, present = _before(connection, based)
    battles = {}
    dissolved = []
    for component in grown:
        additions = component.additions
        if component.base is None:
            totals = summarise(additions, rules) if is_battle(additions, rules) else None
        else:
            base = component.base
            earlier = prior_losses.get(base.component_id, [])
            later = [*earlier, *map(loss, additions)]
            totals = base.totals.grown(
                additions,
                losses=count_losses(later, rules) - count_losses(earlier, rules),
                pilots=len({(base.id, pilot) for pilot in characters(additions)} - present),
            )
            if totals.losses < rules.min_kills:
                dissolved.append(base)
                totals = None
        if totals is not None:
            id_ = battle_id(component.system_id, component.id)
            battles[component.id] = StoredBattle(
                id_, component.system_id, component.id, totals, component.revision
            )
    battles_store.supersede_battles(connection, dissolved)
    battles_store.delete_battles(connection, dissolved)
    return battles


def _before(
    connection: Database, based: Sequence[tuple[_Component, StoredBattle]]
) -> tuple[dict[int, list[Loss]], set[tuple[UUID, int]]]:
    if not based:
        return {}, set()
    return reading.prior_losses_and_pilots(
        connection,
        {
            (base.component_id, killmail.victim.character_id)
            for component, base in based
            for killmail in component.additions
            if killmail.victim.character_id
        },
        {(base.id, pilot) for component, base in based for pilot in characters(component.additions)},
    )


def _save(connection: Database, changed: Sequence[tuple[_Component, StoredBattle]]) -> None:
    if not changed:
        return
    for component, battle in changed:
        if component.base is not None and component.base.id != battle.id:
            battles_store.rename_battle(connection, component.base.id, battle.id, battle.component_id)
    battles_store.save_battles(connection, [battle for _, battle in changed])
    added = [(str(battle.id), component.additions) for component, battle in changed]
    battles_store.add_members(
        connection, [(id_, killmail) for id_, killmails in added for killmail in killmails]
    )
    battles_store.add_participants(
        connection,
        [
            (id_, flight, seen)
            for id_, killmails in added
            for flight, seen in participations(killmails).items()
        ],
    )
    battles_store.add_entities(
        connection, [(id_, entity) for id_, killmails in added for entity in entities(killmails)]
    )
