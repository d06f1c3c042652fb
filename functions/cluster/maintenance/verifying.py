"""A sample of what is stored, held against the engine: whatever differs is told, never mended silently.

Each sample is a neighbourhood: all killmails that anything could link to one battle, or to one moment of a system (which
finds what should be a battle and is none). The engine is run over the whole of it, and every row is compared.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple
from uuid import UUID

from battlescope.database import Database, LazyConnection
from battlescope.telemetry import logger
from cluster.engine.linking import components
from cluster.engine.rules import Rules
from cluster.engine.whole import find_battles
from cluster.maintenance.expected import entity_ids_on, rows_expected
from cluster.maintenance.store import pieces, progress, samples
from cluster.maintenance.store.pieces import Piece
from cluster.maintenance.store.samples import BattleRows
from cluster.store import reading

BATTLES_PER_RUN = 200
SYSTEMS_PER_RUN = 50

STEP = "verify"
SHOWN = 3
"""Rows of each kind in a log line."""

FIRST = UUID(int=0)


class Difference(NamedTuple):
    """A battle whose rows are not what the engine makes, or killmails that are in the wrong component.

    Attributes:
        system_id: where.
        battle_id: which; None where it is about killmails.
        kind: which of its rows.
        expected: some rows that are not stored, as text.
        stored: some rows that should not be.
    """

    system_id: int
    battle_id: UUID | None
    kind: str
    expected: tuple[str, ...]
    stored: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What a call looked at, and what it found."""

    battles: int = 0
    differences: list[Difference] = field(default_factory=list)
    is_done: bool = False

    @property
    def different(self) -> int:
        """How many battles differ, or neighbourhoods whose killmails are in the wrong component."""
        return len({(one.system_id, one.battle_id) for one in self.differences})


def verify(connection: LazyConnection, rules: Rules, remaining_s: Callable[[], float]) -> Tally:
    """Verify the next battles and systems; after the last ones come the first again."""
    battle_id, system_id = connection.run(_resume)
    battles = connection.run(lambda database: samples.battles_after(database, battle_id, BATTLES_PER_RUN))
    tally = Tally()
    for id_, piece in battles:
        if remaining_s() <= 0:
            break
        _add(tally, connection.run(partial(_verify, seed=piece, rules=rules)))
        battle_id = id_
    else:
        battle_id = battle_id if len(battles) == BATTLES_PER_RUN else FIRST
        tally.is_done = True
    for _ in range(SYSTEMS_PER_RUN):
        if remaining_s() <= 0:
            tally.is_done = False
            break
        following = connection.run(partial(pieces.next_system, system_id=system_id))
        if following is None:
            system_id = 0
            break
        system_id = following
        moment = connection.run(partial(samples.some_moment, system_id=system_id))
        if moment is not None:
            seed = Piece(system_id, moment, moment)
            _add(tally, connection.run(partial(_verify, seed=seed, rules=rules)))
    position = {"battle_id": str(battle_id), "system_id": system_id}
    connection.run(lambda database: progress.save(database, STEP, position, is_finished=tally.is_done))
    return tally


def _resume(connection: Database) -> tuple[UUID, int]:
    at = progress.load(connection, STEP)
    if at is None:
        progress.begin(connection, STEP, {"battle_id": str(FIRST), "system_id": 0})
        return FIRST, 0
    return UUID(at.position["battle_id"]), at.position["system_id"]


def _add(tally: Tally, found: tuple[int, list[Difference]]) -> None:
    battles, differences = found
    tally.battles += battles
    new = [one for one in differences if one not in tally.differences]
    tally.differences.extend(new)
    for one in new:
        logger.error("what is stored is not what the engine makes", extra={"difference": one._asdict()})


def _verify(connection: Database, seed: Piece, rules: Rules) -> tuple[int, list[Difference]]:
    """How many battles are in this neighbourhood, and what is wrong with them."""
    with connection.transaction():
        pieces.lock(connection, seed.system_id)  # so that nothing changes between one look and the next
        piece = pieces.closed(connection, seed, rules.reach_s)
        held = pieces.components_in(connection, piece)
        killmails = [killmail for members in held.values() for killmail in members]
        battles = find_battles(killmails, rules)
        stored = {battle.id for battle in reading.battles_of(connection, held).values()}
        ids = stored | {battle.id for battle in battles}
        rows = samples.rows_of(connection, ids, entity_ids_on(killmails))
    differences = list(_differences(piece.system_id, rows_expected(battles), rows))
    linked = {
        min(k.killmail_id for k in found): {k.killmail_id for k in found}
        for found in components(killmails, rules)
    }
    kept = {component_id: {k.killmail_id for k in members} for component_id, members in held.items()}
    if linked != kept:
        differences.append(
            Difference(
                piece.system_id,
                None,
                "components",
                _shown(f"{id_}: {sorted(linked[id_])}" for id_ in linked if kept.get(id_) != linked[id_]),
                _shown(f"{id_}: {sorted(kept[id_])}" for id_ in kept if linked.get(id_) != kept[id_]),
            )
        )
    return len(ids), differences


def _differences(system_id: int, expected: BattleRows, stored: BattleRows) -> Iterable[Difference]:
    for kind, right, held in zip(BattleRows._fields, expected, stored, strict=True):
        wrong = right ^ held
        for battle_id in sorted({row[0] for row in wrong}, key=str):
            yield Difference(
                system_id,
                battle_id if isinstance(battle_id, UUID) else None,
                kind,
                _shown(str(row[1:]) for row in right - held if row[0] == battle_id),
                _shown(str(row[1:]) for row in held - right if row[0] == battle_id),
            )


def _shown(rows: Iterable[str]) -> tuple[str, ...]:
    return tuple(row[:200] for row in sorted(rows)[:SHOWN])
