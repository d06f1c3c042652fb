"""The roll of killmails, told with literals."""

from cluster.engine.roll import Participation, merged, roll_of
from tests.support.killmails import RIFTER, kill, pilot

ALICE, BOB, CAROL = pilot(1), pilot(2), pilot(3)
RAT = pilot(0, corporation=1_000_125)._replace(character_id=0)


def test_who_flew_what() -> None:
    flown = roll_of([kill(1, 0, BOB, ALICE), kill(2, 60, ALICE, CAROL._replace(ship_type_id=24690))])
    assert {(f.character_id - 90_000_000, f.ship_type_id, p.is_victim) for f, p in flown.flights.items()} == {
        (1, RIFTER, True),
        (2, RIFTER, True),
        (3, 24690, False),
    }


def test_entities_hold_structures_owners_and_no_npc_corporations_of_npcs() -> None:
    structure = pilot(0, corporation=98_000_009, alliance=99_000_009)._replace(character_id=0)
    assert roll_of([kill(1, 0, structure, ALICE, RAT)]).entities == {
        98_000_009,
        99_000_009,
        ALICE.corporation_id,
    }


def test_a_pilot_who_changed_corporation_in_mid_battle_is_named_by_the_younger_one_whatever_the_order() -> (
    None
):
    sightings = [Participation(5, 1, False), Participation(5, 2, True), Participation(4, 9, False)]
    for one in sightings:
        for other in sightings:
            assert merged(one, other) == merged(other, one)
    assert merged(sightings[0], sightings[2]) == Participation(5, 1, False)
