"""The ledger of a battle: who flew, what was lost, in whose name; and that it grows to the same in any steps."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from battlescope.evidence import Affiliation, Ledger, from_json, to_json
from battlescope.killmail import Killmail, Pilot
from cluster.engine.battle import loss, summarise
from cluster.engine.ledger import Before, growth, revaluation
from cluster.engine.roll import Flight, Participation, roll_of
from cluster.engine.rules import Rules
from cluster.engine.sides import assign
from tests.support.killmails import CAPSULE, kill, killmail_sets, pilot

RED, BLUE = 99_000_001, 99_000_002
RULES = st.sampled_from([Rules(), Rules(fold_pods=False)])


def test_an_affiliation_is_the_alliance_else_the_player_corporation_else_the_character() -> None:
    recruit = Pilot(90_000_031, 1_000_006, 0, 587)
    loner = pilot(41)
    red_1, red_2, rat = pilot(1, alliance=RED), pilot(2, alliance=RED), Pilot(0, 1_000_125, 0, 0)
    killmails = [
        kill(1, 0, recruit, red_1, red_2, loner, rat, isk=5),
        kill(2, 0, red_1, loner._replace(ship_type_id=CAPSULE), isk=7),
    ]
    assert growth(killmails, Rules()).ledger.affiliations == {
        90_000_031: Affiliation("character", pilots=1, losses=1, isk_lost=5),
        RED: Affiliation("alliance", pilots=2, losses=1, isk_lost=7),
        loner.corporation_id: Affiliation("corporation", pilots=1),
    }


def test_a_structure_is_an_affiliation_without_pilots() -> None:
    structure, rat = Pilot(0, 98_000_050, 0, 35832), Pilot(0, 1_000_125, 0, 0)
    found = growth([kill(1, 0, structure, rat, isk=None)], Rules()).ledger
    assert found.affiliations == {98_000_050: Affiliation("corporation", losses=1)}


def test_a_pod_is_no_loss_of_its_own_and_yet_its_value_is_lost() -> None:
    ship, pod = pilot(1, alliance=RED), pilot(1, alliance=RED, ship=CAPSULE)
    killmails = [kill(1, 0, ship, pilot(2, alliance=BLUE), isk=90), kill(2, 5, pod, pilot(2), isk=10)]
    assert growth(killmails, Rules()).ledger.affiliations[RED] == Affiliation("alliance", 1, 1, 100)


def test_a_late_ship_loss_takes_the_pod_from_the_affiliation_that_lost_it() -> None:
    # given: a pod lost in one name, and then, told later, the ship lost before it in another
    pod, ship = pilot(1, alliance=RED, ship=CAPSULE), pilot(1, alliance=BLUE)
    earlier, late = kill(2, 5, pod, pilot(9), isk=None), kill(1, 0, ship, pilot(9), isk=None)
    known = growth([earlier], Rules())
    # when
    change = growth([late], Rules(), Before(known.flights, [loss(earlier)]))
    # then
    assert (known.ledger + change.ledger).affiliations == {
        RED: Affiliation("alliance", pilots=1),
        BLUE: Affiliation("alliance", pilots=1, losses=1),
        pilot(9).corporation_id: Affiliation("corporation", pilots=1),
    }
    assert (change.losses, change.pilots) == (0, 0)


def test_a_pilot_who_changed_corporation_in_mid_battle_flew_in_both_names_only_in_two_ships() -> None:
    target = pilot(5)
    old, new = pilot(1, alliance=RED), pilot(1, alliance=BLUE)
    same_ship = growth([kill(1, 0, target, old), kill(2, 1, target, new)], Rules())
    other_ship = growth([kill(1, 0, target, old), kill(2, 1, target, new._replace(ship_type_id=11))], Rules())
    assert (same_ship.ledger.pilots[RED], same_ship.ledger.pilots[BLUE], same_ship.pilots) == (0, 1, 2)
    assert (other_ship.ledger.pilots[RED], other_ship.ledger.pilots[BLUE], other_ship.pilots) == (1, 1, 2)


@given(killmail_sets(), st.data(), RULES)
def test_a_battle_grows_to_the_same_in_any_steps(
    uploads: list[Killmail], data: st.DataObject, rules: Rules
) -> None:
    killmails = list({one.killmail_id: one for one in uploads}.values())
    order = data.draw(st.permutations(killmails))
    whole = growth(killmails, rules)
    ledger = Ledger()
    flights: dict[Flight, Participation] = {}
    losses = pilots = 0
    done: list[Killmail] = []
    for some in _pieces(order, data.draw(st.integers(1, 4))):
        step = growth(some, rules, _before(done, flights, some))
        ledger += step.ledger
        assert not step.flights.keys() & flights.keys()
        assert step.changes.keys() <= flights.keys()
        flights |= {**step.flights, **step.changes}
        losses += step.losses
        pilots += step.pilots
        done += some
    assert (ledger, flights, losses, pilots) == (whole.ledger, whole.flights, whole.losses, whole.pilots)
    totals = summarise(killmails, rules)
    assert (losses, pilots) == (totals.losses, totals.pilots)
    assert sum(one.isk_lost for one in ledger.affiliations.values()) <= totals.total_isk_destroyed


@given(killmail_sets(), st.none() | st.integers(0, 10**13))
def test_a_new_value_ends_where_a_battle_with_that_value_ends(
    uploads: list[Killmail], isk: int | None
) -> None:
    first, *others = {one.killmail_id: one for one in uploads}.values()
    newer = replace(first, isk_value=isk)
    told = growth([first, *others], Rules()).ledger + revaluation(first, newer)
    assert told == growth([newer, *others], Rules()).ledger


@given(killmail_sets())
def test_what_is_kept_is_read_back(uploads: list[Killmail]) -> None:
    ledger = growth(list({one.killmail_id: one for one in uploads}.values()), Rules()).ledger
    placements = assign(ledger.evidence, ledger.pilots).placements
    assert from_json(to_json(ledger, placements)) == (ledger, placements)
    assert all(0 <= one.confidence <= 1000 for one in placements.values())


def _pieces(order: Sequence[Killmail], size: int) -> list[list[Killmail]]:
    return [list(order[start : start + size]) for start in range(0, len(order), size)]


def _before(
    done: Sequence[Killmail], flights: dict[Flight, Participation], coming: Sequence[Killmail]
) -> Before:
    """What a store would tell of those who are on the coming killmails."""
    who = roll_of(coming).characters
    victims = {killmail.victim.character_id for killmail in coming} - {0}
    return Before(
        {flight: seen for flight, seen in flights.items() if flight.character_id in who},
        [loss(killmail) for killmail in done if killmail.victim.character_id in victims],
    )
