"""Fights whose sides are known, and battles that grow."""

from collections import Counter
from itertools import pairwise

import pytest

from battlescope.killmail import Killmail
from battlescope_local.new_eden import Payload, growing_battle, plant
from battlescope_local.new_eden.planted import PlantedFight
from ingest.feeds.simulated import killmail_of


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
    return [killmail_of(payload) for payload in growing_battle(seed=1, kills=300, pilots=1_000)]


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
