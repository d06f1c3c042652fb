"""The border: what feeds send, parsed once, strictly, into references.

Shapes: ESI's killmail (`GET /killmails/{id}/{hash}`), bare or with `killmail_hash` beside it (archives), and
zKillboard's `zkb` block. Unknown fields are ignored; known ones must be what ESI's specification says they are.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, NotRequired, TypedDict

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    with_config,
)

from battlescope.errors import KillmailError
from battlescope.killmail import EVE_LAUNCH_S, Attacker, Killmail, Pilot, canonical_attackers

_EVE_LAUNCH = datetime.fromtimestamp(EVE_LAUNCH_S, UTC)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_YEAR = re.compile("[0-9]{4}-")


def _spelt_out(time: object) -> object:
    # pydantic also reads numbers, as seconds or as milliseconds by their size: a guess, and ESI sends none.
    if not (isinstance(time, str) and _YEAR.match(time)):
        raise ValueError("must be a time as ISO 8601 has it, in a string")
    return time


type EveId = Annotated[int, Field(gt=0, lt=2**53, strict=True)]
type TypeId = Annotated[int, Field(gt=0, lt=2**31, strict=True)]
type KillmailHash = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$", strict=True)]


# Typed dictionaries, since a killmail has as many attackers as it likes: they are validated in a third of the time
# that models take.
_STRICT = ConfigDict(strict=True, extra="ignore")


@with_config(_STRICT)
class _Attacker(TypedDict):
    character_id: NotRequired[EveId | None]
    corporation_id: NotRequired[EveId | None]
    alliance_id: NotRequired[EveId | None]
    ship_type_id: NotRequired[TypeId | None]
    damage_done: Annotated[int, Field(ge=0, lt=2**31)]
    final_blow: bool


@with_config(_STRICT)
class _Victim(TypedDict):
    character_id: NotRequired[EveId | None]
    corporation_id: NotRequired[EveId | None]
    alliance_id: NotRequired[EveId | None]
    ship_type_id: TypeId


@with_config(_STRICT)
class _Killmail(TypedDict):
    killmail_id: EveId
    killmail_time: Annotated[
        AwareDatetime, Field(strict=False, ge=_EVE_LAUNCH, le=_LAST_MOMENT), BeforeValidator(_spelt_out)
    ]
    solar_system_id: Annotated[int, Field(gt=0, lt=2**31)]
    attackers: Annotated[list[_Attacker], Field(min_length=1, max_length=20_000)]
    victim: _Victim
    killmail_hash: NotRequired[KillmailHash | None]


class _Zkb(BaseModel):
    model_config = ConfigDict(extra="ignore")

    hash: KillmailHash | None = None
    total_value: Annotated[
        float | None, Field(alias="totalValue", ge=0, le=1e14, allow_inf_nan=False, strict=True)
    ] = None


_KILLMAIL = TypeAdapter(_Killmail)
_ZKB = TypeAdapter(_Zkb)
_NOT_TOLD = _Zkb()


def parse_killmail(
    body: bytes | str | dict[str, Any],
    *,
    killmail_hash: str | None = None,
    zkb: dict[str, Any] | None = None,
    uploaded_at: int = 0,
    estimate: Callable[[], int | None] = lambda: None,
) -> Killmail:
    """A reference from an ESI killmail.

    Args:
        body: the killmail, as JSON text or parsed.
        killmail_hash: where the feed tells it outside the body; else `zkb.hash`, else the body's `killmail_hash`.
        zkb: zKillboard's block, which holds the value.
        uploaded_at: Unix seconds at which the feed put this version up; 0 where the feed does not tell. Its value
            then counts as the oldest told (1), still newer than an estimate (0).
        estimate: the value where zKillboard's block tells none; only of what is a killmail.

    Raises:
        KillmailError: names the field, and what is wrong with it.
    """
    try:
        killmail = (
            _KILLMAIL.validate_json(body)
            if isinstance(body, bytes | str)
            else _KILLMAIL.validate_python(body)
        )
        value = _NOT_TOLD if zkb is None else _ZKB.validate_python(zkb)
    except ValidationError as error:
        raise KillmailError(_complaint(error)) from None
    known_hash = killmail_hash or value.hash or killmail.get("killmail_hash")
    if known_hash is None:
        raise KillmailError("killmail_hash: none is given")
    victim = killmail["victim"]
    return Killmail(
        killmail_id=killmail["killmail_id"],
        killmail_hash=known_hash,
        killmail_time=int(killmail["killmail_time"].timestamp()),
        solar_system_id=killmail["solar_system_id"],
        victim=Pilot(
            victim.get("character_id") or 0,
            victim.get("corporation_id") or 0,
            victim.get("alliance_id") or 0,
            victim["ship_type_id"],
        ),
        attackers=canonical_attackers(
            Attacker(
                attacker.get("character_id") or 0,
                attacker.get("corporation_id") or 0,
                attacker.get("alliance_id") or 0,
                attacker.get("ship_type_id") or 0,
                attacker["damage_done"],
                attacker["final_blow"],
            )
            for attacker in killmail["attackers"]
        ),
        isk_value=estimate() if value.total_value is None else round(value.total_value),
        valued_at=0 if value.total_value is None else max(uploaded_at, 1),
    )


def _complaint(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    first = problems[0]
    where = ".".join(map(str, first["loc"])) or "killmail"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    reason = first["msg"].removeprefix("Value error, ")
    return f"{where}: {reason}; it was {str(first['input'])[:80]!r}{more}"
