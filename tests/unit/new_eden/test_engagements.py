"""What happens in the simulated New Eden: gangs, fleets, losses to NPCs."""

from collections.abc import Callable

import pytest

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.fleets import large_fleet_fight, small_fleet_fight
from battlescope_local.new_eden.gangs import bash, gank, gate_camp, roam, skirmish
from battlescope_local.new_eden.history import ENGAGEMENTS, Engagement
from battlescope_local.new_eden.hulls import CAPSULE, SHUTTLES
from battlescope_local.new_eden.lone import lone_kill, npc_loss, padding
from battlescope_local.new_eden.losses import Loss, Party
from battlescope_local.new_eden.world import World, world_of
from tests.unit.new_eden.day import FIRST


def is_npc_only(loss: Loss) -> bool:
    return not any("character_id" in attacker for attacker in loss.attackers)


def losses_of(kind: Callable[[World, Dice, int], list[Loss]], tries: int = 40) -> list[list[Loss]]:
    dice = Dice.of(3, kind.__name__)
    return [kind(world_of(3), dice, FIRST) for _ in range(tries)]


def attackers(losses: list[Loss]) -> list[Party]:
    return [attacker for loss in losses for attacker in loss.attackers]


@pytest.mark.parametrize("engagement", ENGAGEMENTS, ids=lambda engagement: engagement.happen.__name__)
def test_an_engagement_keeps_within_its_hours(engagement: Engagement) -> None:
    for losses in losses_of(engagement.happen, tries=15):
        assert losses == [loss for loss in losses if FIRST <= loss.at // 3600 < FIRST + engagement.hours_max]


@pytest.mark.parametrize("kind", [gank, skirmish, lone_kill, small_fleet_fight])
def test_one_attacker_has_the_final_blow(kind: Callable[[World, Dice, int], list[Loss]]) -> None:
    for losses in losses_of(kind, tries=10):
        for loss in losses:
            assert sum(attacker["final_blow"] for attacker in loss.attackers) == 1
            assert loss.victim["damage_taken"] == sum(attacker["damage_done"] for attacker in loss.attackers)


def test_concord_kills_the_gankers_for_their_gank() -> None:
    for losses in losses_of(gank):
        gankers = {attacker["character_id"] for attacker in losses[0].attackers}
        punished = {loss.victim["character_id"] for loss in losses if is_npc_only(loss)}
        assert punished == gankers
        assert len({loss.system_id for loss in losses}) == 1


def test_a_roam_fights_in_many_systems() -> None:
    assert max(len({loss.system_id for loss in losses}) for losses in losses_of(roam)) >= 3


def test_a_camp_stays_and_kills_strangers() -> None:
    camps = [losses for losses in losses_of(gate_camp) if len(losses) > 4]
    assert all(len({loss.system_id for loss in losses}) == 1 for losses in camps)
    assert all(len({loss.victim["corporation_id"] for loss in losses}) > 1 for losses in camps)


def test_a_structure_has_an_owner_but_no_pilot() -> None:
    for losses in losses_of(bash):
        assert "character_id" not in losses[0].victim
        assert losses[0].victim["corporation_id"]


def test_npc_losses_have_no_player_on_them() -> None:
    assert all(is_npc_only(loss) for losses in losses_of(npc_loss) for loss in losses)


def test_a_pod_is_lost_after_its_ship() -> None:
    pairs = [losses for losses in losses_of(lone_kill) if len(losses) == 2]
    assert pairs
    for ship, pod in pairs:
        assert pod.victim["ship_type_id"] in {CAPSULE.ship_type_id, 33328}
        assert ship.victim["character_id"] == pod.victim["character_id"]
        assert ship.at < pod.at


def test_padding_is_many_shuttles_of_few_pilots() -> None:
    shuttles = {hull.ship_type_id for hull in SHUTTLES}
    for losses in losses_of(padding):
        assert {loss.victim["ship_type_id"] for loss in losses} <= shuttles
        assert len({loss.victim["character_id"] for loss in losses}) <= 7
    assert max(map(len, losses_of(padding))) > 60


def test_fleets_are_many_affiliations_and_many_attackers() -> None:
    fights = losses_of(large_fleet_fight, tries=5)
    assert max(len(attackers([loss])) for losses in fights for loss in losses) > 30
    assert max(len({party.get("alliance_id") for party in attackers(losses)}) for losses in fights) > 5
