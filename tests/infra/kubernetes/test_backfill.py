"""The Job that imports history, made of the CronJob that runs in the cluster. `test_running.py` runs its pods."""

import json
import subprocess
import sys
from typing import Any

import kubernetes_validate
import pytest
import yaml
from scripts.k8s_backfill import job

from battlescope_local.cli import EXIT_STAY_AWAY
from tests.infra.kubernetes.manifests import ROOT, System, Workload
from tests.infra.kubernetes.test_schemas import NEWEST, OLDEST

DAYS = "2007-12-05..2026-10-31"


@pytest.fixture
def cron(system: System) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(yaml.safe_dump(system.one("CronJob", "repair")))
    return found


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_it_is_what_kubernetes_takes(cron: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(job(cron, DAYS, 24, 2), version, strict=True)


def test_its_pods_are_repairs_but_for_what_they_do(cron: dict[str, Any], system: System) -> None:
    made = Workload(job(cron, DAYS, 24, 2))
    repair = Workload(system.one("CronJob", "repair"))
    (ours,), (theirs,) = made.pod["containers"], repair.pod["containers"]
    changed = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    assert changed == {"name", "args", "env", "resources"}
    assert made.pod | {"containers": []} == repair.pod | {"containers": []}
    assert ours["args"] == ["backfill", DAYS, "--part", "$(JOB_COMPLETION_INDEX)/24", "--lenient"]
    assert [one for one in ours["env"] if one not in theirs["env"]] == [
        {"name": "HISTORY_WORKERS", "value": "1"}
    ]


def test_it_is_repeated_by_part_and_under_another_name(cron: dict[str, Any]) -> None:
    made = job(cron, DAYS, 24, 2)
    assert made["metadata"] | {"labels": {}} == {
        "generateName": "backfill-",
        "namespace": "battlescope",
        "labels": {},
    }
    spec = made["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 24, 2)
    assert (
        spec["backoffLimit"] * 6 > 9 * 60
    )  # minutes: a part that fails again and again does not soon end the others
    stay_away, evicted = spec["podFailurePolicy"]["rules"]
    assert (stay_away["action"], stay_away["onExitCodes"]["values"]) == ("FailJob", [EXIT_STAY_AWAY])
    assert evicted["action"] == "Ignore"
    assert "activeDeadlineSeconds" not in spec  # as long as it takes
    assert made["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"] == "backfill"


@pytest.mark.parametrize(
    ("days", "parts", "parallel", "said"),
    [
        ("yesterday", "1", "1", "it was 'yesterday'"),
        ("2026-02-30..2026-03-01", "1", "1", "day"),
        ("2026-03-02..2026-03-01", "1", "1", "are 0 days"),
        ("2026-03-01..2026-03-02", "3", "1", "are 2 days"),
        ("2026-03-01..2026-03-02", "1", "2", "PARALLEL at most PARTS"),
        ("2026-03-01..2026-03-02", "0", "0", "they were 0 and 0"),
        ("2026-03-01..2026-03-02", "two", "1", "'two'"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_made(
    cron: dict[str, Any], days: str, parts: str, parallel: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "k8s_backfill.py", days, parts, parallel],
        input=json.dumps(cron),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_its_pods_reach_the_database_and_the_archives_and_nothing_else(systems: dict[str, System]) -> None:
    policies = [
        policy["metadata"]["name"]
        for policy in systems["production"].all("NetworkPolicy")
        for expression in policy["spec"]["podSelector"].get("matchExpressions", [])
        if "backfill" in expression["values"]
    ]
    assert sorted(policies) == ["to-database", "to-internet"]
