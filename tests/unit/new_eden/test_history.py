"""A day of the simulated New Eden: the same on every machine, and like a real one."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise

import pytest

from battlescope import static
from battlescope.killmail import Attacker, Killmail, Pilot, affiliation_id
from battlescope_local.new_eden import Payload, hours, hulls
from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.payloads import IDS_PER_HOUR, LATE_MAX_H
from tests.unit.new_eden.day import FIRST


def pilots(killmail: Killmail) -> list[Pilot | Attacker]:
    return [killmail.victim, *killmail.attackers]


def quantile(values: Iterable[int], share: float) -> int:
    ascending = sorted(values)
    return ascending[int(share * len(ascending))]


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
