"""The rendered systems."""

from pathlib import Path

import pytest

from tests.infra.kubernetes.manifests import System, checkout, render

EXTERNAL = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: battlescope
resources: [../../base]
components: [../../components/external-secrets, ../../components/monitoring]
configMapGenerator:
  - name: battlescope-config
    behavior: merge
    literals:
      - QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/battlescope.fifo
"""
"""Somebody else's PostgreSQL and SQS, and secrets from elsewhere."""


@pytest.fixture(scope="session")
def systems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, System]:
    """Every overlay, and one that a person might write."""
    copy = checkout(tmp_path_factory.mktemp("kustomize"))
    external = copy / "overlays" / "external"
    external.mkdir()
    (external / "kustomization.yaml").write_text(EXTERNAL)
    return {
        path.name: System(render(path)) for path in sorted((copy / "overlays").iterdir()) if path.is_dir()
    }


@pytest.fixture(params=["dev", "production", "external"])
def system(request: pytest.FixtureRequest, systems: dict[str, System]) -> System:
    """Each of them."""
    return systems[str(request.param)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of infra/k8s-alt of the test's own."""
    return checkout(tmp_path)
