"""Schemathesis over every operation, as schemathesis.toml says, against a server: it finds nothing."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from tests.integration.api.rows import START, TAMA, Kill, Pilot, Rows
from tests.integration.api.test_server import served

ROOT = Path(__file__).resolve().parents[3]
ALLIANCE, CORPORATION, CHARACTER, KILLMAIL = 1354830081, 98633005, 2112625428, 96889120
EXAMPLE_ID = "6f0f6f0e-3b1c-5d0c-9d57-4a7a0e1f2b3c"
"""These are the ids that openapi.json has as examples, so that some of what is asked for is there."""


def test_a_fuzzer_finds_nothing(url: str, rows: Rows) -> None:
    rows.killmail_ids_from(KILLMAIL)
    rows.system(TAMA, "Tama", region="Black Rise", security=0.29)
    rows.name(ALLIANCE, "Goonswarm Federation", "alliance")
    for n in range(30):
        rows.battle(
            start=START - timedelta(hours=n),
            kills=[Kill(victim_alliance=ALLIANCE), Kill(victim=CHARACTER, after=timedelta(minutes=4))],
            pilots=[Pilot(character=CHARACTER, side=1), Pilot(character=90_000_002, alliance=None, side=2)],
            entities=[ALLIANCE, CORPORATION],
            sides=[[ALLIANCE], [99_003_581]],
        )
    rows.database.execute(
        "INSERT INTO battle_aliases (id, killmail_id, revision) VALUES (%s, %s, 1)", (EXAMPLE_ID, KILLMAIL)
    )
    with served(url) as api:
        found = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("run", "openapi.json", "--url", str(api.base_url), "--no-color", "--max-examples", "20"),
                *(["--generation-deterministic"] if os.environ.get("CI") else []),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert found.returncode == 0, found.stdout + found.stderr
    assert "No issues found" in found.stdout
