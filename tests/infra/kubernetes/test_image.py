"""The Dockerfile and the compose file, without Docker. That the image's steps work `test_running.py` shows."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.kubernetes.manifests import ROOT, System
from tests.support.settings_models import NAMES

PROGRAMS = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [PROGRAMS / "hadolint", "--failure-threshold", "style", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_not_root_and_holds_only_what_was_locked() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (\d+):\d+$", last_stage, re.MULTILINE)
    assert "RUN" not in last_stage.split()
    for install in re.findall(r"pip install [^&\n]*", DOCKERFILE):
        assert "--require-hashes" in install or "--no-index" in install, install


def test_the_user_of_the_image_is_the_pods(systems: dict[str, System]) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert user is not None
    for workload in systems["production"].workloads():
        if workload.is_ours:
            context = workload.pod["securityContext"]
            assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user.groups()


def test_what_is_copied_is_sent_to_docker() -> None:
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line[:1] == "!"
    }
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists()
            assert source in sent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return read


def test_the_compose_file_is_one() -> None:
    done = subprocess.run(
        [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_compose_runs_the_images_that_kubernetes_runs(
    compose: dict[str, Any], systems: dict[str, System]
) -> None:
    ours = {name for name, service in compose["services"].items() if service["image"] == "battlescope:local"}
    assert ours == {"migrate", "ingest", "clusterer", "api"}
    others = {service["image"] for name, service in compose["services"].items() if name not in ours}
    in_the_cluster = {
        container["image"]
        for workload in systems["dev"].workloads()
        if not workload.is_ours
        for container in workload.containers()
    }
    assert others == in_the_cluster
    mounted = compose["services"]["queue"]["volumes"][0].partition(":")[0]
    assert (ROOT / mounted).read_text() == systems["dev"].one("ConfigMap", "queue-config")["data"][
        "elasticmq.conf"
    ]


def test_only_settings_that_there_are(compose: dict[str, Any], systems: dict[str, System]) -> None:
    known = NAMES | {"POSTGRES_PASSWORD"}  # the component's own
    given = {name for service in compose["services"].values() for name in service.get("environment", {})}
    given -= {"POSTGRES_USER", "POSTGRES_DB"}
    for system in systems.values():
        given |= system.one("ConfigMap", "battlescope-config")["data"].keys()
        for secret in system.all("Secret"):
            if secret["metadata"]["name"].startswith("battlescope-secrets"):
                given |= secret["data"].keys()
    assert {name for name in given - known if not name.startswith("AWS_")} == set()
