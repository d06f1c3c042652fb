"""Workflows and the scripts that they run through make."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.release_notes import notes
from scripts.smoke import complaint

from battlescope import __version__
from tests.infra.kubernetes.manifests import KUBECTL, ROOT, System
from tests.support.answers import SERVER_ERROR
from tests.support.feeds_server import FeedsServer

PROGRAMS = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DIGEST = "ghcr.io/someone/battlescope@sha256:" + "0123456789abcdef" * 4

SETS_UP = {
    "ci.yml": ("sudo ", "echo ", "git diff", "docker "),
    "release.yml": ("version=", "test ", "make ", "echo ", "gh release"),
    "deploy-k8s.yml": ("umask", "printf", "echo "),
}
"""What a workflow runs beside make: a server of another version, files of secrets, and Docker."""


def test_actionlint_finds_nothing() -> None:
    done = subprocess.run([PROGRAMS / "actionlint", *WORKFLOWS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_zizmor_finds_nothing() -> None:
    done = subprocess.run(
        [PROGRAMS / "zizmor", "--offline", "--no-progress", *WORKFLOWS, ROOT / ".github" / "dependabot.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dependabots_file_is_one() -> None:
    subprocess.run(
        [
            PROGRAMS / "check-jsonschema",
            "--builtin-schema",
            "vendor.dependabot",
            ROOT / ".github" / "dependabot.yml",
        ],
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_do_little_and_run_make_targets(path: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(path.read_text())
    targets = set(re.findall(r"^([a-z0-9-]+)(?: [a-z-]+)*:", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for name, job in workflow["jobs"].items():
        assert job["permissions"], name
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            for line in step.get("run", "").splitlines():
                assert line.startswith(("make ", *SETS_UP.get(path.name, ()))), f"{path.name}: {line}"
            for called in re.findall(r"\bmake (?:--silent )?([a-z0-9 -]+)", step.get("run", "")):
                assert set(called.split()) <= targets, called


def test_an_image_is_set_without_a_change_of_the_checkout(copy: Path) -> None:
    overlay = copy / "overlays" / "production"
    before = sorted(copy.rglob("*"))
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "k8s_render.py", KUBECTL, overlay, DIGEST],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(copy.rglob("*")) == before
    system = System([one for one in yaml.safe_load_all(done.stdout) if one])
    for workload in system.workloads():
        for container in workload.containers():
            assert (container["image"] == DIGEST) is workload.is_ours
    assert system.one("Deployment", "api")["metadata"]["namespace"] == "battlescope"


def test_an_overlay_that_cannot_be_rendered_says_why(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "k8s_render.py", KUBECTL, tmp_path, DIGEST],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "kustomization" in done.stderr
    assert done.stdout == ""


RECORDER = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in
    *"get deployment api clusterer ingest"*) printf 'api 4\\nclusterer 4\\n' ;;
    *"get deployment api "*) printf 5 ;;
    *"get deployment clusterer "*) printf 4 ;;
    *"$FAILS"*) exit 1 ;;
esac
"""
"""There is no cluster here: what would be asked of one, and in which order."""


def _asked(tmp_path: Path, script: str, *arguments: str, fails: str = "nothing") -> tuple[int, list[str]]:
    kubectl, calls = tmp_path / "kubectl", tmp_path / "calls"
    kubectl.write_text(RECORDER)
    kubectl.chmod(0o755)
    calls.unlink(missing_ok=True)
    done = subprocess.run(
        ["bash", ROOT / "scripts" / script, kubectl, *arguments],
        env={"CALLS": str(calls), "FAILS": fails, "PATH": "/usr/bin:/bin"},
        check=False,
    )
    return done.returncode, [
        line.removeprefix("--namespace battlescope ") for line in calls.read_text().splitlines()
    ]


def test_a_deployment_waits_for_the_schema_and_for_all_that_runs(tmp_path: Path) -> None:
    revisions = tmp_path / "revisions"
    code, calls = _asked(tmp_path, "k8s_deploy.sh", "all.yaml", str(revisions))
    assert code == 0
    verbs = [call.partition(" ")[0] for call in calls]
    assert verbs == ["get", "delete", "apply", "wait", "rollout", "rollout", "rollout"]
    assert calls[2] == "apply --server-side --force-conflicts --filename all.yaml"
    assert revisions.read_text() == "api 4\nclusterer 4\n"


def test_a_deployment_whose_migration_fails_fails(tmp_path: Path) -> None:
    code, calls = _asked(tmp_path, "k8s_deploy.sh", "all.yaml", str(tmp_path / "r"), fails="wait --for")
    assert code != 0
    assert not any(call.startswith("rollout") for call in calls)


def test_only_what_was_changed_is_undone(tmp_path: Path) -> None:
    revisions = tmp_path / "revisions"
    revisions.write_text("api 4\nclusterer 4\n")
    code, calls = _asked(tmp_path, "k8s_undo.sh", str(revisions))
    assert code == 0
    assert [call for call in calls if "undo" in call] == ["rollout undo deployment/api --to-revision=4"]


def test_release_notes_are_the_changelogs() -> None:
    changelog = "# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-11-25\n\n- More.\n\n## 1.1.0 - 2026-01-01\n\n- Some.\n"
    assert notes(changelog, "1.2.0") == "- More."
    assert notes(changelog, "1.1.0") == "- Some."
    for unknown in ("1.2", "2.0.0", "Unreleased"):
        with pytest.raises(SystemExit, match="CHANGELOG"):
            notes(changelog, unknown)


def test_make_tells_the_version() -> None:
    told = subprocess.run(
        ["make", "--silent", "version"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told.strip() == __version__


def test_the_smoke_test_tells_what_is_wrong() -> None:
    with FeedsServer() as server:
        for path, answer in (
            ("/healthz", b'{"status": "degraded", "feeds": [{"feed": "r2z2", "status": "stale"}]}'),
            ("/battles", b'{"items": [], "next": null}'),
        ):
            server.placed[path] = answer
        assert "is degraded" in complaint(server.url)
        server.placed["/healthz"] = b'{"status": "ok"}'
        assert complaint(server.url) == ""
        server.always("/battles", SERVER_ERROR)
        assert "answers 500" in complaint(server.url)
        url = server.url
    assert "does not answer" in complaint(url)
