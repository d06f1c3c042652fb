"""The simulated New Eden: the same for everybody, like the real one, and honest about its truths."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice, pairwise

import pytest

from battlescope import static
from battlescope.killmail import Attacker, Killmail, Pilot, affiliation_id
from battlescope_local import simulate
from battlescope_local.new_eden import START, Payload, growing_battle, hours, hulls, plant
from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.fleets import large_fleet_fight, small_fleet_fight
from battlescope_local.new_eden.gangs import bash, gank, gate_camp, roam, skirmish
from battlescope_local.new_eden.history import ENGAGEMENTS, Engagement
from battlescope_local.new_eden.hulls import CAPSULE, SHUTTLES
from battlescope_local.new_eden.lone import lone_kill, npc_loss, padding
from battlescope_local.new_eden.losses import Loss, Party
from battlescope_local.new_eden.payloads import IDS_PER_HOUR, LATE_MAX_H
from battlescope_local.new_eden.planted import PlantedFight
from battlescope_local.new_eden.world import World, world_of
from ingest.payload import parse_killmail

FIRST = START // 3600 // 24 * 24
"""An hour at the start of a day."""


@pytest.fixture(scope="module")
def day() -> list[list[Payload]]:
    """The uploads of one day, by hour."""
    return list(islice(hours(1, FIRST), 24))


@pytest.fixture(scope="module")
def killmails(day: list[list[Payload]]) -> list[Killmail]:
    """The different killmails of that day, as the ingest handler reads them."""
    return list({payload["killmail_id"]: parsed(payload) for hour in day for payload in hour}.values())


def parsed(payload: Payload) -> Killmail:
    return parse_killmail(
        payload["esi"],
        killmail_hash=payload["hash"],
        zkb=payload["zkb"],
        uploaded_at=payload["uploaded_at"],
    )


def pilots(killmail: Killmail) -> list[Pilot | Attacker]:
    return [killmail.victim, *killmail.attackers]


def quantile(values: Iterable[int], share: float) -> int:
    ascending = sorted(values)
    return ascending[int(share * len(ascending))]


def is_npc_only(loss: Loss) -> bool:
    return not any("character_id" in attacker for attacker in loss.attackers)


# --- the same for everybody


def test_the_same_seed_makes_the_same_bytes_on_every_machine(day: list[list[Payload]]) -> None:
    # changes with the shipped static tables and with every change to new_eden, and with nothing else
    digest = hashlib.sha256(json.dumps(day[20], sort_keys=True).encode()).hexdigest()
    assert digest == "9975afcdf1b989ddb0dc5597001568a4f641ebd0cc1c69e02e990ccf22cf3890"


def test_another_seed_makes_another_history(day: list[list[Payload]]) -> None:
    other = next(hours(2, FIRST))
    assert {payload["hash"] for payload in other}.isdisjoint(payload["hash"] for payload in day[0])


def test_an_hour_is_the_same_wherever_one_begins(day: list[list[Payload]]) -> None:
    assert list(islice(hours(1, FIRST + 22), 2)) == day[22:]


def test_dice_fall_the_same_way_everywhere() -> None:
    dice = Dice.of(7, "hour", 3)
    assert [dice.whole(1, 6) for _ in range(8)] == [1, 1, 1, 3, 6, 3, 3, 1]


# --- a feed


def test_every_payload_is_accepted_at_the_border(killmails: list[Killmail]) -> None:
    assert len(killmails) > 12_000


def test_uploads_are_in_order_within_their_hour(day: list[list[Payload]]) -> None:
    for hour, payloads in enumerate(day, FIRST):
        times = [payload["uploaded_at"] for payload in payloads]
        assert times == sorted(times)
        assert {time // 3600 for time in times} == {hour}


def test_sequence_numbers_ascend(day: list[list[Payload]]) -> None:
    numbers = [payload["sequence_id"] for hour in day for payload in hour]
    assert all(before < after for before, after in pairwise(numbers))


def test_killmail_ids_ascend_with_the_time_of_the_kill(killmails: list[Killmail]) -> None:
    killmails = sorted(killmails, key=lambda killmail: killmail.killmail_id)
    assert all(one.killmail_time <= two.killmail_time for one, two in pairwise(killmails))


def test_no_hour_runs_out_of_ids(day: list[list[Payload]]) -> None:
    assert max(len(hour) for hour in day) * 4 < IDS_PER_HOUR


def test_an_upload_is_never_ahead_of_its_kill_nor_more_than_hours_behind(killmails: list[Killmail]) -> None:
    delays = [killmail.valued_at - killmail.killmail_time for killmail in killmails]
    assert min(delays) >= 0
    assert 3600 * (LATE_MAX_H - 1) < max(delays) < 3600 * (LATE_MAX_H + 1)


def test_some_arrive_late_but_most_within_minutes(killmails: list[Killmail]) -> None:
    delays = [killmail.valued_at - killmail.killmail_time for killmail in killmails]
    assert 0.02 < sum(delay > 3600 for delay in delays) / len(delays) < 0.08
    assert quantile(delays, 0.5) < 60


def test_some_come_again_unchanged_and_some_with_another_value(day: list[list[Payload]]) -> None:
    versions: dict[int, list[Payload]] = {}
    for hour in day:
        for payload in hour:
            versions.setdefault(payload["killmail_id"], []).append(payload)
    again = [payloads for payloads in versions.values() if len(payloads) == 2]
    assert 0.01 < len(again) / len(versions) < 0.04
    assert all(first["esi"] == second["esi"] for first, second in again)
    changed = sum(first["zkb"]["totalValue"] != second["zkb"]["totalValue"] for first, second in again)
    assert 0.4 < changed / len(again) < 0.9


# --- like the real one (facts.md; the bounds leave room for a day's luck)


def test_as_many_killmails_a_day(killmails: list[Killmail]) -> None:
    assert 13_000 < len(killmails) < 21_000


def test_as_many_attackers(killmails: list[Killmail]) -> None:
    counts = [len(killmail.attackers) for killmail in killmails]
    assert quantile(counts, 0.5) == 2
    assert 6 <= quantile(counts, 0.9) <= 16
    assert 25 <= quantile(counts, 0.99) <= 160


def test_as_many_pods(killmails: list[Killmail]) -> None:
    assert 0.23 < sum(killmail.is_pod for killmail in killmails) / len(killmails) < 0.31


def test_as_many_npc_only(killmails: list[Killmail]) -> None:
    assert 0.11 < sum(killmail.is_npc_only for killmail in killmails) / len(killmails) < 0.18


def test_as_many_victims_without_a_character(killmails: list[Killmail]) -> None:
    share = sum(not killmail.victim.character_id for killmail in killmails) / len(killmails)
    assert 0.006 < share < 0.025


def test_evenings_are_busier_than_mornings(killmails: list[Killmail]) -> None:
    by_hour = Counter(killmail.killmail_time // 3600 % 24 for killmail in killmails)
    assert by_hour[19] + by_hour[20] > 1.6 * (by_hour[8] + by_hour[9])


def test_tama_is_busy_all_day(killmails: list[Killmail]) -> None:
    hours_with_kills = {
        killmail.killmail_time // 3600 for killmail in killmails if killmail.solar_system_id == 30002813
    }
    assert len(hours_with_kills) > 18


def test_affiliations_are_of_very_unequal_size(killmails: list[Killmail]) -> None:
    members: dict[int, set[int]] = {}
    for killmail in killmails:
        for pilot in pilots(killmail):
            if pilot.character_id:
                members.setdefault(affiliation_id(pilot.corporation_id, pilot.alliance_id), set()).add(
                    pilot.character_id
                )
    members.pop(0)
    sizes = [len(characters) for characters in members.values()]
    assert len(sizes) > 1_000
    assert quantile(sizes, 0.5) <= 3
    assert max(sizes) > 300


def test_few_pilots_change_their_corporation(killmails: list[Killmail]) -> None:
    corporations: dict[int, set[int]] = {}
    for killmail in killmails:
        for pilot in pilots(killmail):
            if pilot.character_id:
                corporations.setdefault(pilot.character_id, set()).add(pilot.corporation_id)
    changed = sum(len(ids) > 1 for ids in corporations.values())
    assert 0 < changed < len(corporations) / 100


def test_every_place_is_real(killmails: list[Killmail]) -> None:
    assert {killmail.solar_system_id for killmail in killmails} <= set(static.solar_systems())


def test_every_ship_is_real(killmails: list[Killmail]) -> None:
    ships = {pilot.ship_type_id for killmail in killmails for pilot in pilots(killmail)}
    assert ships <= set(static.ship_types())


def test_values_have_fractions_and_the_right_order(day: list[list[Payload]]) -> None:
    values = [payload["zkb"]["totalValue"] for hour in day for payload in hour]
    assert sum(value != int(value) for value in values) > len(values) / 2
    assert min(values) + 10_000 >= 10_000
    assert max(values) < 1e11


@pytest.mark.parametrize("mix", [hulls.LONE_VICTIMS, hulls.NPC_VICTIMS, hulls.GANK_VICTIMS, hulls.GANG])
def test_a_mix_is_a_whole(mix: hulls.Mix) -> None:
    assert len(mix) == 200


# --- every kind of engagement


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


# --- planted truths


def affiliations(payload: Payload) -> tuple[int, set[int]]:
    esi = payload["esi"]
    return esi["victim"]["alliance_id"], {attacker["alliance_id"] for attacker in esi["attackers"]}


@pytest.fixture(scope="module", params=[2, 3, 4])
def fight(request: pytest.FixtureRequest) -> PlantedFight:
    return plant(seed=11, sides=request.param, ships=150, third_parties=2)


def test_the_truth_names_everybody_and_nobody_else(fight: PlantedFight) -> None:
    there: set[int] = set()
    for payload in fight.killmails:
        victim, killers = affiliations(payload)
        there |= killers | {victim}
    assert there == set(fight.sides)


def test_the_truth_has_as_many_sides_as_planted(fight: PlantedFight) -> None:
    counts = Counter(fight.sides.values())
    assert counts.pop(0) == 2
    assert set(counts.values()) == {3}
    assert set(counts) == set(range(1, len(counts) + 1))


def test_most_kills_are_of_another_side_but_not_all(fight: PlantedFight) -> None:
    friendly = 0
    for payload in fight.killmails:
        victim, killers = affiliations(payload)
        friendly += any(fight.sides[killer] == fight.sides[victim] for killer in killers)
    assert 0.03 < friendly / len(fight.killmails) < 0.17


def test_some_kills_are_stolen(fight: PlantedFight) -> None:
    stolen = 0
    for payload in fight.killmails:
        victim, killers = affiliations(payload)
        stolen += len({fight.sides[killer] for killer in killers} - {fight.sides[victim]}) > 1
    assert 0.03 < stolen / len(fight.killmails) < 0.17


def test_without_mishaps_every_kill_is_one_side_against_another() -> None:
    clean = plant(seed=4, sides=3, friendly_fire=0, kill_stealing=0, third_parties=0)
    for payload in clean.killmails:
        victim, killers = affiliations(payload)
        sides = {clean.sides[killer] for killer in killers}
        assert len(sides) == 1
        assert clean.sides[victim] not in sides


def test_a_planted_fight_is_the_same_every_time() -> None:
    assert plant(seed=5, sides=2) == plant(seed=5, sides=2)
    assert plant(seed=5, sides=2) != plant(seed=6, sides=2)


@pytest.fixture(scope="module")
def grown() -> list[Killmail]:
    return [parsed(payload) for payload in growing_battle(seed=1, kills=300, pilots=1_000)]


def test_a_growing_battle_has_the_asked_size(grown: list[Killmail]) -> None:
    assert len({killmail.killmail_id for killmail in grown}) == 300


def test_a_growing_battle_comes_in_order(grown: list[Killmail]) -> None:
    assert all(before.killmail_time <= after.killmail_time for before, after in pairwise(grown))
    assert all(before.killmail_id < after.killmail_id for before, after in pairwise(grown))


def test_a_growing_battle_is_one_battle(grown: list[Killmail]) -> None:
    # design.md: linked when at most 15 minutes apart in one system and sharing a party; a battle is what is connected
    component = {killmail.killmail_id: killmail.killmail_id for killmail in grown}
    last_seen: dict[int, Killmail] = {}
    for killmail in grown:
        for party in killmail.parties:
            before = last_seen.get(party)
            if before is not None and killmail.killmail_time - before.killmail_time <= 15 * 60:
                old, new = component[before.killmail_id], component[killmail.killmail_id]
                if old != new:
                    component = {member: new if it == old else it for member, it in component.items()}
            last_seen[party] = killmail
    assert len(set(component.values())) == 1
    assert len({killmail.solar_system_id for killmail in grown}) == 1


def test_a_growing_battle_has_the_density_and_the_crowd_of_a_real_one(grown: list[Killmail]) -> None:
    minutes = (grown[-1].killmail_time - grown[0].killmail_time) / 60
    assert 5 < len(grown) / minutes < 11
    assert len({attacker.character_id for killmail in grown for attacker in killmail.attackers}) > 500


# --- `battlescope simulate`


def test_simulate_writes_so_many_hours(day: list[list[Payload]]) -> None:
    out = io.StringIO()
    simulate.write(out, seed=1, hours_long=1.5, start=FIRST * 3600)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    half = (FIRST + 1) * 3600 + 1800
    assert lines == day[0] + [payload for payload in day[1] if payload["uploaded_at"] < half]


def test_simulate_writes_so_many_killmails() -> None:
    out = io.StringIO()
    assert simulate.write(out, seed=1, killmails=700) == 700
    ids = [json.loads(line)["killmail_id"] for line in out.getvalue().splitlines()]
    assert len(set(ids)) == 700
    assert len(ids) > 700, "uploads that came again are written too"


def test_simulate_needs_an_end() -> None:
    with pytest.raises(ValueError, match="no end of its own"):
        simulate.write(io.StringIO())


def test_killmail_times_are_iso_8601(day: list[list[Payload]]) -> None:
    killmail = day[5][0]["esi"]
    assert datetime.fromisoformat(killmail["killmail_time"]).timestamp() == parsed(day[5][0]).killmail_time
