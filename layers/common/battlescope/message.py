"""The queue's contract: one message carries references of one solar system.

A body is JSON, `{"v": 1, "system_id": ..., "killmails": [...]}`, a reference being a plain array in the order of
`_Row`. A single reference that does not fit a message so (thousands of attackers) travels deflated, as
`{"v": 1, "system_id": ..., "deflated": "<base64>"}` of the same array of references.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from battlescope.errors import KillmailError, MessageError
from battlescope.killmail import (
    EVE_LAUNCH_S,
    YEAR_10000_S,
    Attacker,
    Killmail,
    Pilot,
    canonical_attackers,
)

MESSAGE_BYTES_MAX = 240 * 1024
"""A body's limit, under SQS' 256 KiB with room for attributes."""

INFLATED_BYTES_MAX = 8 * 1024 * 1024
"""More than any killmail needs; a deflated body that grows beyond it is refused."""

# What the feeds' parser lets pass, and so what the database has room for.
type _Id = Annotated[int, Field(ge=0, lt=2**53)]
type _TypeId = Annotated[int, Field(ge=0, lt=2**31)]
type _Pilot = tuple[_Id, _Id, _Id, _TypeId]
type _Attacker = tuple[_Id, _Id, _Id, _TypeId, Annotated[int, Field(ge=0, lt=2**31)], bool]
type _Row = tuple[
    Annotated[int, Field(gt=0, lt=2**53)],
    Annotated[str, Field(pattern="^[0-9a-f]{40}$")],
    Annotated[int, Field(ge=EVE_LAUNCH_S, lt=YEAR_10000_S)],
    _Pilot,
    Annotated[list[_Attacker], Field(min_length=1)],
    Annotated[int, Field(ge=0, le=10**14)] | None,
    Annotated[int, Field(ge=0, lt=2**40)],
]


@with_config(ConfigDict(extra="forbid"))
class _Body(TypedDict):
    v: Literal[1]
    system_id: Annotated[int, Field(gt=0, lt=2**31)]
    killmails: NotRequired[list[_Row] | None]
    deflated: NotRequired[str | None]


@cache
def _body() -> TypeAdapter[_Body]:
    """Built at first use: it takes a tenth of the import, and a poller never unpacks."""
    return TypeAdapter(_Body)


@cache
def _rows() -> TypeAdapter[list[_Row]]:
    return TypeAdapter(list[_Row])


@dataclass(frozen=True, slots=True)
class Message:
    """References of one solar system."""

    system_id: int
    killmails: tuple[Killmail, ...]


def pack(killmails: Iterable[Killmail]) -> list[tuple[int, str]]:
    """Bodies of at most MESSAGE_BYTES_MAX bytes for these references, as `(solar system, body)`.

    References of one system stay in their order; a system's messages stand in the order they must be sent.

    Raises:
        KillmailError: one reference alone does not fit a message, even deflated.
    """
    rows_by_system: dict[int, list[str]] = {}
    for killmail in killmails:
        rows_by_system.setdefault(killmail.solar_system_id, []).append(_row(killmail))
    return [
        (system_id, body) for system_id, rows in rows_by_system.items() for body in _bodies(system_id, rows)
    ]


def fits(killmail: Killmail) -> bool:
    """Whether one reference fits a message of its own."""
    try:
        pack([killmail])
    except KillmailError:
        return False
    return True


def unpack(body: str) -> Message:
    """The references in a body.

    Raises:
        MessageError: the body is not one of ours, or holds a reference of another system.
    """
    try:
        parsed = _body().validate_json(body, strict=True)
        rows = _rows_of(parsed)
    except ValueError as error:  # pydantic's are such, too
        raise MessageError(f"not a message of references: {_first_complaint(error)}") from None
    if not rows:
        raise MessageError("a message without references")
    system_id = parsed["system_id"]
    return Message(system_id, tuple(_killmail(system_id, row) for row in rows))


def _row(killmail: Killmail) -> str:
    return json.dumps(
        [
            killmail.killmail_id,
            killmail.killmail_hash,
            killmail.killmail_time,
            killmail.victim,
            killmail.attackers,
            killmail.isk_value,
            killmail.valued_at,
        ],
        separators=(",", ":"),
    )


def _rows_of(body: _Body) -> list[_Row] | None:
    rows, deflated = body.get("killmails"), body.get("deflated")
    if deflated is None:
        return rows
    if rows is not None:
        raise ValueError("killmails: are there twice, also as deflated")
    return _rows().validate_json(_inflate(deflated), strict=True)


def _killmail(system_id: int, row: _Row) -> Killmail:
    killmail_id, killmail_hash, killmail_time, victim, attackers, isk_value, valued_at = row
    return Killmail(
        killmail_id=killmail_id,
        killmail_hash=killmail_hash,
        killmail_time=killmail_time,
        solar_system_id=system_id,
        victim=Pilot._make(victim),
        attackers=canonical_attackers(map(Attacker._make, attackers)),
        isk_value=isk_value,
        valued_at=valued_at,
    )


def _bodies(system_id: int, rows: Sequence[str]) -> Iterable[str]:
    head = f'{{"v":1,"system_id":{system_id},"killmails":['
    room = MESSAGE_BYTES_MAX - len(head) - 2
    held: list[str] = []
    size = 0
    for row in rows:
        if held and size + len(row) + 1 > room:
            yield f"{head}{','.join(held)}]}}"
            held, size = [], 0
        if len(row) > room:
            yield _deflated(system_id, row)
            continue
        held.append(row)
        size += len(row) + 1
    if held:
        yield f"{head}{','.join(held)}]}}"


def _deflated(system_id: int, row: str) -> str:
    packed = base64.b64encode(zlib.compress(f"[{row}]".encode(), level=9)).decode()
    body = f'{{"v":1,"system_id":{system_id},"deflated":"{packed}"}}'
    if len(body) > MESSAGE_BYTES_MAX:
        raise KillmailError(
            f"killmail {row[1 : row.index(',')]} takes {len(body)} bytes in a message, "
            f"of which {MESSAGE_BYTES_MAX} are allowed"
        )
    return body


def _inflate(packed: str) -> bytes:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(base64.b64decode(packed, validate=True), INFLATED_BYTES_MAX)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"deflated: {error}") from None
    if inflater.unconsumed_tail:
        raise ValueError(f"deflated: inflates beyond {INFLATED_BYTES_MAX} bytes")
    if not inflater.eof or inflater.unused_data:
        raise ValueError("deflated: is cut off, or goes on behind its end")
    return data


def _first_complaint(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"
    return str(error)
