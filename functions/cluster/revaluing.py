"""Newer values of stored killmails, and what they change of the battles that these are in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from battlescope.database import Database
from battlescope.killmail import Killmail
from cluster.engine.ledger import revaluation
from cluster.growing import told
from cluster.saving import save_sides
from cluster.store import battles as battles_store
from cluster.store import killmails as killmails_store
from cluster.store import reading
from cluster.store.rows import StoredBattle, StoredKillmail


def revalue(connection: Database, newer: Sequence[Killmail], stored: Mapping[int, StoredKillmail]) -> None:
    """Give stored killmails a new value, and their battles what that changes: totals, evidence and sides."""
    killmails_store.revalue(connection, newer)
    changed: dict[int, list[Killmail]] = {}
    for killmail in newer:
        held = stored[killmail.killmail_id]
        if killmail.isk_value != held.isk_value:
            changed.setdefault(held.component_id, []).append(killmail)
    battles = reading.battles_of(connection, changed) if changed else {}
    revalued: list[tuple[StoredBattle, StoredBattle]] = []
    for component_id, battle in battles.items():
        ledger = battle.ledger
        isk = battle.totals.total_isk_destroyed
        for killmail in changed[component_id]:
            older = replace(killmail, isk_value=stored[killmail.killmail_id].isk_value)
            isk += (killmail.isk_value or 0) - (older.isk_value or 0)
            if ledger.affiliations:
                ledger += revaluation(older, killmail)
        totals = battle.totals._replace(total_isk_destroyed=isk)
        revalued.append((battle, told(battle._replace(totals=totals, ledger=ledger))))
    if revalued:
        battles_store.save_battles(connection, [battle for _, battle in revalued])
        save_sides(connection, revalued)
        battles_store.revalue_members(
            connection, [(battles[id_].id, killmail) for id_ in battles for killmail in changed[id_]]
        )
