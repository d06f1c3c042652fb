"""What feeds send becomes a reference, or an error that names the field."""

import json
from typing import Any

import pytest

from battlescope.errors import KillmailError
from battlescope.killmail import Attacker, Pilot
from ingest.payload import parse_killmail
from tests.support.payloads import KILL_TIME, Json, archive_line, esi_killmail, killmail_hash, zkb


@pytest.fixture
def killmail() -> Json:
    return archive_line(esi_killmail(134398778))


def complaint(document: object, **told: Any) -> str:
    with pytest.raises(KillmailError) as caught:
        parse_killmail(json.dumps(document), **told)
    return str(caught.value)


def test_an_esi_killmail_becomes_a_reference(killmail: Json) -> None:
    reference = parse_killmail(killmail)
    assert reference.killmail_id == 134398778
    assert reference.killmail_hash == killmail_hash(134398778)
    assert reference.killmail_time == KILL_TIME
    assert reference.solar_system_id == 30004993
    assert reference.victim == Pilot(2_124_000_778, 98_828_892, 0, 11129)
    assert reference.attackers == (
        Attacker(2_118_000_001, 98_000_001, 99_000_001, 4306, 2, final_blow=False),
        Attacker(2_118_000_000, 98_000_000, 99_000_000, 4306, 1, final_blow=True),
    )
    assert (reference.isk_value, reference.valued_at) == (None, 0)


def test_text_bytes_and_parsed_bodies_are_the_same(killmail: Json) -> None:
    text = json.dumps(killmail)
    assert parse_killmail(text) == parse_killmail(text.encode()) == parse_killmail(killmail)


def test_the_order_of_attackers_does_not_matter(killmail: Json) -> None:
    turned = {**killmail, "attackers": killmail["attackers"][::-1]}
    assert parse_killmail(turned) == parse_killmail(killmail)


def test_whatever_may_be_absent_is_zero(killmail: Json) -> None:
    killmail["victim"] = {"ship_type_id": 35832, "damage_taken": 1}
    killmail["attackers"] = [{"damage_done": 0, "final_blow": True}]
    reference = parse_killmail(killmail)
    assert reference.victim == Pilot(0, 0, 0, 35832)
    assert reference.attackers == (Attacker(0, 0, 0, 0, 0, final_blow=True),)


def test_a_field_that_is_null_is_absent(killmail: Json) -> None:
    killmail["victim"]["alliance_id"] = None
    assert parse_killmail(killmail).victim.alliance_id == 0


def test_unknown_fields_are_ignored(killmail: Json) -> None:
    plain = parse_killmail(killmail)
    killmail |= {"war_id": 7, "moon_id": 8, "http_last_modified": "x", "later": {"deep": []}}
    killmail["victim"]["later"] = killmail["attackers"][0]["later"] = 1
    assert parse_killmail(killmail) == plain


@pytest.mark.parametrize(
    ("value", "isk"),
    [(0, 0), (16107.17, 16107), (0.5, 0), (1.5, 2), (9.99e13, 99_900_000_000_000), (1e14, 10**14)],
)
def test_the_value_is_whole_isk_with_the_time_it_was_told(killmail: Json, value: float, isk: int) -> None:
    reference = parse_killmail(killmail, zkb={"totalValue": value}, uploaded_at=1774949044)
    assert (reference.isk_value, reference.valued_at) == (isk, 1774949044)


def test_a_value_told_without_a_time_is_the_oldest_but_no_estimate(killmail: Json) -> None:
    reference = parse_killmail(killmail, zkb={"totalValue": 5})
    assert (reference.isk_value, reference.valued_at) == (5, 1)


@pytest.mark.parametrize("block", [None, {}, {"hash": "0" * 40}, {"totalValue": None}])
def test_without_a_value_there_is_no_time_of_it(killmail: Json, block: Json | None) -> None:
    reference = parse_killmail(killmail, zkb=block, uploaded_at=1774949044)
    assert (reference.isk_value, reference.valued_at) == (None, 0)


