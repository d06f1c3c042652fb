"""What `kubectl kustomize` makes of infra/k8s-alt."""

import base64
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "infra" / "k8s-alt"
KUBECTL = ROOT / ".tools" / "kubectl" / "kubectl"

type Manifest = dict[str, Any]

WORKLOADS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def checkout(directory: Path) -> Path:
    """A copy with the secrets that a person makes from the examples."""
    copy = directory / "k8s-alt"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("secrets.env"))
    for example in copy.rglob("secrets.env.example"):
        shutil.copy(example, example.with_suffix(""))
    return copy


def render(directory: Path) -> list[Manifest]:
    """The manifests of a kustomization."""
    done = subprocess.run([KUBECTL, "kustomize", directory], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # deprecations, say
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@dataclass(frozen=True)
class Workload:
    """Something that makes pods."""

    manifest: Manifest

    @property
    def name(self) -> str:
        """Kind and name."""
        return f"{self.manifest['kind']}/{self.manifest['metadata']['name']}"

    @property
    def template(self) -> Manifest:
        """Of its pods."""
        found = self.manifest
        for key in WORKLOADS[self.manifest["kind"]]:
            found = found[key]
        return found

    @property
    def pod(self) -> Manifest:
        """The pods' spec."""
        spec: Manifest = self.template["spec"]
        return spec

    @property
    def labels(self) -> Mapping[str, str]:
        """The pods' labels."""
        labels: Mapping[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def is_ours(self) -> bool:
        """Whether it runs our image."""
        return "battlescope" in str(self.pod["containers"][0]["image"])

    @property
    def serves(self) -> bool:
        """Whether it runs until it is stopped."""
        return self.manifest["kind"] in {"Deployment", "StatefulSet"}

    def containers(self) -> Iterator[Manifest]:
        """All of them, those that run first too."""
        yield from self.pod.get("initContainers", [])
        yield from self.pod["containers"]


class System:
    """A rendered system."""

    def __init__(self, manifests: list[Manifest]) -> None:
        self.manifests = manifests

    def all(self, kind: str) -> list[Manifest]:
        """The manifests of a kind."""
        return [one for one in self.manifests if one["kind"] == kind]

    def one(self, kind: str, name: str) -> Manifest:
        """A manifest by its kind and name, the hash after a generated name aside."""
        found = [
            one
            for one in self.all(kind)
            if one["metadata"]["name"] == name or one["metadata"]["name"].rpartition("-")[0] == name
        ]
        assert len(found) == 1, f"{kind} {name}: {[one['metadata']['name'] for one in found]}"
        return found[0]

    def workloads(self) -> list[Workload]:
        """Whatever makes pods."""
        return [Workload(one) for one in self.manifests if one["kind"] in WORKLOADS]

    def workload(self, name: str) -> Workload:
        """By `Kind/name`."""
        return Workload(self.one(*name.split("/")))

    def environment(self, container: Manifest) -> dict[str, str]:
        """What a container's process is given, told from the ConfigMaps and Secrets it names."""
        environment: dict[str, str] = {}
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                environment |= self._exactly("ConfigMap", source["configMapRef"]["name"])["data"]
            else:
                environment |= self._secret(source["secretRef"]["name"])
        for variable in container.get("env", []):
            if "value" in variable:
                environment[variable["name"]] = variable["value"]
            else:
                reference = variable["valueFrom"]["secretKeyRef"]
                environment[variable["name"]] = self._secret(reference["name"])[reference["key"]]
        return environment

    def _secret(self, name: str) -> dict[str, str]:
        secret = self._exactly("Secret", name)
        encoded = {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}
        return encoded | dict(secret.get("stringData", {}))

    def _exactly(self, kind: str, name: str) -> Manifest:
        return next(one for one in self.all(kind) if one["metadata"]["name"] == name)
