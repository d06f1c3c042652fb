"""Killmails as the feeds send them: real shapes, with everything that BattleScope leaves out."""

import hashlib
from datetime import UTC, datetime
from typing import Any

type Json = dict[str, Any]

KILL_TIME = 1_774_948_991


def killmail_hash(killmail_id: int) -> str:
    """The hash of a killmail, made up from its id."""
    return hashlib.sha1(str(killmail_id).encode(), usedforsecurity=False).hexdigest()


def esi_killmail(
    killmail_id: int, *, at: float = KILL_TIME, system: int = 30_004_993, attackers: int = 2
) -> Json:
    """ESI's killmail.

    Args:
        killmail_id: its id.
        at: Unix seconds of the loss.
        system: where.
        attackers: how many; each does a damage of its own.
    """
    return {
        "attackers": [
            {
                "alliance_id": 99_000_000 + number % 7,
                "character_id": 2_118_000_000 + number,
                "corporation_id": 98_000_000 + number % 50,
                "damage_done": number + 1,
                "faction_id": 500_004,
                "final_blow": number == 0,
                "security_status": 0.4,
                "ship_type_id": 4306,
                "weapon_type_id": 3090,
            }
            for number in range(attackers)
        ],
        "killmail_id": killmail_id,
        "killmail_time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "solar_system_id": system,
        "victim": {
            "character_id": 2_124_000_000 + killmail_id % 1000,
            "corporation_id": 98_828_892,
            "damage_taken": 489,
            "items": [{"flag": 5, "item_type_id": 1405, "quantity_dropped": 1, "singleton": 0}],
            "position": {"x": 1500660092924.493, "y": -296175083365.2572, "z": -1870466919191.3386},
            "ship_type_id": 11129,
        },
    }


def zkb(killmail_id: int, *, value: float = 16107.17) -> Json:
    """zKillboard's block."""
    known_hash = killmail_hash(killmail_id)
    return {
        "locationID": 60009928,
        "hash": known_hash,
        "fittedValue": value,
        "droppedValue": 0,
        "destroyedValue": value,
        "totalValue": value,
        "points": 1,
        "npc": False,
        "solo": False,
        "awox": False,
        "labels": ["tz:au", "cat:6", "#:1", "loc:highsec"],
        "attackerCount": 1,
        "href": f"https://esi.evetech.net/killmails/{killmail_id}/{known_hash}/",
    }


def r2z2_file(
    killmail: Json,
    *,
    sequence: int,
    uploaded_at: float,
    value: float = 16107.17,
    sequence_updated: int | None = None,
) -> Json:
    """R2Z2's file of one killmail."""
    killmail_id = killmail["killmail_id"]
    file = {
        "killmail_id": killmail_id,
        "hash": killmail_hash(killmail_id),
        "esi": killmail,
        "zkb": zkb(killmail_id, value=value),
        "uploaded_at": int(uploaded_at),
        "sequence_id": sequence,
    }
    return file if sequence_updated is None else {**file, "sequence_updated": sequence_updated}


def redisq_package(killmail: Json, *, embeds: bool) -> Json:
    """RedisQ's package: with the killmail in it (before 2025-12), or without."""
    killmail_id = killmail["killmail_id"]
    package = {"killID": killmail_id, "zkb": zkb(killmail_id)}
    return {**package, "killmail": killmail} if embeds else package


def archive_line(killmail: Json) -> Json:
    """A killmail as archives hold it."""
    return {**killmail, "killmail_hash": killmail_hash(killmail["killmail_id"])}
