"""Battles made anew from their killmails: after a change of the rules, or of the engine.

System by system and piece by piece, each wholly in a transaction under the system's lock. What comes out is what the live path
would have made of the same killmails under the present rules, through the same functions; a battle that comes out as it
is stored is not touched. An id that is no battle's any more becomes an alias.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple, Self

from battlescope.database import Database, LazyConnection
from battlescope.killmail import Killmail
from cluster.components import Component
from cluster.engine.linking import components
from cluster.engine.rules import Rules
from cluster.growing import Grown, battles_of
from cluster.maintenance.store import clustering, pieces, progress
from cluster.maintenance.store.pieces import Piece
from cluster.saving import save
from cluster.store import battles as battles_store
from cluster.store import reading
from cluster.store.rows import StoredBattle

KILLMAILS_AT_ONCE = 500
"""About so many are in hand at a time, if the system's history can be cut there: the live path waits meanwhile."""

EVERYTHING = "recluster"
"""The step's name; that of a window has its days behind it."""

LAST_SECOND = 1 << 38
"""Later than any killmail, in Unix seconds; PostgreSQL still has a timestamp for it."""


class Window(NamedTuple):
    """Days from `first` to `last`, both included, UTC."""

    first: date
    last: date

    @property
    def span(self) -> tuple[int, int]:
        """First and last second, in Unix seconds."""
        since = datetime.combine(self.first, time(), UTC)
        until = datetime.combine(self.last + timedelta(days=1), time(), UTC)
        return int(since.timestamp()), int(until.timestamp()) - 1


@dataclass(frozen=True, slots=True)
class Tally:
    """What a call did.

    Attributes:
        killmails: looked at.
        changed: battles that are other than before, or new.
        removed: battles that are none any more.
        is_done: whether nothing is left to do.
    """

    killmails: int = 0
    changed: int = 0
    removed: int = 0
    is_done: bool = False

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return replace(
            self,
            killmails=self.killmails + other.killmails,
            changed=self.changed + other.changed,
            removed=self.removed + other.removed,
        )


def is_due(connection: Database, rules: Rules) -> bool:
    """Whether something stored may have been made under other rules."""
    at = progress.load(connection, EVERYTHING)
    return at is None or not at.is_finished or at.position["rules"] != rules.fingerprint


def recluster(
    connection: LazyConnection, rules: Rules, window: Window | None, remaining_s: Callable[[], float]
) -> Tally:
    """Make all battles anew, or those that reach into a window; goes on where an earlier call ran out of time."""
    step = EVERYTHING if window is None else f"{EVERYTHING} {window.first}..{window.last}"
    since, until = (0, LAST_SECOND) if window is None else window.span
    tally = Tally()
    wanted = connection.run(lambda database: _resume(database, step, rules, since, until))
    while remaining_s() > 0:
        following, done = connection.run(partial(_next, step=step, rules=rules, wanted=wanted, since=since))
        tally += done
        if following is None:
            return replace(tally, is_done=True)
        wanted = following
    return tally


def _resume(connection: Database, step: str, rules: Rules, since: int, until: int) -> Piece:
    """Where to go on: at the beginning, unless an earlier call under the same rules was not done."""
    at = progress.load(connection, step)
    if at is None or at.is_finished or at.position["rules"] != rules.fingerprint:
        progress.begin(connection, step, _position(rules, 0, since))
        return Piece(0, since, until)
    return Piece(at.position["system_id"], at.position["since"], until)


def _position(rules: Rules, system_id: int, since: int) -> dict[str, str | int]:
    return {"rules": rules.fingerprint, "system_id": system_id, "since": since}


def _next(
    connection: Database, step: str, rules: Rules, wanted: Piece, since: int
) -> tuple[Piece | None, Tally]:
    """Make the next pieces anew, in one transaction; where to go on then, None at the end.

    Small systems go together. Their locks are taken in the order of their ids, as everywhere.
    """
    done = Tally()
    following: Piece | None = wanted
    with connection.transaction():
        while following is not None and done.killmails < KILLMAILS_AT_ONCE:
            wanted = following
            pieces.lock(connection, wanted.system_id)
            piece = pieces.next_piece(connection, wanted, rules.reach_s, KILLMAILS_AT_ONCE)
            if piece is not None:
                following = wanted._replace(since=piece.until + 1)
                done += recluster_piece(connection, piece, rules)
            else:
                system_id = pieces.next_system(connection, wanted.system_id)
                following = None if system_id is None else Piece(system_id, since, wanted.until)
        at = following or wanted
        position = _position(rules, at.system_id, at.since)
        progress.save(connection, step, position, is_finished=following is None)
    return following, done


def recluster_piece(connection: Database, piece: Piece, rules: Rules) -> Tally:
    """Make the battles of a piece anew, in the caller's transaction, which has locked the system."""
    stored = pieces.components_in(connection, piece)
    battles = reading.battles_of(connection, stored)
    found = _components(piece.system_id, stored, battles, rules)
    outcomes = {grown.component.id: grown for grown in battles_of(connection, found, {}, rules)}
    changed = [
        component
        for component in found
        if not (
            component.absorbed == {component.id}
            and len(stored[component.id]) == len(component.fresh)
            and _battle(outcomes.get(component.id)) == battles.get(component.id)
        )
    ]
    made = [outcomes[component.id] for component in changed if component.id in outcomes]
    unmade = [
        battles[id_] for id_ in {id_ for component in changed for id_ in component.absorbed} & battles.keys()
    ]
    ids = {grown.battle.id for grown in made}
    superseded = [battle for battle in unmade if battle.id not in ids]
    if changed:
        battles_store.supersede_battles(connection, superseded)
        since = clustering.created_at(connection, ids)
        battles_store.delete_battles(
            connection, unmade
        )  # while their killmails are in their components still
        clustering.assign_components(
            connection, {k.killmail_id: component.id for component in changed for k in component.fresh}
        )
        save(connection, made)
        clustering.keep_created_at(connection, since)
    return Tally(killmails=sum(map(len, stored.values())), changed=len(made), removed=len(superseded))


def _components(
    system_id: int,
    stored: Mapping[int, Sequence[Killmail]],
    battles: Mapping[int, StoredBattle],
    rules: Rules,
) -> list[Component]:
    """The components that the killmails make now, as if all of them had just arrived."""
    component_of = {k.killmail_id: id_ for id_, members in stored.items() for k in members}
    killmails = [killmail for members in stored.values() for killmail in members]
    found = []
    for members in components(killmails, rules):
        absorbed = frozenset(component_of[killmail.killmail_id] for killmail in members)
        found.append(
            Component(
                system_id,
                min(killmail.killmail_id for killmail in members),
                absorbed,
                members,
                revision=max((battles[id_].revision for id_ in absorbed if id_ in battles), default=0),
            )
        )
    return found


def _battle(grown: Grown | None) -> StoredBattle | None:
    return None if grown is None else grown.battle
