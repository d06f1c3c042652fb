"""What a killmail said, read without any of BattleScope's parsing, to compare with what was parsed."""

import json
from datetime import datetime
from typing import Any

from battlescope.killmail import Attacker, Killmail, Pilot

_PILOT = ("character_id", "corporation_id", "alliance_id", "ship_type_id")


def said_by_killmail(killmail: Killmail, esi: Any) -> None:
    """Nothing of the killmail is other than ESI's document says, and nothing is of a kind that it must not be."""
    is_told(killmail.killmail_id, esi["killmail_id"], 1, 2**53)
    is_told(killmail.solar_system_id, esi["solar_system_id"], 1, 2**31)
    moment = datetime.fromisoformat(esi["killmail_time"].upper())  # RFC 3339 allows a small z
    assert moment.tzinfo is not None
    assert killmail.killmail_time == int(moment.timestamp())
    assert datetime.fromisoformat("2003-05-06T00:00:00Z") <= moment
    assert pilot_said(esi["victim"]) == killmail.victim
    assert type(esi["victim"]["ship_type_id"]) is int
    attackers = [_attacker_said(one) for one in esi["attackers"]]
    assert len(attackers) == len(killmail.attackers)
    assert sorted(attackers) == sorted(killmail.attackers)


def said_by_row(killmail: Killmail, row: Any) -> None:
    """Nothing of the killmail is other than a message's row says."""
    is_told(killmail.killmail_id, row[0], 1, 2**53)
    assert killmail.killmail_hash == row[1]
    is_told(killmail.killmail_time, row[2], 1_052_179_200, 253_402_300_800)
    assert list(killmail.victim) == row[3]
    for victim_number in row[3]:
        is_told(victim_number, victim_number, 0, 2**53)
    assert sorted(map(list, killmail.attackers)) == sorted(row[4])
    for *numbers, final_blow in row[4]:
        assert type(final_blow) is bool
        for number in numbers:
            is_told(number, number, 0, 2**53)
    assert killmail.isk_value == row[5]
    if row[5] is not None:
        is_told(row[5], row[5], 0, 10**14 + 1)
    is_told(killmail.valued_at, row[6], 0, 2**40)


def value_said(killmail: Killmail, zkb: Any, uploaded_at: Any) -> None:
    """The value is the one that zKillboard told, in whole ISK."""
    value = None if zkb is None else zkb.get("totalValue")
    if value is None:
        assert (killmail.isk_value, killmail.valued_at) == (None, 0)
        return
    assert type(value) in {int, float}
    assert killmail.isk_value == round(value)
    assert 0 <= value <= 1e14
    assert killmail.valued_at == max(uploaded_at or 0, 1)


def is_told(parsed: int, said: Any, least: int, end: int) -> None:
    """A whole number is the one that was said, as a number, and lies within its bounds."""
    assert type(said) is int
    assert parsed == said
    assert least <= parsed < end


def pilot_said(told: dict[str, Any]) -> Pilot:
    """Who a document names; what is absent or null is 0."""
    numbers = []
    for name in _PILOT:
        number = told.get(name)
        if number is not None:
            is_told(number, number, 1, 2**31 if name == "ship_type_id" else 2**53)
        numbers.append(number or 0)
    return Pilot(*numbers)


def _attacker_said(told: dict[str, Any]) -> Attacker:
    assert type(told["damage_done"]) is int
    assert type(told["final_blow"]) is bool
    assert 0 <= told["damage_done"] < 2**31
    return Attacker(*pilot_said(told), told["damage_done"], told["final_blow"])


def document_of(text: bytes) -> Any:
    """JSON as Python reads it."""
    return json.loads(text.decode())
