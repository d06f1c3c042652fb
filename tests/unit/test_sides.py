"""Sides: small fights told with literals, planted fights found again, and what must not change the answer."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battlescope.assignment import Assignment, Companion, Toward, assignments_of, in_isk
from battlescope.evidence import KILL, Evidence, Ledger
from battlescope.killmail import Attacker, Killmail, Pilot, canonical_attackers
from battlescope_local.new_eden import plant
from cluster.engine.ledger import growth
from cluster.engine.rules import Rules
from cluster.engine.sides import Sides, assign
from ingest.payload import parse_killmail
from tests.support.killmails import kill, killmail_sets, pilot

RED, BLUE, GREEN, GREY = 99_000_001, 99_000_002, 99_000_003, 99_000_004


def of(alliance: int, number: int = 0) -> Pilot:
    """Pilot `number` of an alliance."""
    return pilot(alliance % 1000 * 100 + number, alliance=alliance)


def fight(*rows: tuple[int, Sequence[int]], isk: int | None = 200_000_000) -> list[Killmail]:
    """Killmails: who lost, and who shot (an alliance per attacker, who all do the same damage)."""
    return [
        kill(number, number, of(victim), *map(of, attackers), isk=isk)
        for number, (victim, attackers) in enumerate(rows, 1)
    ]


def ledger_of(killmails: Iterable[Killmail]) -> Ledger:
    return growth(list(killmails), Rules()).ledger


def sides_of(killmails: Iterable[Killmail]) -> Sides:
    ledger = ledger_of(killmails)
    return assign(ledger.evidence, ledger.pilots)


def explained(killmails: Iterable[Killmail]) -> dict[int, Assignment]:
    ledger = ledger_of(killmails)
    return assignments_of(ledger.evidence, assign(ledger.evidence, ledger.pilots).placements)


def groups(sides: Sides) -> set[frozenset[int]]:
    """The sides as sets of affiliations, whatever their numbers; third parties left out."""
    members: dict[int, set[int]] = {}
    for affiliation, side in sides.side_ids.items():
        if side:
            members.setdefault(side, set()).add(affiliation)
    return set(map(frozenset, members.values()))


def test_a_gank_shows_two_sides() -> None:
    concord = Pilot(0, 1_000_125, 0, 0)
    sides = sides_of([kill(1, 0, of(BLUE), of(RED, 1), of(RED, 2)), kill(2, 9, of(RED, 1), concord)])
    assert sides.side_ids == {RED: 1, BLUE: 2}
    assert sides.count == 2


def test_gankers_of_many_strangers_are_one_side_and_their_victims_the_other() -> None:
    sides = sides_of(fight(*((victim, [RED, GREEN]) for victim in range(99_000_010, 99_000_030))))
    assert groups(sides) == {frozenset({RED, GREEN}), frozenset(range(99_000_010, 99_000_030))}


def test_who_shot_together_is_on_one_side_and_who_shot_each_other_on_two() -> None:
    sides = sides_of(fight(*[(BLUE, [RED, GREEN])] * 3, *[(RED, [BLUE, GREY])] * 2))
    assert groups(sides) == {frozenset({RED, GREEN}), frozenset({BLUE, GREY})}


def test_a_three_way_fight_shows_three_sides() -> None:
    rows = [(BLUE, [RED]), (RED, [GREEN]), (GREEN, [BLUE]), (RED, [BLUE]), (BLUE, [GREEN]), (GREEN, [RED])]
    assert groups(sides_of(fight(*rows * 2))) == {frozenset({RED}), frozenset({BLUE}), frozenset({GREEN})}


def test_sides_are_numbered_by_pilots_then_by_what_their_kills_weigh() -> None:
    crowd = [kill(n, n, of(RED, n), of(BLUE)) for n in range(1, 6)]
    assert sides_of(crowd).side_ids == {RED: 1, BLUE: 2}
    even = fight((RED, [BLUE]), (RED, [BLUE]), (BLUE, [RED]))
    assert sides_of(even).side_ids == {BLUE: 1, RED: 2}


def test_who_shoots_both_sides_alike_and_little_is_a_third_party() -> None:
    war = [(BLUE, [RED]), (RED, [BLUE])] * 20
    sides = sides_of(fight(*war, (BLUE, [RED, GREY]), (RED, [BLUE, GREY])))
    assert sides.side_ids == {RED: 1, BLUE: 2, GREY: 0}
    assert sides.count == 2


def test_who_is_on_both_sides_killmails_with_hardly_any_damage_is_a_third_party() -> None:
    war = fight(*[(BLUE, [RED]), (RED, [BLUE])] * 10)
    whore = Attacker(*of(GREY), damage_done=1, final_blow=False)
    war[2:6] = [replace(one, attackers=canonical_attackers([*one.attackers, whore])) for one in war[2:6]]
    assert sides_of(war).side_ids[GREY] == 0


def test_a_third_that_is_hit_by_both_and_hits_both_in_earnest_is_a_side() -> None:
    war = [(BLUE, [RED]), (RED, [BLUE])] * 10
    third = [(GREY, [RED]), (GREY, [BLUE]), (RED, [GREY]), (BLUE, [GREY])] * 2
    assert groups(sides_of(fight(*war, *third))) == {frozenset({RED}), frozenset({BLUE}), frozenset({GREY})}


def test_without_evidence_nobody_is_on_a_side() -> None:
    killmails = [kill(1, 0, of(RED, 1), of(RED, 2)), kill(2, 1, of(RED, 2), of(RED, 1))]
    sides = sides_of(killmails)
    assert (sides.side_ids, sides.count) == ({RED: 0}, 0)
    assert explained(killmails)[RED].sentence() == "on no side: nothing tells of it"
    assert assign(Evidence(), {}).side_ids == {}


def test_an_assignment_carries_its_evidence() -> None:
    rows = [(BLUE, [RED, GREEN])] * 3 + [(RED, [BLUE])] * 2 + [(GREEN, [RED])]
    assignments = explained(fight(*rows))
    red = assignments[RED]
    assert red.side_id == sides_of(fight(*rows)).side_ids[RED] == 1
    assert red.companions == (Companion(GREEN, 3),)
    assert red.on(2) == Toward(
        2, shot_kills=3, shot_weight=3 * KILL // 2, shot_isk=600_000_000, lost_weight=2 * KILL
    )
    assert red.on(1) == Toward(1, 1, KILL, 200_000_000, shared_weight=3 * KILL // 2)
    assert 0.4 < red.confidence < assignments[BLUE].confidence <= 1
    assert red.sentence({GREEN: "Green"}.__getitem__) == (
        "on side 1: shot side 2 on 3 kills worth 600m, lost 2.0 ordinary ships to side 2, "
        "shot its own side on 1 kill worth 200m, shared 3 kills with Green"
    )


def test_isk_reads_as_players_write_it() -> None:
    assert [in_isk(isk) for isk in (7, 1_000, 12_400_000_000, 1_230_000_000_000)] == [
        "7",
        "1.0k",
        "12.4b",
        "1.2t",
    ]


# One awox must not flip an affiliation: RED's ten kills are worth little, and the friend it shoots is worth a lot.
@given(
    allies=st.integers(1, 5),
    share=st.sampled_from([1, 10, 100, 1000]),
    isk=st.sampled_from([None, 10**6, 10**12]),
    seed=st.integers(0, 2**16),
)
def test_one_awox_never_flips_an_affiliation_with_ten_other_kills(
    allies: int, share: int, isk: int | None, seed: int
) -> None:
    dice = random.Random(seed)
    friends = [99_000_100 + number for number in range(allies)]
    foes = [99_000_200 + number for number in range(dice.randint(1, 5))]
    killmails = [
        _with_damage(
            kill(number, number, of(dice.choice(foes)), of(RED), *map(of, friends), isk=1_000_000), RED, share
        )
        for number in range(1, 11)
    ]
    killmails += [
        kill(number, number, of(dice.choice([RED, *friends])), of(dice.choice(foes)))
        for number in range(11, 21)
    ]
    before = sides_of(killmails)
    after = sides_of([*killmails, kill(99, 99, of(friends[0]), of(RED), isk=isk)])
    assert before.side_ids[RED] == before.side_ids[friends[0]] != 0
    assert after.side_ids == before.side_ids


def _with_damage(killmail: Killmail, affiliation: int, damage: int) -> Killmail:
    return replace(
        killmail,
        attackers=canonical_attackers(
            one._replace(damage_done=damage if one.alliance_id == affiliation else 500)
            for one in killmail.attackers
        ),
    )


@cache
def planted(seed: int, sides: int) -> tuple[list[Killmail], Mapping[int, int]]:
    """A planted fight: friendly fire and kill-stealing on one kill in ten each."""
    battle = plant(seed=seed, sides=sides, ships=120)
    killmails = [
        parse_killmail(upload["esi"], killmail_hash=upload["hash"], zkb=upload["zkb"])
        for upload in battle.killmails
    ]
    return killmails, battle.sides


@pytest.mark.parametrize("sides", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_planted_sides_are_found_again(seed: int, sides: int) -> None:
    killmails, truth = planted(seed, sides)
    found = sides_of(killmails)
    assert found.count == sides
    fought = {one: side for one, side in truth.items() if side and one in found.side_ids}
    assert {frozenset(one for one in group if one in fought) for group in groups(found)} == {
        frozenset(one for one in fought if fought[one] == side) for side in range(1, sides + 1)
    }


@pytest.mark.parametrize("sides", [2, 3])
def test_neither_order_nor_duplicates_nor_ids_change_anything(sides: int) -> None:
    killmails, _ = planted(7, sides)
    expected = sides_of(killmails)
    dice = random.Random(1)
    again = sides_of(dice.sample(killmails, len(killmails)))
    assert again == expected
    ledger = ledger_of(killmails)
    pairs = list(ledger.evidence.pairs.items())
    dice.shuffle(pairs)
    pilots = ledger.pilots
    assert assign(Evidence(dict(pairs)), pilots) == expected
    names = dict(zip(pilots, dice.sample(range(10**9), len(pilots)), strict=True))
    renamed = sides_of(_renamed(killmail, names) for killmail in killmails)
    assert renamed.side_ids == {names[one]: side for one, side in expected.side_ids.items()}
    assert renamed.confidences == {names[one]: clear for one, clear in expected.confidences.items()}


def _renamed(killmail: Killmail, names: Mapping[int, int]) -> Killmail:
    victim = killmail.victim
    return replace(
        killmail,
        victim=victim._replace(alliance_id=names.get(victim.alliance_id, 0)),
        attackers=canonical_attackers(
            one._replace(alliance_id=names.get(one.alliance_id, 0)) for one in killmail.attackers
        ),
    )


@given(killmail_sets(), st.randoms(use_true_random=False))
def test_whatever_happened_the_answer_is_whole_and_does_not_depend_on_order(
    uploads: list[Killmail], dice: random.Random
) -> None:
    sides = sides_of(uploads)
    shuffled = dice.sample(uploads, len(uploads))
    assert sides_of(shuffled) == sides
    assert explained(shuffled) == explained(uploads)
    assert set(sides.side_ids) == set(ledger_of(uploads).affiliations)
    assert {side for side in sides.side_ids.values() if side} == set(range(1, sides.count + 1))
    for assignment in explained(uploads).values():
        assert 0 <= assignment.confidence <= 1
        assert assignment.sentence()
