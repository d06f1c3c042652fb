"""The search for secrets finds one, and what the SBOMs tell is what runs."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
GITLEAKS = ROOT / ".tools/audit/bin/gitleaks"
IN_THE_RUNTIME = {"boto3", "botocore", "s3transfer", "python-dateutil", "six"}
"""Lambda brings these; see layers/common/Makefile."""


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def _leaks(folder: Path) -> int:
    done = subprocess.run(
        [GITLEAKS, "git", "--no-banner", "--redact", "--log-level", "error", "."], cwd=folder, check=False
    )
    return done.returncode


def test_a_secret_is_found_although_a_later_commit_took_it_away(tmp_path: Path) -> None:
    _git(tmp_path, "init", "--quiet")
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "--message", "one")
    assert _leaks(tmp_path) == 0
    settings = tmp_path / "settings.py"
    # Put together here, so that it is not in our own history.
    settings.write_text(
        f'AWS_ACCESS_KEY_ID = "{"AKIA" + "2E0A8F3B244C9986"[:16].translate({48: 81, 56: 82, 57: 83})}"\n'
    )
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "--message", "two")
    settings.unlink()
    _git(tmp_path, "commit", "--all", "--message", "three")
    assert _leaks(tmp_path) != 0


def test_there_is_no_secret_in_our_history() -> None:
    subprocess.run(["make", "--silent", "secrets"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def boms() -> dict[str, dict[str, Any]]:
    subprocess.run(["make", "--silent", "sbom"], cwd=ROOT, check=True)
    return {
        what: json.loads((ROOT / f"dist/sbom/{what}.cdx.json").read_text()) for what in ("layer", "image")
    }


def _pinned(role: str) -> set[tuple[str, str]]:
    """What Linux installs of a file of requirements."""
    text = (ROOT / f"requirements/{role}.txt").read_text()
    found = re.findall(r"^([\w.-]+)==(\S+)(.*)$", text, re.MULTILINE)
    return {(name, version) for name, version, condition in found if "win32" not in condition}


def test_an_sbom_is_of_what_runs(boms: dict[str, dict[str, Any]]) -> None:
    told = {
        what: {(re.sub(r"[-_.]+", "-", one["name"]).lower(), one["version"]) for one in bom["components"]}
        for what, bom in boms.items()
    }
    assert told["image"] == _pinned("server")
    assert told["layer"] == {pin for pin in _pinned("lambda") if pin[0] not in IN_THE_RUNTIME}


def test_an_sbom_can_be_looked_up(boms: dict[str, dict[str, Any]]) -> None:
    version = subprocess.run(
        ["make", "--silent", "version"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    for bom in boms.values():
        assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
        root = bom["metadata"]["component"]
        assert (root["name"], root["version"]) == ("battlescope", version)
        for component in bom["components"]:
            assert component["purl"].startswith("pkg:")
            assert component["version"]
