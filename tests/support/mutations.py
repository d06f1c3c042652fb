"""Documents as they must not be: real shapes, changed in their structure or in their bytes, from a seed."""

import copy
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, 587.0, -0.0, 1e14, 1.1e14, 1e308),
    *(float("nan"), float("inf"), float("-inf")),
    *(2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**60, 2**63 - 1, 2**63, -(2**63), 10**40, 10**400),
    *("", "0", "587", "1e3", "\0", "a\0b", "\ud800", "\udfff\ud800", "x" * 100_000, "a" * 40, "A" * 40),
    *("2003-05-05T23:59:59Z", "2003-05-06T00:00:00Z", "2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-03-31T09:23:11", "2026-03-31"),
    *("1774948991", 1_774_948_991, 1_774_948_991_000, "2026-03-31T09:23:60Z", "2026-02-30T00:00:00Z"),
    *([], {}, [[]], [None], [0] * 50, {"killmail_id": 1}, {"\0": "\0"}, {"\ud800": 1}),
    *(_nested(100), _nested(300)),
)
"""Too small, too large, of the wrong kind, or not what any database keeps."""

type _Place = tuple[Any, Any]
"""A container, and a key of it."""


def places(document: Any) -> list[_Place]:
    """Everything in a document that can be replaced."""
    found: list[_Place] = []
    todo = [document]
    while todo:
        container = todo.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                todo.append(container[key])
    return found


def replaced(document: Any, place: int, value: Any) -> Any:
    """A copy in which something is something else; `place` may be any number from 0 on."""
    mutant = copy.deepcopy(document)
    all_places = places(mutant)
    container, key = all_places[place % len(all_places)]
    container[key] = copy.deepcopy(value)
    return mutant


def mutated(document: Any, chance: Random) -> Any:
    """A copy with one to three changes to its structure."""
    mutant = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if not (all_places := places(mutant)):
            break
        container, key = chance.choice(all_places)
        other, other_key = chance.choice(all_places)
        kind = chance.randrange(5)
        if kind == 0:
            container.pop(key)
        elif kind == 1 and isinstance(container, dict):
            container[chance.choice(("\0", "\ud800", "later", "killmail_id", "esi", "v"))] = container[key]
        elif kind == 2 and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif kind == 3:
            container[key] = copy.deepcopy(other[other_key])
        else:
            container[key] = copy.deepcopy(chance.choice(ODD_VALUES))
    return mutant


def mutant_of(document: Any, chance: Random) -> bytes:
    """JSON that was changed in its structure or in its bytes."""
    return spelt(mutated(document, chance)) if chance.random() < 0.5 else scrambled(spelt(document), chance)


def spelt(document: Any) -> bytes:
    """A document as JSON, also where JSON has no word for what is in it (NaN, halves of surrogates)."""
    return json.dumps(document, separators=(",", ":")).encode()


def scrambled(text: bytes, chance: Random) -> bytes:
    """A text with one to three changes to its bytes."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.choice((1, 1, 2, 5, 40, 400)))
        text = chance.choice(_SCRAMBLINGS)(text, at, end, chance) or b"?"
    return text


def _flip(text: bytes, at: int, _: int, chance: Random) -> bytes:
    at = min(at, len(text) - 1)
    return text[:at] + bytes([text[at] ^ 1 << chance.randrange(8)]) + text[at + 1 :]


def _remove(text: bytes, at: int, end: int, _: Random) -> bytes:
    return text[:at] + text[end:]


def _double(text: bytes, at: int, end: int, _: Random) -> bytes:
    return text[:end] + text[at:end] + text[end:]


def _cut_off(text: bytes, at: int, _: int, __: Random) -> bytes:
    return text[:at]


def _insert(text: bytes, at: int, _: int, chance: Random) -> bytes:
    return text[:at] + chance.choice(_FOREIGN) + text[at:]


def _another_digit(text: bytes, at: int, _: int, chance: Random) -> bytes:
    found = next((n for n in range(at, len(text)) if text[n : n + 1].isdigit()), None)
    if found is None:
        return text
    return text[:found] + str(chance.randrange(10)).encode() + text[found + 1 :]


_FOREIGN: Sequence[bytes] = (
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\u0000", b"\\ud800", b'"', b"{", b"[", b"]", b"}"),
    *(
        b",",
        b":",
        b"-",
        b"e9",
        b"0",
        b"9" * 30,
        b"9" * 5000,
        b"NaN",
        b"null",
        b'"killmail_id":7,',
        b"[" * 500,
    ),
    *(b"\n", b"\r\n", b"<html>", b"=cmd|' /c calc'!A0"),
)
_SCRAMBLINGS: Sequence[Callable[[bytes, int, int, Random], bytes]] = (
    *(_flip, _flip, _remove, _double, _cut_off, _insert, _insert, _another_digit, _another_digit),
)
