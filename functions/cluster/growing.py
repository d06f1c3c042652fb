"""The battles that components are now, told from what they held before and what is new."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from battlescope.database import Database
from cluster.components import Component
from cluster.engine.battle import Totals, battle_id, is_battle
from cluster.engine.ledger import Before, growth
from cluster.engine.roll import Flight, Participation
from cluster.engine.rules import Rules
from cluster.engine.sides import assign
from cluster.store import battles as battles_store
from cluster.store import reading
from cluster.store.rows import StoredBattle


class Grown(NamedTuple):
    """A component that is a battle now: that battle, and who flew what, of what is new and of what has changed."""

    component: Component
    battle: StoredBattle
    flights: Mapping[Flight, Participation]
    changes: Mapping[Flight, Participation]


def before_of(connection: Database, grown: Sequence[Component]) -> dict[int, Before]:
    """What each base holds of those who are on what joins it, by its component; read before what joins it is stored."""
    based = [(component, component.base) for component in grown if component.base is not None]
    if not based:
        return {}
    losses, flights = reading.before(
        connection,
        {
            (base.component_id, killmail.victim.character_id)
            for component, base in based
            for killmail in component.additions
            if killmail.victim.character_id
        },
        {(base.id, pilot) for component, base in based for pilot in component.roll.characters},
    )
    return {
        base.component_id: Before(flights.get(base.id, {}), losses.get(base.component_id, []))
        for _, base in based
    }


def battles_of(
    connection: Database, grown: Sequence[Component], befores: Mapping[int, Before], rules: Rules
) -> list[Grown]:
    """The battles that these components are now; what was a battle and is none any more goes.

    Args:
        connection: in the transaction.
        grown: what gained killmails; none has moved into another component yet.
        befores: as `before_of` tells.
        rules: what is a battle.
    """
    outcomes = []
    dissolved = []
    for component in grown:
        additions = component.additions
        base = component.base
        if base is None:
            if not is_battle(additions, rules):
                continue
            added = growth(additions, rules, roll=component.roll)
            totals = Totals.of(additions, losses=added.losses, pilots=added.pilots)
            ledger = added.ledger
        else:
            added = growth(additions, rules, befores[base.component_id], component.roll)
            totals = base.totals.grown(additions, losses=added.losses, pilots=added.pilots)
            if totals.losses < rules.min_kills:
                dissolved.append(base)
                continue
            ledger = base.ledger + added.ledger
        id_ = battle_id(component.system_id, component.id)
        battle = StoredBattle(id_, component.system_id, component.id, totals, component.revision, ledger, {})
        outcomes.append(Grown(component, told(battle), added.flights, added.changes))
    battles_store.supersede_battles(connection, dissolved)
    battles_store.delete_battles(connection, dissolved)
    return outcomes


def told(battle: StoredBattle) -> StoredBattle:
    """The battle with everybody on the side that its ledger tells of."""
    return battle._replace(placements=assign(battle.ledger.evidence, battle.ledger.pilots).placements)
