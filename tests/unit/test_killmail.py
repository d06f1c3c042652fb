"""What a reference tells about itself."""

from dataclasses import replace

import pytest

from battlescope.killmail import (
    Attacker,
    Killmail,
    Pilot,
    affiliation_id,
    canonical_attackers,
    is_player_corporation,
    parties,
)

PLAYER_CORPORATION, NPC_CORPORATION, ALLIANCE = 98_000_001, 1_000_125, 99_000_001
VICTIM = Pilot(90_000_001, PLAYER_CORPORATION, ALLIANCE, 587)
CONCORD = Attacker(0, NPC_CORPORATION, 0, 3885, 1000, final_blow=True)
HUNTER = Attacker(90_000_002, 98_000_002, 0, 11379, 1000, final_blow=True)
TOWER = Attacker(0, 98_000_003, 99_000_003, 35832, 10, final_blow=False)
PIRATE = Attacker(0, 0, 0, 11900, 500, final_blow=False)

KILL = Killmail(
    killmail_id=1,
    killmail_hash="ab" * 20,
    killmail_time=1_640_000_000,
    solar_system_id=30_002_813,
    victim=VICTIM,
    attackers=(HUNTER,),
)


@pytest.mark.parametrize(
    ("corporation_id", "is_players"),
    [
        (0, False),
        (999_999, True),
        (1_000_000, False),
        (1_999_999, False),
        (2_000_000, True),
        (98_000_001, True),
    ],
)
def test_corporations_of_ccp_are_no_players(corporation_id: int, is_players: bool) -> None:
    assert is_player_corporation(corporation_id) is is_players


@pytest.mark.parametrize(
    ("corporation_id", "alliance_id", "affiliation"),
    [
        (PLAYER_CORPORATION, ALLIANCE, ALLIANCE),
        (PLAYER_CORPORATION, 0, PLAYER_CORPORATION),
        (NPC_CORPORATION, 0, 0),
        (NPC_CORPORATION, ALLIANCE, ALLIANCE),
        (0, 0, 0),
    ],
)
def test_an_affiliation_is_the_alliance_else_the_player_corporation(
    corporation_id: int, alliance_id: int, affiliation: int
) -> None:
    assert affiliation_id(corporation_id, alliance_id) == affiliation
    assert Pilot(90_000_009, corporation_id, alliance_id, 587).affiliation_id == affiliation


@pytest.mark.parametrize(
    ("attackers", "is_npc_only"),
    [
        ((CONCORD,), True),
        ((PIRATE,), True),
        ((CONCORD, PIRATE), True),
        ((HUNTER,), False),
        ((CONCORD, HUNTER), False),
        ((TOWER,), False),
        ((Attacker(90_000_005, NPC_CORPORATION, 0, 587, 1, final_blow=True),), False),
    ],
)
def test_npc_only_is_without_character_and_player_corporation(
    attackers: tuple[Attacker, ...], is_npc_only: bool
) -> None:
    assert replace(KILL, attackers=attackers).is_npc_only is is_npc_only


def test_parties_are_characters_and_affiliations_of_both_sides() -> None:
    killmail = replace(KILL, attackers=(HUNTER, TOWER, CONCORD, PIRATE))
    assert killmail.parties == {90_000_001, ALLIANCE, 90_000_002, 98_000_002, 99_000_003}


def test_a_corporation_in_an_alliance_is_no_party() -> None:
    assert PLAYER_CORPORATION not in KILL.parties


def test_the_only_party_of_an_npc_only_killmail_is_its_victim() -> None:
    assert replace(KILL, attackers=(CONCORD,)).parties == {90_000_001}


def test_a_structure_lost_to_npcs_has_no_party() -> None:
    structure = replace(KILL, victim=Pilot(0, PLAYER_CORPORATION, ALLIANCE, 35832), attackers=(PIRATE,))
    assert structure.parties == frozenset()


def test_a_structure_lost_to_players_has_its_owners_as_party() -> None:
    structure = replace(KILL, victim=Pilot(0, PLAYER_CORPORATION, ALLIANCE, 35832))
    assert structure.parties == {ALLIANCE, 90_000_002, 98_000_002}


def test_parties_are_the_same_from_columns() -> None:
    killmail = replace(KILL, attackers=(HUNTER, TOWER, CONCORD, PIRATE))
    assert parties(
        VICTIM, (90_000_002, 0, 0, 0), (98_000_002, 98_000_003, 1_000_125, 0), (0, 99_000_003, 0, 0)
    ) == (killmail.parties)


@pytest.mark.parametrize(("ship_type_id", "is_pod"), [(670, True), (33328, True), (587, False), (0, False)])
def test_capsules_are_pods(ship_type_id: int, is_pod: bool) -> None:
    assert replace(KILL, victim=VICTIM._replace(ship_type_id=ship_type_id)).is_pod is is_pod


def test_attackers_stand_in_one_order_whatever_the_feeds() -> None:
    twins = (
        Attacker(0, 0, 0, 1, 5, final_blow=False),
        Attacker(0, 0, 0, 1, 5, final_blow=True),
        Attacker(7, 0, 0, 1, 5, final_blow=False),
        Attacker(3, 0, 0, 1, 9, final_blow=False),
    )
    ordered = canonical_attackers(twins)
    assert ordered == canonical_attackers(reversed(twins))
    assert [attacker.damage_done for attacker in ordered] == [9, 5, 5, 5]
    assert ordered[1].final_blow
