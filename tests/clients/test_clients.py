"""Clients made from openapi.json, used against the running API over simulated battles."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from battlescope.database import Database, connect
from battlescope_local import new_eden
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.payload import parse_killmail
from tests.integration.api.test_server import served

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".tools" / "clients" / "venv" / "bin"
NODE = ROOT / ".tools" / "clients" / "node_modules" / ".bin"

pytestmark = pytest.mark.skipif(
    not (PYTHON.is_dir() and NODE.is_dir()), reason="what makes clients is not installed: run `make clients`"
)


@pytest.fixture
def api(database: Database, db_url: str) -> Iterator[httpx.Client]:
    """The API over an hour of the simulated New Eden."""
    (uploads,) = [
        uploads for _, uploads in zip(range(1), new_eden.hours(1, new_eden.START // 3600), strict=False)
    ]
    killmails = [
        parse_killmail(
            dict(one["esi"]), killmail_hash=one["hash"], zkb=dict(one["zkb"]), uploaded_at=one["uploaded_at"]
        )
        for one in uploads
    ]
    cluster(database, killmails, Rules())
    with connect(db_url), served(db_url) as client:
        yield client


def run(*command: str | Path, cwd: Path) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": f"{PYTHON}:{NODE}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def expected(api: httpx.Client) -> dict[str, Any]:
    """What a client ought to be told."""
    battles: list[dict[str, Any]] = api.get("/battles?min_kills=3&limit=100").json()["items"]
    battle = api.get(f"/battles/{battles[0]['id']}").json()
    assert len(battles) > 5
    assert battle["sides"]
    return {
        "battles": [[each["id"], each["system"]["name"], each["total_isk_destroyed"]] for each in battles],
        "pages": (len(battles) + 4) // 5,
        "killmails": [each["killmail_id"] for each in battle["killmails"]],
        "sides": [[side["side_id"], side["pilots"]] for side in battle["sides"]],
        "problem": [422, "urn:battlescope:problem:invalid-parameter", "limit"],
    }


def test_a_python_client(api: httpx.Client, tmp_path: Path) -> None:
    generated = tmp_path / "generated"
    run(
        PYTHON / "openapi-python-client",
        *("generate", "--path", ROOT / "openapi.json", "--output-path", generated, "--meta", "none"),
        *("--fail-on-warning",),
        cwd=tmp_path,
    )
    shutil.copy(HERE / "use_client.py", tmp_path)

    told = run(PYTHON / "python", "-W", "error", "use_client.py", str(api.base_url), cwd=tmp_path)

    assert json.loads(told) == expected(api)


def test_a_typescript_client(api: httpx.Client, tmp_path: Path) -> None:
    run(
        NODE / "openapi-ts",
        *("--input", ROOT / "openapi.json", "--output", "generated", "--client", "@hey-api/client-fetch"),
        *("--no-log-file",),
        cwd=tmp_path,
    )
    shutil.copy(HERE / "use_client.ts", tmp_path)
    run(
        NODE / "tsc",
        *("--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--module", "node16"),
        *("--outDir", "compiled", "use_client.ts"),
        cwd=tmp_path,
    )

    told = run("node", "compiled/use_client.js", str(api.base_url), cwd=tmp_path)

    assert json.loads(told) == expected(api)
