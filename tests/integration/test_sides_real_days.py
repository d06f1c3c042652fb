"""Sides of real fights: the 511 battles of ten or more kills in three real days, and one whose sides are known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bench.sides.measure import cohesion, crossing, weigh

from battlescope.killmail import Attacker, Killmail, Pilot
from cluster.engine.ledger import growth
from cluster.engine.rules import Rules
from cluster.engine.sides import Sides, assign
from cluster.engine.whole import Battle, find_battles
from tests.support.killmails import DAYS, kill, real_day

pytestmark = pytest.mark.real_days

SIDE_A = {
    1354830081, 99011223, 99010877, 99003995, 131511956, 99001969, 99009163, 99003214, 99009331,
}  # fmt: skip
SIDE_B = {99002685, 99001317, 154104258}


@pytest.fixture(scope="module")
def battles(real_data: Path) -> list[Battle]:
    """The battles of ten or more kills."""
    killmails = [killmail for day in DAYS for killmail in real_day(real_data, day)]
    return [battle for battle in find_battles(killmails, Rules()) if len(battle.killmails) >= 10]


def sides_of(killmails: tuple[Killmail, ...]) -> Sides:
    ledger = growth(killmails, Rules()).ledger
    return assign(ledger.evidence, ledger.pilots)


@pytest.mark.parametrize("valued", [False, True])
def test_hostility_crosses_sides_and_company_stays_within(battles: list[Battle], valued: bool) -> None:
    assert len(battles) == 511
    across = within = count = 0.0
    for battle in battles:
        weights = weigh(battle.killmails)
        killmails = battle.killmails if valued else tuple(map(_without_value, battle.killmails))
        sides = sides_of(killmails)
        across += crossing(weights, sides.side_ids) / len(battles)
        within += cohesion(weights, sides.side_ids) / len(battles)
        count += sides.count / len(battles)
    assert across >= 0.985
    assert within >= 0.96
    assert across + within >= 1.955
    assert count <= 2.8


def test_the_labelled_fight_has_two_sides_and_everybody_is_on_the_right_one(real_data: Path) -> None:
    sides = sides_of(tuple(_labelled_fight(real_data / "sides-3usx.txt")))
    assert sides.count == 2
    assert {sides.side_ids[one] for one in SIDE_A} ^ {sides.side_ids[one] for one in SIDE_B} == {1, 2}


def test_the_largest_fleet_fights_have_two_sides_and_the_one_of_three_has_three(
    battles: list[Battle],
) -> None:
    def count(system_id: int) -> int:
        there = [battle for battle in battles if battle.system_id == system_id]
        return sides_of(max(there, key=lambda battle: len(battle.killmails)).killmails).count

    assert [count(system_id) for system_id in (30001046, 30004049, 30002355, 30003109)] == [2, 2, 2, 3]


def _without_value(killmail: Killmail) -> Killmail:
    return replace(killmail, isk_value=None, valued_at=0)


def _labelled_fight(path: Path) -> Iterator[Killmail]:
    """A killmail per line: victim and attackers, alliances all, the damage shared alike."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        victim, *attackers = map(int, line.split())
        lost = kill(number, number, Pilot(1, 0, victim, 0), Pilot(2, 0, attackers[0], 0), isk=None)
        yield replace(
            lost,
            attackers=tuple(
                Attacker(character, 0, attacker, 0, 100, character == 2)
                for character, attacker in enumerate(attackers, 2)
            ),
        )