def test_the_hash_is_the_feeds_else_zkillboards_else_the_bodys(killmail: Json) -> None:
    own, block = killmail["killmail_hash"], zkb(5)
    assert parse_killmail(killmail, killmail_hash="a" * 40, zkb=block).killmail_hash == "a" * 40
    assert parse_killmail(killmail, zkb=block).killmail_hash == block["hash"]
    assert parse_killmail(killmail).killmail_hash == own
    del killmail["killmail_hash"]
    assert complaint(killmail) == "killmail_hash: none is given"


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("killmail_id", 0, "killmail_id"),
        ("killmail_id", -1, "killmail_id"),
        ("killmail_id", "134398778", "killmail_id"),
        ("killmail_id", 1.5, "killmail_id"),
        ("killmail_id", True, "killmail_id"),
        ("killmail_id", 2**53, "killmail_id"),
        ("killmail_time", "yesterday", "killmail_time"),
        ("killmail_time", "2026-03-31T09:23:11", "killmail_time"),
        ("killmail_time", "2003-05-05T23:59:59Z", "killmail_time"),
        ("killmail_time", None, "killmail_time"),
        ("solar_system_id", 0, "solar_system_id"),
        ("solar_system_id", 2**31, "solar_system_id"),
        ("solar_system_id", None, "solar_system_id"),
        ("killmail_hash", "A" * 40, "killmail_hash"),
        ("killmail_hash", "a" * 39, "killmail_hash"),
        ("attackers", [], "attackers"),
        ("attackers", {}, "attackers"),
        ("victim", None, "victim"),
        ("victim", {"damage_taken": 1}, "victim.ship_type_id"),
        ("victim", {"ship_type_id": 587, "character_id": -1}, "victim.character_id"),
        ("victim", {"ship_type_id": 587, "corporation_id": "x"}, "victim.corporation_id"),
        ("victim", {"ship_type_id": 587, "alliance_id": 0}, "victim.alliance_id"),
        ("victim", {"ship_type_id": 2**31}, "victim.ship_type_id"),
        ("attackers", [{"final_blow": True}], "attackers.0.damage_done"),
        ("attackers", [{"damage_done": 1}], "attackers.0.final_blow"),
        ("attackers", [{"damage_done": 1, "final_blow": 1}], "attackers.0.final_blow"),
        ("attackers", [{"damage_done": -1, "final_blow": True}], "attackers.0.damage_done"),
        ("attackers", [{"damage_done": 2**31, "final_blow": True}], "attackers.0.damage_done"),
        ("attackers", [{"damage_done": 1, "final_blow": True}, 5], "attackers.1"),
    ],
)
def test_a_wrong_field_is_named(killmail: Json, path: str, value: object, where: str) -> None:
    assert complaint({**killmail, path: value}).startswith(f"{where}: ")


@pytest.mark.parametrize("field", ["killmail_id", "killmail_time", "solar_system_id", "attackers", "victim"])
def test_a_missing_field_is_named(killmail: Json, field: str) -> None:
    del killmail[field]
    assert complaint(killmail).startswith(f"{field}: Field required")


@pytest.mark.parametrize("value", [-1, 1.1e14, float("inf"), float("nan"), "much"])
def test_a_wrong_value_is_named(killmail: Json, value: object) -> None:
    with pytest.raises(KillmailError, match=r"^totalValue: "):
        parse_killmail(killmail, zkb={"totalValue": value})


def test_a_wrong_hash_of_zkillboards_is_named(killmail: Json) -> None:
    with pytest.raises(KillmailError, match=r"^hash: "):
        parse_killmail(killmail, zkb={"hash": "x"})


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "5", '"x"', "[" * 10_000, b"\xff\xfe", b"\0"])
def test_what_is_no_killmail_at_all(body: str | bytes) -> None:
    with pytest.raises(KillmailError, match=r"^killmail: "):
        parse_killmail(body)


def test_a_complaint_says_what_the_value_was_and_how_many_more_are_wrong(killmail: Json) -> None:
    killmail |= {"killmail_id": "x" * 500, "solar_system_id": 0}
    text = complaint(killmail)
    assert f"it was '{'x' * 80}'" in text
    assert text.endswith("(and 1 more)")
    assert "\n" not in text


def test_ten_thousand_attackers_are_read() -> None:
    assert len(parse_killmail(archive_line(esi_killmail(1, attackers=10_000))).attackers) == 10_000
