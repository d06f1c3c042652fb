"""What Kubernetes, KEDA and the Prometheus operator would say of the manifests."""

import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from battlescope import __version__
from tests.infra.kubernetes.manifests import SOURCE, System, render

OLDEST = "1.27"
NEWEST: str = kubernetes_validate.latest_version()

MODELS = {
    ("keda.sh/v1alpha1", "ScaledObject"): "cloudcoil.models.keda.v1alpha1",
    ("keda.sh/v1alpha1", "TriggerAuthentication"): "cloudcoil.models.keda.v1alpha1",
    ("monitoring.coreos.com/v1", "ServiceMonitor"): "cloudcoil.models.prometheus_operator.v1",
    ("monitoring.coreos.com/v1", "PrometheusRule"): "cloudcoil.models.prometheus_operator.v1",
}

UNCHECKED = {("cert-manager.io/v1", "ClusterIssuer"), ("external-secrets.io/v1", "ExternalSecret")}
"""No schema of these can be had offline."""


def is_kubernetes(manifest: dict[str, Any]) -> bool:
    group = manifest["apiVersion"].partition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_what_kubernetes_takes(system: System, version: str) -> None:
    checked = [manifest for manifest in system.manifests if is_kubernetes(manifest)]
    assert len(checked) > 20
    for manifest in checked:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_check_finds_what_is_wrong(systems: dict[str, System]) -> None:
    manifest = yaml.safe_load(yaml.safe_dump(systems["dev"].one("Deployment", "api")))
    manifest["spec"]["template"]["spec"]["containers"][0]["imagePullPolicies"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, OLDEST, strict=True)


def test_custom_resources_are_what_their_operators_take(system: System) -> None:
    for manifest in system.manifests:
        kind = (manifest["apiVersion"], manifest["kind"])
        if is_kubernetes(manifest) or kind in UNCHECKED:
            continue
        model = getattr(import_module(MODELS[kind]), kind[1])
        read = model.model_validate(manifest).model_dump(by_alias=True, exclude_unset=True, mode="json")
        assert read["spec"] == manifest["spec"]  # nothing that the operator does not know


def test_names_and_namespaces(system: System) -> None:
    for manifest in system.manifests:
        if manifest["kind"] not in {"Namespace", "ClusterIssuer"}:
            assert manifest["metadata"]["namespace"] == "battlescope", manifest["metadata"]["name"]
    named = [(one["kind"], one["metadata"]["name"]) for one in system.manifests]
    assert len(named) == len(set(named))


def test_the_image_is_this_versions_and_no_image_is_the_latest(system: System) -> None:
    for workload in system.workloads():
        for container in workload.containers():
            assert not container["image"].endswith(":latest")
            assert ":" in container["image"]
    base = yaml.safe_load((SOURCE / "base" / "kustomization.yaml").read_text())
    assert base["images"][0]["newTag"] == __version__


def test_secrets_come_from_files_that_are_not_committed(copy: Path) -> None:
    committed = subprocess.run(
        ["git", "ls-files", str(SOURCE)], capture_output=True, text=True, check=True, cwd=SOURCE
    ).stdout
    assert "secrets.env\n" not in committed
    (copy / "overlays" / "dev" / "secrets.env").unlink()
    with pytest.raises(AssertionError, match=r"secrets\.env"):
        render(copy / "overlays" / "dev")


def test_a_change_of_settings_makes_new_pods(copy: Path, systems: dict[str, System]) -> None:
    base = copy / "base" / "kustomization.yaml"
    base.write_text(base.read_text().replace("MIN_KILLS=2", "MIN_KILLS=3"))
    changed = System(render(copy / "overlays" / "production"))
    name = "battlescope-config"
    assert changed.one("ConfigMap", name)["data"]["MIN_KILLS"] == "3"
    assert (
        changed.one("ConfigMap", name)["metadata"]["name"]
        != systems["production"].one("ConfigMap", name)["metadata"]["name"]
    )
