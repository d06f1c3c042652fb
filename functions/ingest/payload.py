"""The border: what feeds send, parsed once, strictly, into references.

Shapes: ESI's killmail (`GET /killmails/{id}/{hash}`), bare or with `killmail_hash` beside it (archives), and
zKillboard's `zkb` block. Unknown fields are ignored; known ones must be what ESI's specification says they are.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from battlescope.errors import KillmailError
from battlescope.killmail import Attacker, Killmail, Pilot, canonical_attackers

EVE_LAUNCH = datetime(2003, 5, 6, tzinfo=UTC)
"""No ship was lost before."""

type EveId = Annotated[int, Field(gt=0, lt=2**53)]
type TypeId = Annotated[int, Field(gt=0, lt=2**31)]
type KillmailHash = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class _Pilot(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    character_id: EveId | None = None
    corporation_id: EveId | None = None
    alliance_id: EveId | None = None
    ship_type_id: TypeId | None = None


class _Attacker(_Pilot):
    damage_done: Annotated[int, Field(ge=0, lt=2**31)]
    final_blow: bool


class _Victim(_Pilot):
    ship_type_id: TypeId


class _Killmail(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    killmail_id: EveId
    killmail_time: Annotated[AwareDatetime, Field(strict=False, ge=EVE_LAUNCH)]
    solar_system_id: Annotated[int, Field(gt=0, lt=2**31)]
    attackers: Annotated[list[_Attacker], Field(min_length=1, max_length=20_000)]
    victim: _Victim
    killmail_hash: KillmailHash | None = None


class _Zkb(BaseModel):
    model_config = ConfigDict(extra="ignore")

    hash: KillmailHash | None = None
    total_value: Annotated[float | None, Field(alias="totalValue", ge=0, le=1e14, allow_inf_nan=False)] = None


_KILLMAIL = TypeAdapter(_Killmail)
_ZKB = TypeAdapter(_Zkb)


def parse_killmail(
    body: bytes | str | dict[str, Any],
    *,
    killmail_hash: str | None = None,
    zkb: dict[str, Any] | None = None,
    uploaded_at: int = 0,
) -> Killmail:
    """A reference from an ESI killmail.

    Args:
        body: the killmail, as JSON text or parsed.
        killmail_hash: where the feed tells it outside the body; else `zkb.hash`, else the body's `killmail_hash`.
        zkb: zKillboard's block, which holds the value.
        uploaded_at: Unix seconds at which the feed put this version up; 0 where the feed does not tell. Its value
            then counts as the oldest told (1), still newer than an estimate (0).

    Raises:
        KillmailError: names the field, and what is wrong with it.
    """
    try:
        killmail = (
            _KILLMAIL.validate_json(body)
            if isinstance(body, bytes | str)
            else _KILLMAIL.validate_python(body)
        )
        value = _ZKB.validate_python(zkb or {})
    except ValidationError as error:
        raise KillmailError(_complaint(error)) from None
    known_hash = killmail_hash or value.hash or killmail.killmail_hash
    if known_hash is None:
        raise KillmailError("killmail_hash: none is given")
    return Killmail(
        killmail_id=killmail.killmail_id,
        killmail_hash=known_hash,
        killmail_time=int(killmail.killmail_time.timestamp()),
        solar_system_id=killmail.solar_system_id,
        victim=_pilot(killmail.victim),
        attackers=canonical_attackers(
            Attacker(*_pilot(attacker), attacker.damage_done, attacker.final_blow)
            for attacker in killmail.attackers
        ),
        isk_value=None if value.total_value is None else round(value.total_value),
        valued_at=0 if value.total_value is None else max(uploaded_at, 1),
    )


def _pilot(pilot: _Pilot) -> Pilot:
    return Pilot(
        pilot.character_id or 0, pilot.corporation_id or 0, pilot.alliance_id or 0, pilot.ship_type_id or 0
    )


def _complaint(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    first = problems[0]
    where = ".".join(map(str, first["loc"])) or "killmail"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {first['msg']}; it was {str(first['input'])[:80]!r}{more}"
