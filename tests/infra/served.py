"""What a deployment on the emulator is fed with, and what it serves."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

from battlescope_local.simulate import write
from cluster.engine.whole import digest
from tests.infra.emulator import Emulator

TICK_S = 60
"""Between two runs of the poller's schedule."""


def simulated(path: Path, *, killmails: int, **more: int) -> Path:
    """An archive of simulated killmails."""
    lines = io.StringIO()
    write(lines, killmails=killmails, **more)
    path.write_bytes(gzip.compress(lines.getvalue().encode()))
    return path


def killmails_of(archive: Path) -> list[dict[str, Any]]:
    """An archive's ESI killmails."""
    with gzip.open(archive, "rt") as lines:
        return [json.loads(line)["esi"] for line in lines]


def digest_at(emulator: Emulator, api_url: str) -> str | None:
    """The engine's digest of all battles that the API serves; None where one changed between two requests."""
    battles = []
    cursor = ""
    while True:
        status, page = emulator.get(api_url, f"/battles?limit=100{cursor}")
        assert status == 200, page
        for item in page["items"]:
            status, battle = emulator.get(api_url, f"/battles/{item['id']}")
            if status != 200 or battle["revision"] != item["revision"]:
                return None
            killmail_ids = sorted(one["killmail_id"] for one in battle["killmails"])
            assert len(killmail_ids) == item["total_kills"]
            battles.append(killmail_ids)
        if page["next"] is None:
            return digest(battles)
        cursor = f"&cursor={page['next']}"
