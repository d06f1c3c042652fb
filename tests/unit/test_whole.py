"""Battles of a whole set, against the rules taken killmail by killmail and pair by pair."""

import itertools
import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from battlescope.killmail import CAPSULE_TYPE_IDS, Killmail
from cluster.engine.rules import Rules
from cluster.engine.whole import find_battles
from tests.support.killmails import killmail_sets

_RULES = st.builds(
    Rules,
    gap_max_s=st.sampled_from([0, 5 * 60, 15 * 60]),
    window_s=st.sampled_from([15 * 60, 30 * 60]),
    link_rule=st.sampled_from(["correlated", "contiguous"]),
    min_kills=st.integers(1, 3),
    fold_pods=st.booleans(),
)


@given(killmail_sets(size=24), _RULES, st.randoms(use_true_random=False))
def test_battles_are_those_of_the_rules_taken_pair_by_pair(
    uploads: list[Killmail], rules: Rules, order: random.Random
) -> None:
    order.shuffle(uploads)
    found = find_battles(uploads, rules)
    assert [battle.killmails for battle in found] == _battles_pair_by_pair(uploads, rules)
    assert all(battle.system_id == one.solar_system_id for battle in found for one in battle.killmails)


def _battles_pair_by_pair(uploads: Sequence[Killmail], rules: Rules) -> list[tuple[Killmail, ...]]:
    newest: dict[int, Killmail] = {}
    for upload in uploads:
        newest[upload.killmail_id] = max(
            upload, newest.get(upload.killmail_id, upload), key=lambda one: one.version
        )
    together = {killmail_id: {killmail_id} for killmail_id in newest}
    for one, other in itertools.combinations(newest.values(), 2):
        if _are_linked(one, other, rules):
            joined = together[one.killmail_id] | together[other.killmail_id]
            together.update(dict.fromkeys(joined, joined))
    components = sorted({tuple(sorted(ids)) for ids in together.values()})
    return [
        members
        for ids in components
        if _is_battle(members := tuple(newest[killmail_id] for killmail_id in ids), rules)
    ]


def _are_linked(one: Killmail, other: Killmail, rules: Rules) -> bool:
    if one.solar_system_id != other.solar_system_id:
        return False
    apart_s = abs(one.killmail_time - other.killmail_time)
    share = bool(one.parties & other.parties)
    if rules.link_rule == "correlated":
        return apart_s <= rules.gap_max_s and share
    return apart_s <= rules.gap_max_s or (apart_s <= rules.window_s and share)


def _is_battle(members: Sequence[Killmail], rules: Rules) -> bool:
    by_players = any(
        attacker.character_id
        or (attacker.corporation_id and not 1_000_000 <= attacker.corporation_id < 2_000_000)
        for killmail in members
        for attacker in killmail.attackers
    )
    losses = [killmail for killmail in members if not (rules.fold_pods and _is_folded(killmail, members))]
    return by_players and len(losses) >= rules.min_kills


def _is_folded(killmail: Killmail, members: Sequence[Killmail]) -> bool:
    """Whether it is a pod whose character lost a ship before it, or at its very second."""
    return killmail.victim.ship_type_id in CAPSULE_TYPE_IDS and any(
        other.victim.ship_type_id not in CAPSULE_TYPE_IDS
        and other.victim.character_id == killmail.victim.character_id != 0
        and other.killmail_time <= killmail.killmail_time
        for other in members
    )
