"""Lists as tables: the columns of a CSV file, in an order that stays, and the lines of a JSON lines file.

Where an id has a name beside it, so has its column. Times are UTC with a Z, ISK is whole ISK, what is not known is
empty, and several values in a cell are parted by `;`. Lines end in CRLF (RFC 4180).

Names are chosen by players, and spreadsheets take a cell that begins with one of `=+-@`, a tab or a line break for a
formula. So a name that begins so has an apostrophe before it, as OWASP advises: spreadsheets hide it, and other
readers take it off. Numbers are left alone, and JSON lines have every name as it is.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from api.formats import Format
from api.models.battles import (
    BATTLE,
    BATTLE_KILLMAIL,
    PARTICIPANT,
    Battle,
    BattleKillmail,
    Participant,
)
from api.models.common import Named

_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BETWEEN = ";"


class Table[Item](NamedTuple):
    """A list as a table.

    Attributes:
        columns: the header of a CSV file.
        row: an item's cells, in the order of the columns.
        line: writes an item as a line of JSON.
    """

    columns: tuple[str, ...]
    row: Callable[[Item], Sequence[Any]]
    line: TypeAdapter[Item]


def written[Item](table: Table[Item], format_: Format, items: Iterable[Item], *, with_header: bool) -> bytes:
    """Items as a part of a file, which begins here where it has a header."""
    if format_ == "jsonl":
        return b"".join(table.line.dump_json(item) + b"\n" for item in items)
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    if with_header:
        rows.writerow(table.columns)
    rows.writerows([_cell(value) for value in table.row(item)] for item in items)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}" if not value.microsecond else f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"
    return value


def _name(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_BEGINS) else text


def _named(thing: Named | None) -> tuple[int | None, str | None]:
    return (None, None) if thing is None else (thing["id"], _name(thing["name"]))


def _id_and_name(*things: str) -> tuple[str, ...]:
    return tuple(f"{thing}_{part}" for thing in things for part in ("id", "name"))


def _battle(battle: Battle) -> Sequence[Any]:
    system = battle["system"]
    return (
        battle["id"],
        *_named(system),
        *_named(system["region"]),
        system["security"],
        battle["space_type"],
        battle["start_time"],
        battle["end_time"],
        battle["total_kills"],
        battle["losses"],
        battle["pilots"],
        battle["total_isk_destroyed"],
        battle["zkill_related_url"],
        battle["revision"],
        battle["updated_at"],
    )


def _killmail(killmail: BattleKillmail) -> Sequence[Any]:
    victim = killmail["victim"]
    attackers = killmail["attacker_alliances"]
    return (
        killmail["killmail_id"],
        killmail["timestamp"],
        *_named(victim["character"]),
        *_named(victim["corporation"]),
        *_named(victim["alliance"]),
        *_named(victim["ship_type"]),
        _BETWEEN.join(str(alliance["id"]) for alliance in attackers),
        _BETWEEN.join(_name(alliance["name"]) for alliance in attackers),
        killmail["isk_value"],
        killmail["value_source"],
        killmail["side_id"],
        killmail["zkb_url"],
    )


def _participant(participant: Participant) -> Sequence[Any]:
    return (
        *_named(participant["character"]),
        *_named(participant["ship_type"]),
        *_named(participant["corporation"]),
        *_named(participant["alliance"]),
        participant["side_id"],
        participant["is_victim"],
    )


BATTLES: Table[Battle] = Table(
    (
        "id",
        *_id_and_name("system", "region"),
        "security",
        "space_type",
        "start_time",
        "end_time",
        "total_kills",
        "losses",
        "pilots",
        "total_isk_destroyed",
        "zkill_related_url",
        "revision",
        "updated_at",
    ),
    _battle,
    BATTLE,
)
KILLMAILS: Table[BattleKillmail] = Table(
    (
        "killmail_id",
        "timestamp",
        *_id_and_name("victim_character", "victim_corporation", "victim_alliance", "victim_ship_type"),
        "attacker_alliance_ids",
        "attacker_alliance_names",
        "isk_value",
        "value_source",
        "side_id",
        "zkb_url",
    ),
    _killmail,
    BATTLE_KILLMAIL,
)
PARTICIPANTS: Table[Participant] = Table(
    (*_id_and_name("character", "ship_type", "corporation", "alliance"), "side_id", "is_victim"),
    _participant,
    PARTICIPANT,
)
MEMBERS: dict[str, Table[Any]] = {"killmails": KILLMAILS, "participants": PARTICIPANTS}
"""What of a battle's members is called what."""
