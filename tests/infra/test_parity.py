"""SAM and CDK deploy the same; a difference that is meant has its reason here. For Kubernetes: kubernetes/test_parity.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from battlescope_cdk.catalogue import ALL
from tests.infra.deployed import Called, Deployed, from_cdk, from_sam

SOURCES: dict[str, Callable[[Path], Deployed]] = {"cdk": from_cdk, "sam": lambda _: from_sam()}

MEANT = {
    (
        "sam",
        "environment",
        "LOG_LEVEL",
    ): "a parameter there; with the CDK it comes with other settings by context",
}
"""Environment names that one source has beyond the CDK's defaults, and why."""


@pytest.fixture(scope="session")
def deployments(placeholder: Path) -> dict[str, Deployed]:
    return {name: read(placeholder) for name, read in SOURCES.items()}


def comparable(source: str, called: Called) -> Called:
    meant = {name for who, field, name in MEANT if (who, field) == (source, "environment")}
    return called._replace(environment=called.environment - meant)


@pytest.mark.parametrize("source", SOURCES)
def test_the_same_handlers_are_called_in_the_same_way(deployments: dict[str, Deployed], source: str) -> None:
    expected = deployments["cdk"]
    found = deployments[source]
    assert {name: comparable(source, one) for name, one in found.handlers.items()} == expected.handlers
    assert found.queues == expected.queues
    assert found.throttle == expected.throttle


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_the_environment_is_what_the_handlers_settings_ask_for(
    deployments: dict[str, Deployed], source: str, spec: object
) -> None:
    (named,) = [one for one in ALL if one is spec]
    called = deployments[source].handlers[named.handler]
    fields = named.settings.model_fields
    assert [name for name in sorted(called.environment) if name.lower() not in fields] == []
    required = {name.upper() for name, field in fields.items() if field.is_required()}
    assert required - called.environment == set()
    assert (called.memory_mb, called.timeout_s) == (named.memory_mb, named.timeout_s)


def test_every_meant_difference_is_one(deployments: dict[str, Deployed]) -> None:
    for source, _, name in MEANT:
        assert any(name in called.environment for called in deployments[source].handlers.values())
        assert not any(name in called.environment for called in deployments["cdk"].handlers.values())
