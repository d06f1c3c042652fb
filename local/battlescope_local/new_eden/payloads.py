"""Losses as R2Z2 serves them: numbered, hashed, and uploaded sooner or later, sometimes twice."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from battlescope_local.new_eden.dice import Dice
from battlescope_local.new_eden.losses import Loss

type Payload = dict[str, Any]
"""A killmail in R2Z2's shape: `killmail_id`, `hash`, `esi`, `zkb`, `uploaded_at`, `sequence_id`."""

LATE_MAX_H = 4
"""No upload comes later after its kill."""

FIRST_HOUR = 490_896
"""2026-01-01T00:00Z in hours since 1970; ids count from there (and below it before)."""

FIRST_KILLMAIL_ID = 132_000_000
FIRST_SEQUENCE = 95_000_000
IDS_PER_HOUR = 10_000
"""More than an hour can hold: the counts of `history.ENGAGEMENTS` are bounded, and so are the losses of each."""

DELAY_S = (
    (0.0, 2.0),
    (0.5, 25.0),
    (0.85, 140.0),
    (0.94, 900.0),
    (0.97, 7_200.0),
    (1.0, LATE_MAX_H * 3_600 - 1.0),
)
"""Seconds from kill to upload: mostly under a minute, but one in thirty takes hours."""

UPLOADED_AGAIN = 0.02
"""Share of killmails that come a second time, most of them with a new value."""


def uploads(dice: Dice, hour: int, losses: Iterable[Loss]) -> Iterator[Payload]:
    """Every upload of the losses of one hour; ids ascend with the time of the kill."""
    for first, loss in numbered(hour, losses):
        first["uploaded_at"] = loss.at + int(dice.quantile(DELAY_S))
        yield first
        if dice.chance(UPLOADED_AGAIN):
            latest = (hour + LATE_MAX_H) * 3600 - 1
            again = min(latest, first["uploaded_at"] + dice.whole(20, 9_000))
            value = round(loss.isk * dice.pick((1.0, dice.between(0.9, 1.15), dice.between(0.97, 1.03))), 2)
            yield {**first, "uploaded_at": again, "zkb": {**first["zkb"], "totalValue": value}}


def numbered(hour: int, losses: Iterable[Loss]) -> Iterator[tuple[Payload, Loss]]:
    """The losses of one hour in R2Z2's shape, uploaded the moment they happened."""
    day_and_hour = datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H")
    for killmail_id, loss in enumerate(sorted(losses, key=lambda loss: loss.at), first_killmail_id(hour)):
        yield _payload(killmail_id, loss, f"{day_and_hour}:{loss.at // 60 % 60:02}:{loss.at % 60:02}Z"), loss


def first_killmail_id(hour: int) -> int:
    """The id of the first killmail of an hour, where there is one."""
    return (hour - FIRST_HOUR) * IDS_PER_HOUR + FIRST_KILLMAIL_ID


def sequenced(hour: int, payloads: list[Payload]) -> list[Payload]:
    """The uploads of one hour in feed order, with sequence numbers that have holes from one hour to the next."""
    payloads.sort(key=lambda payload: (payload["uploaded_at"], payload["killmail_id"]))
    first = (hour - FIRST_HOUR) * 2 * IDS_PER_HOUR + FIRST_SEQUENCE
    for sequence, upload in enumerate(payloads, first):
        upload["sequence_id"] = sequence
    return payloads


def _payload(killmail_id: int, loss: Loss, killmail_time: str) -> Payload:
    at, system_id, victim, attackers, isk = loss
    # any 40 hex digits will do: nobody but CCP can check a killmail's hash
    digest = hashlib.blake2b(f"{killmail_id}/{at}/{system_id}/{isk}".encode(), digest_size=20).hexdigest()
    return {
        "killmail_id": killmail_id,
        "hash": digest,
        "esi": {
            "attackers": attackers,
            "killmail_id": killmail_id,
            "killmail_time": killmail_time,
            "solar_system_id": system_id,
            "victim": victim,
        },
        "zkb": {
            "hash": digest,
            "totalValue": isk,
            "points": 1,
            "npc": "character_id" not in attackers[0],  # players come first
            "solo": len(attackers) == 1,
            "awox": False,
            "attackerCount": len(attackers),
            "href": f"https://esi.evetech.net/killmails/{killmail_id}/{digest}/",
        },
        "uploaded_at": at,
        "sequence_id": 0,
    }
