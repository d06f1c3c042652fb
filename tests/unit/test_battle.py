"""What a component amounts to, told with literals."""

from battlescope.killmail import Killmail
from cluster.engine.battle import (
    battle_id,
    count_losses,
    is_battle,
    loss,
    summarise,
)
from cluster.engine.rules import Rules
from cluster.engine.whole import find_battles
from tests.support.killmails import CAPSULE, NOON, kill, pilot

ALICE, BOB, CAROL = pilot(1), pilot(2), pilot(3)
RAT = pilot(0, corporation=1_000_125)._replace(character_id=0)
FOLDED = Rules()
UNFOLDED = Rules(fold_pods=False)


def losses(*killmails: Killmail, rules: Rules = FOLDED) -> int:
    return count_losses(map(loss, killmails), rules).total()


def test_a_pod_after_its_ship_is_no_loss_of_its_own() -> None:
    ship, pod = kill(1, 0, ALICE, BOB), kill(2, 30, ALICE._replace(ship_type_id=CAPSULE), BOB)
    assert losses(ship, pod) == 1
    assert losses(ship, pod, rules=UNFOLDED) == 2
    assert not is_battle([ship, pod], Rules())
    assert is_battle([ship, pod], UNFOLDED)


def test_a_pod_at_the_very_second_of_its_ship_is_folded() -> None:
    assert losses(kill(2, 0, ALICE, BOB), kill(1, 0, ALICE._replace(ship_type_id=CAPSULE), BOB)) == 1


def test_a_pod_before_the_ship_or_of_somebody_else_counts() -> None:
    pod = ALICE._replace(ship_type_id=CAPSULE)
    assert losses(kill(1, 0, pod, BOB), kill(2, 1, ALICE, BOB)) == 2
    assert losses(kill(1, 0, CAROL, BOB), kill(2, 1, pod, BOB)) == 2


def test_two_pods_and_then_the_ship_before_them_leave_one_loss() -> None:
    pod = ALICE._replace(ship_type_id=CAPSULE)
    assert losses(kill(1, 10, pod, BOB), kill(2, 20, pod, BOB)) == 2
    assert losses(kill(1, 10, pod, BOB), kill(2, 20, pod, BOB), kill(3, 5, ALICE, BOB)) == 1


def test_two_structures_are_two_losses() -> None:
    structure = ALICE._replace(character_id=0, ship_type_id=35832)
    assert losses(kill(1, 0, structure, BOB), kill(2, 1, structure, BOB)) == 2


def test_npcs_alone_make_no_battle() -> None:
    assert not is_battle([kill(1, 0, ALICE, RAT), kill(2, 60, ALICE, RAT)], Rules())
    assert is_battle([kill(1, 0, BOB, ALICE), kill(2, 60, ALICE, RAT)], Rules())


def test_concord_joins_the_gank_and_rats_join_nothing() -> None:
    gank, concord = kill(1, 0, BOB, ALICE), kill(2, 20, ALICE, RAT)
    ratter = kill(3, 30, CAROL, RAT)
    found = find_battles([gank, concord, ratter], Rules())
    assert [[k.killmail_id for k in battle.killmails] for battle in found] == [[1, 2]]


def test_totals() -> None:
    members = [kill(1, 0, BOB, ALICE, isk=100), kill(2, 60, CAROL, ALICE, BOB, isk=None)]
    totals = summarise(members, Rules())
    assert (totals.start_time, totals.end_time) == (NOON, NOON + 60)
    assert (totals.total_kills, totals.losses, totals.pilots, totals.total_isk_destroyed) == (2, 2, 3, 100)


def test_a_battle_is_named_by_its_system_and_lowest_killmail() -> None:
    assert battle_id(30_002_813, 1) == battle_id(30_002_813, 1)
    assert len({battle_id(30_002_813, 1), battle_id(30_002_813, 2), battle_id(30_002_814, 1)}) == 3


def test_of_a_killmail_given_twice_the_newest_upload_counts() -> None:
    old, new = kill(1, 0, BOB, ALICE, isk=5, valued_at=1), kill(1, 0, BOB, ALICE, isk=7, valued_at=2)
    other = kill(2, 60, CAROL, ALICE, isk=0)
    for order in ([old, new, other], [new, other, old]):
        assert [battle.totals.total_isk_destroyed for battle in find_battles(order, Rules())] == [7]
