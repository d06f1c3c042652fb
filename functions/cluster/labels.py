"""Battles that somebody else found: labelled killmails, to be scored against.

Three formats, told apart by how the file begins: JSON lines, CSV with a header, and one JSON array of objects, as in the
`kill_dump` of CCP's monthly economic report. Fields go by name, whatever their case and punctuation (`killmail_id`,
`killmailId`, `KillID`); fields of other names are ignored. A killmail may stand in several rows, one per affiliation.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from battlescope.errors import BattleScopeError

NAMES = {
    "killmail_id": ("killmailid", "killid", "killmail"),
    "battle_id": ("battleid", "battle"),
    "affiliation": ("affiliationid", "affiliation"),
    "side": ("sideid", "side"),
}
"""Field -> the names it goes by, in lower case and without punctuation."""

NEEDED = ("killmail_id", "battle_id")

NO_BATTLE = frozenset({"", "0", "-1", "null", "none"})
"""What stands where a killmail belongs to no battle."""


class LabelsError(BattleScopeError):
    """Labels that cannot be read."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the file says.

    Attributes:
        battles: killmail -> its battle, or None where the file says that it belongs to none.
        sides: battle -> affiliation -> its side, as the file names it; "0" is a third party.
    """

    battles: dict[int, str | None] = field(default_factory=dict)
    sides: dict[str, dict[int, str]] = field(default_factory=dict)


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    killmail_id: int
    battle_id: str | None
    affiliation: int | None = None
    side: str | None = None


def read_labels(path: str | Path) -> Labels:
    """The labels in a file.

    Raises:
        LabelsError: the file cannot be read; a row lacks a field or holds what it cannot be (which one, and where);
            a killmail is in two battles, or an affiliation on two sides of one.
    """
    file = Path(path)
    labels = Labels()
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            for where, record in _records(text):
                _add(labels, _row(record, f"{file.name}, {where}"), f"{file.name}, {where}")
    except OSError as error:
        raise LabelsError(f"{file}: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise LabelsError(f"{file.name}: neither JSON lines, CSV nor a JSON array: {error}") from error
    if not labels.battles:
        raise LabelsError(f"{file.name}: no labels in it")
    return labels


def _records(text: TextIO) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What stands where: each row as it is in the file."""
    start = text.read(1)
    while start.isspace():
        start = text.read(1)
    text.seek(0)
    if start == "[":
        for number, record in enumerate(json.load(text), 1):
            yield f"entry {number}", record
    elif start == "{":
        for number, line in enumerate(text, 1):
            if line.strip():
                yield f"line {number}", json.loads(line)
    else:
        for number, row in enumerate(csv.DictReader(text), 2):
            yield f"line {number}", {name: value or None for name, value in row.items() if name}


def _row(record: Mapping[str, Any], where: str) -> _Row:
    if not isinstance(record, Mapping):
        raise LabelsError(f"{where}: an object with named fields was expected; it was {str(record)[:80]!r}")
    named = {"".join(filter(str.isalnum, name)).lower(): value for name, value in record.items()}
    fields = {
        name: next((named[known] for known in variants if known in named), None)
        for name, variants in NAMES.items()
        if not named.keys().isdisjoint(variants)
    }
    for name in NEEDED:
        if name not in fields:
            raise LabelsError(f"{where}: no field {name}; it has {', '.join(record) or 'none'}")
    try:
        return _Row.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise LabelsError(f"{where}: {first['loc'][0]}: {first['msg']}; it was {first['input']!r}") from None


def _add(labels: Labels, row: _Row, where: str) -> None:
    battle = None if row.battle_id is None or row.battle_id.lower() in NO_BATTLE else row.battle_id
    if labels.battles.setdefault(row.killmail_id, battle) != battle:
        raise LabelsError(
            f"{where}: killmail {row.killmail_id} is in battle {row.battle_id}, and above in another"
        )
    if battle is None or row.affiliation is None or row.side is None:
        return
    known = labels.sides.setdefault(battle, {}).setdefault(row.affiliation, row.side)
    if known != row.side:
        raise LabelsError(
            f"{where}: affiliation {row.affiliation} is on side {row.side} of battle {battle}, and above on {known}"
        )
