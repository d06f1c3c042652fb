"""The evidence of a battle: told with literals, and additive to the bit."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from battlescope.evidence import DAMAGE_SHARES, KILL, Evidence, PairEvidence
from battlescope.killmail import Attacker, Killmail, Pilot, canonical_attackers
from cluster.engine.evidence import COMPANIONS_MAX, evidence_of, loss_weight
from tests.support.killmails import kill, killmail_sets, pilot

RED, BLUE, GREEN = 99_000_001, 99_000_002, 99_000_003
RED_1, RED_2 = pilot(1, alliance=RED), pilot(2, alliance=RED)
BLUE_1 = pilot(11, alliance=BLUE)
GREEN_1 = pilot(21, alliance=GREEN)
RAT = Pilot(0, 1_000_125, 0, 0)


def shot(victim: Pilot, *attackers: tuple[Pilot, int], isk: int | None = None) -> Killmail:
    """A killmail whose attackers did this much damage."""
    return replace(
        kill(1, 0, victim, *(attacker for attacker, _ in attackers), isk=isk),
        attackers=canonical_attackers(
            Attacker(*attacker, damage, place == 0) for place, (attacker, damage) in enumerate(attackers)
        ),
    )


def test_a_kill_tells_who_shot_whom_and_who_shot_together() -> None:
    evidence = evidence_of([shot(GREEN_1, (RED_1, 500), (RED_2, 250), (BLUE_1, 250), isk=300_000_000)])
    assert evidence.pairs == {
        (RED, GREEN): PairEvidence(1, 3_000_000, 300_000_000, shot_isk_share=225_000_000),
        (BLUE, GREEN): PairEvidence(1, 1_000_000, 300_000_000, shot_isk_share=75_000_000),
        (RED, BLUE): PairEvidence(shared_kills=1, shared_weight=1_000_000),
    }


def test_the_lower_affiliation_of_a_pair_stands_first_whoever_shot() -> None:
    assert evidence_of([shot(RED_1, (BLUE_1, 10))]).pairs == {
        (RED, BLUE): PairEvidence(lost_kills=1, lost_weight=KILL)
    }


def test_npcs_and_machines_do_not_count_and_take_no_share() -> None:
    guns = Pilot(0, 98_000_050, GREEN, 35833)
    evidence = evidence_of([shot(BLUE_1, (RAT, 900), (guns, 90), (RED_1, 10))])
    assert evidence.pairs == {(RED, BLUE): PairEvidence(shot_kills=1, shot_weight=KILL)}
    assert evidence_of([shot(BLUE_1, (RAT, 900))]).pairs == {}


def test_of_thousands_on_one_killmail_those_with_the_most_damage_shot_together() -> None:
    # given: as many attackers as ESI allows, each of a corporation of its own, all but the first few with next to no damage
    corporations = [98_100_000 + number for number in range(10_000)]
    attackers = [
        (
            Pilot(0, corporation, 0, 587)._replace(character_id=90_000_000 + number),
            1000 if number < 150 else 1,
        )
        for number, corporation in enumerate(corporations)
    ]
    # when
    pairs = evidence_of([shot(BLUE_1, *attackers)]).pairs
    # then: everybody shot the victim, and pairs do not grow as the square
    together = {pair for pair, numbers in pairs.items() if numbers.shared_kills}
    assert sum(BLUE in pair for pair in pairs) == len(corporations)
    assert len(together) == COMPANIONS_MAX * (COMPANIONS_MAX - 1) // 2
    assert {one for pair in together for one in pair} == set(
        corporations[:COMPANIONS_MAX]
    )  # of equals, the lower ids
    assert evidence_of([shot(BLUE_1, *reversed(attackers))]).pairs == pairs


def test_an_affiliation_has_no_evidence_against_itself() -> None:
    assert evidence_of([shot(RED_1, (RED_2, 10), (RED_1, 5))]).pairs == {}


def test_who_did_no_damage_was_there_and_weighs_nothing() -> None:
    evidence = evidence_of([shot(BLUE_1, (RED_1, 10), (GREEN_1, 0)), shot(BLUE_1, (RED_1, 0))])
    assert evidence.pairs == {
        (RED, BLUE): PairEvidence(shot_kills=2, shot_weight=KILL),
        (BLUE, GREEN): PairEvidence(lost_kills=1),
        (RED, GREEN): PairEvidence(shared_kills=1),
    }


def test_structures_are_victims_of_their_owner() -> None:
    structure = Pilot(0, 98_000_050, BLUE, 35832)
    assert evidence_of([shot(structure, (RED_1, 1))]).pairs == {
        (RED, BLUE): PairEvidence(shot_kills=1, shot_weight=KILL)
    }


def test_a_dear_loss_weighs_more_and_yet_not_ten_others() -> None:
    values = [None, 10_000, 1_500_000, 30_000_000, 300_000_000, 3_000_000_000, 80_000_000_000]
    assert [loss_weight(value) for value in values] == [4, 1, 2, 3, 4, 5, 6]
    assert loss_weight(None) * DAMAGE_SHARES == KILL


@given(killmail_sets(), st.data())
def test_evidence_adds_up_in_any_order_and_any_batches(uploads: list[Killmail], data: st.DataObject) -> None:
    order = data.draw(st.permutations(uploads))
    cut = data.draw(st.integers(0, len(order)))
    whole = evidence_of(uploads)
    assert evidence_of(order[:cut]) + evidence_of(order[cut:]) == whole
    assert whole - evidence_of(order[:cut]) == evidence_of(order[cut:])


@given(killmail_sets(), st.none() | st.integers(0, 10**13))
def test_a_value_that_changed_is_the_old_taken_out_and_the_new_put_in(
    uploads: list[Killmail], isk: int | None
) -> None:
    first, *others = uploads
    newer = replace(first, isk_value=isk)
    change = evidence_of([newer]) - evidence_of([first])
    assert evidence_of(uploads) + change == evidence_of([newer, *others])


@given(killmail_sets())
def test_nothing_is_left_of_what_is_taken_out(uploads: list[Killmail]) -> None:
    evidence = evidence_of(uploads)
    assert evidence - evidence == Evidence()
    assert Evidence() - evidence + evidence == Evidence()
