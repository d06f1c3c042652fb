"""What a deployment on the emulator serves, and waiting for it."""

import gzip
import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from battlescope_local.simulate import write
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


def wait_until(holds: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Look every second; `what` is wrong where it does not come to hold."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(1)


def digest_at(emulator: Emulator, api_url: str) -> str | None:
    """The digest of all battles that the API serves; None where one changed between two requests.

    As the engine's: a line for each battle, its killmails in order.
    """
    lines = []
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
            lines.append(killmail_ids)
        if page["next"] is None:
            return hashlib.sha256(
                "\n".join(",".join(map(str, ids)) for ids in sorted(lines)).encode()
            ).hexdigest()
        cursor = f"&cursor={page['next']}"
