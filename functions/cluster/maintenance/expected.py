"""The rows that a battle must have, told by the engine from the whole of its killmails."""

from collections.abc import Iterable, Mapping, Sequence

from battlescope.evidence import THIRD_PARTY
from battlescope.killmail import Killmail, affiliation_id
from battlescope.space import space_type
from battlescope.zkillboard import related_url
from cluster.engine.roll import roll_of
from cluster.engine.side_totals import side_totals
from cluster.engine.whole import Battle
from cluster.maintenance.store.samples import BattleRows

type Row = tuple[object, ...]


def rows_expected(battles: Sequence[Battle]) -> BattleRows:
    """What must be stored of these battles."""
    told = [(battle, battle.sides.side_ids) for battle in battles]
    return BattleRows(
        battles=frozenset(map(_battle, battles)),
        members=frozenset(row for battle, side_ids in told for row in _members(battle, side_ids)),
        participants=frozenset(row for battle, side_ids in told for row in _participants(battle, side_ids)),
        sides=frozenset(row for battle, side_ids in told for row in _sides(battle, side_ids)),
        entities=frozenset(
            (battle.id, entity) for battle in battles for entity in roll_of(battle.killmails).entities
        ),
    )


def entity_ids_on(killmails: Iterable[Killmail]) -> set[int]:
    """Every corporation and alliance on these killmails, whether or not it is an entity of their battle."""
    return {
        entity
        for killmail in killmails
        for pilot in (killmail.victim, *killmail.attackers)
        for entity in pilot[1:3]
    } - {0}


def _battle(battle: Battle) -> Row:
    start, end, *sums = battle.totals
    return (
        battle.id,
        space_type(battle.system_id, start),
        related_url(battle.system_id, start, end),
        start,
        end,
        *sums,
    )


def _members(battle: Battle, side_ids: Mapping[int, int]) -> Iterable[Row]:
    for killmail in battle.killmails:
        victim = killmail.victim
        yield (
            battle.id,
            killmail.killmail_id,
            killmail.killmail_time,
            killmail.solar_system_id,
            victim.alliance_id,
            _array(sorted({attacker.alliance_id for attacker in killmail.attackers} - {0})),
            killmail.isk_value,
            side_ids.get(victim.affiliation_id or victim.character_id, THIRD_PARTY),
        )


def _participants(battle: Battle, side_ids: Mapping[int, int]) -> Iterable[Row]:
    for flight, seen in roll_of(battle.killmails).flights.items():
        affiliation = affiliation_id(seen.corporation_id, seen.alliance_id) or flight.character_id
        yield (battle.id, *flight, *seen, side_ids.get(affiliation, THIRD_PARTY))


def _sides(battle: Battle, side_ids: Mapping[int, int]) -> Iterable[Row]:
    for side_id, affiliation_ids, *numbers in side_totals(battle.ledger, side_ids):
        yield (battle.id, side_id, _array(affiliation_ids), *numbers)


def _array(ids: Iterable[int]) -> str:
    """As PostgreSQL writes an array."""
    return f"{{{','.join(map(str, ids))}}}"
