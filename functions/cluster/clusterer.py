"""New killmails into the battles that they make, in one transaction.

Only the neighbourhood of what arrived is looked at. A battle that grows is told from its totals, its ledger and what is
new; only what joins it is read in full, and where battles merge the largest stays and the others join it. Read on in
`components` (what belongs together), `growing` (what it amounts to), `saving`; and `revaluing` (newer values).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from battlescope.database import Database
from battlescope.killmail import Killmail
from battlescope.telemetry import logger
from cluster.components import choose_bases, components_of
from cluster.engine.rules import Rules
from cluster.growing import battles_of, before_of
from cluster.revaluing import revalue
from cluster.saving import save
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
    largest_kills: int = 0


def cluster(connection: Database, killmails: Sequence[Killmail], rules: Rules) -> Outcome:
    """Store these killmails, and bring the battles of their solar systems up to date. Safe to repeat."""
    if not killmails:
        return Outcome()
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
            revalue(connection, newer, around.stored)
        changed = _grow(connection, fresh, around, rules) if fresh else []
    return Outcome(
        len(fresh),
        len(newer),
        len(conflicts),
        tuple(battle.id for battle in changed),
        max((battle.totals.total_kills for battle in changed), default=0),
    )


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


def _grow(
    connection: Database, fresh: Sequence[Killmail], around: Neighbourhood, rules: Rules
) -> list[StoredBattle]:
    """Store new killmails, and what becomes of the components they fall into; the battles that changed."""
    by_system: dict[int, list[Killmail]] = {}
    for killmail in fresh:
        by_system.setdefault(killmail.solar_system_id, []).append(killmail)
    grown = [
        component
        for system_id, arrived in by_system.items()
        for component in components_of(system_id, arrived, around, rules)
    ]
    choose_bases(connection, grown)
    befores = before_of(connection, grown)
    killmails_store.insert_killmails(
        connection, [(component.id, killmail) for component in grown for killmail in component.fresh]
    )
    outcomes = battles_of(connection, grown, befores, rules)  # while the server stores the killmails
    killmails_store.move_components(
        connection,
        {old: component.id for component in grown for old in component.absorbed if old != component.id},
    )
    save(connection, outcomes)
    return [grown.battle for grown in outcomes]
