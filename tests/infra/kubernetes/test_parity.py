"""The cluster runs what AWS runs; a difference that is meant has its reason here."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from battlescope_cdk.catalogue import ALL, API, CLUSTER, INGEST, MAINTENANCE, MIGRATE, REPAIR, Spec
from tests.infra.deployed import Deployed, from_sam
from tests.infra.kubernetes.manifests import System, Workload
from tests.support.settings_models import NAMES

COMMANDS = {
    "ingest": INGEST,
    "cluster": CLUSTER,
    "api": API,
    "repair": REPAIR,
    "maintain": MAINTENANCE,
    "migrate": MIGRATE,
}

MEANT = {
    ("Ingest", "schedule"): "a pod runs on, and its own loop calls the handler once a minute",
    ("Ingest", "timeout_s"): "the pod runs on; each call ends before the next minute",
    ("Cluster", "timeout_s"): "the pod runs on; a message's time is the queue's visibility timeout",
    ("Api", "timeout_s"): "the pod runs on; a statement's time is QUERY_TIMEOUT_S",
    ("Maintenance", "schedule"): "hourly too, at a minute of its own instead of from the deployment on",
    ("Repair", "timeout_s"): "Lambda ends what lasts 15 minutes; here a run may finish",
    ("Maintenance", "timeout_s"): "a run of the command does all that is due, not one part of it",
    ("Migrate", "timeout_s"): "includes the time in which a new database comes up",
    ("Ingest", "memory_mb"): "Lambda's memory is its share of a processor too; a pod's is what was measured",
    ("Cluster", "memory_mb"): "as for Ingest",
    ("Api", "memory_mb"): "as for Ingest",
    ("Repair", "memory_mb"): "a day's file on an emptyDir counts as the pod's memory while it is cached",
    ("Migrate", "memory_mb"): "as for Ingest",
    (
        "queue",
        "MaxReceives",
    ): "the clusterer dead-letters poison with its reason; SQS's redrive is the net below",
    ("queue", "MessageRetentionPeriod"): "ElasticMQ keeps messages until they are read",
    ("queue", "DeduplicationScope"): "ElasticMQ knows no high throughput mode, and needs none",
    ("queue", "FifoThroughputLimit"): "as DeduplicationScope",
    ("queue", "SqsManagedSseEnabled"): "what the volume's storage class encrypts",
    ("dead letters", "MessageRetentionPeriod"): "as for the queue",
    ("dead letters", "SqsManagedSseEnabled"): "as for the queue",
    ("throttle", "rate"): "NGINX counts per address, API Gateway all together",
}

SDK = {
    "AWS_ENDPOINT_URL_SQS",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
}

SAME_SECRET = {"POSTGRES_PASSWORD"}
"""For the server, in the Secret that all share; DB_URL holds it too."""


class Part(NamedTuple):
    """A container that runs a handler."""

    spec: Spec
    workload: Workload
    container: dict[str, Any]


@pytest.fixture(scope="module")
def sam() -> Deployed:
    return from_sam()


def parts(system: System) -> Iterator[Part]:
    for workload in system.workloads():
        if workload.is_ours and workload.manifest["metadata"]["name"] != "backup":
            container = workload.pod["containers"][0]
            yield Part(COMMANDS[container["args"][0]], workload, container)


def megabytes(amount: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", amount).groups()  # type: ignore[union-attr]
    return int(number) * (1024 if unit == "Gi" else 1)


def as_crontab(schedule: str | None) -> str | None:
    """EventBridge's expression, where crontab has one that says the same."""
    cron = re.fullmatch(r"cron\((.*) \?( \*)\)", schedule or "")
    return f"{cron[1]}{cron[2]}" if cron else schedule


def differences(system: System, sam: Deployed) -> Iterator[tuple[str, str]]:
    for spec, workload, container in parts(system):
        called = sam.handlers[spec.handler]
        manifest = workload.manifest["spec"]
        deadline = manifest.get("jobTemplate", {}).get("spec", manifest).get("activeDeadlineSeconds")
        found = {
            "memory_mb": megabytes(container["resources"]["limits"]["memory"]),
            "timeout_s": deadline,
            "schedule": manifest.get("schedule"),
        }
        expected = called._replace(schedule=as_crontab(called.schedule))._asdict()
        yield from ((spec.name, field) for field, value in found.items() if value != expected[field])
    (config,) = [one for one in system.all("ConfigMap") if "elasticmq.conf" in one.get("data", {})]
    ours = queues(config["data"]["elasticmq.conf"])
    theirs = {
        "dead letters" if one["MaxReceives"] is None else "queue": one for one in map(json.loads, sam.queues)
    }
    assert set(ours) == set(theirs)
    for name, attributes in theirs.items():
        yield from ((name, field) for field, value in attributes.items() if value != ours[name].get(field))
    annotations = system.one("Ingress", "api")["metadata"]["annotations"]
    if (
        int(annotations["nginx.ingress.kubernetes.io/limit-rps"])
        != json.loads(sam.throttle)["ThrottlingRateLimit"]
    ):
        yield "throttle", "rate"


def queues(config: str) -> dict[str, dict[str, Any]]:
    """ElasticMQ's, in SQS's words."""
    found = {}
    for name, body in re.findall(r"^  (battlescope\S*) \{(.*)\}$", config, re.MULTILINE):
        timeout = re.search(r"defaultVisibilityTimeout = (\d+) seconds", body)
        found["dead letters" if "dead" in name else "queue"] = {
            "FifoQueue": "fifo = true" in body,
            "VisibilityTimeout": int(timeout[1]) if timeout else None,
        }
    return found


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_differences_from_aws_are_those_that_are_meant(
    systems: dict[str, System], sam: Deployed, overlay: str
) -> None:
    assert set(differences(systems[overlay], sam)) == set(MEANT)


@pytest.mark.parametrize("overlay", ["dev", "production", "external"])
def test_every_handler_runs_and_nothing_else(systems: dict[str, System], overlay: str) -> None:
    assert sorted(part.spec.name for part in parts(systems[overlay])) == sorted(spec.name for spec in ALL)


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_every_variable_is_some_parts_setting_and_none_is_wanting(
    systems: dict[str, System], overlay: str
) -> None:
    for spec, _, container in parts(systems[overlay]):
        environment = systems[overlay].environment(container)
        # One ConfigMap serves all parts.
        assert set(environment) - NAMES - SDK - SAME_SECRET == set(), spec.name
        required = {name.upper() for name, field in spec.settings.model_fields.items() if field.is_required()}
        assert required - set(environment) == set(), spec.name


def test_a_scheduled_run_ends_before_the_next_begins(systems: dict[str, System]) -> None:
    periods_s = {"maintenance": 3600, "repair": 24 * 3600}
    for name, period_s in periods_s.items():
        job = systems["production"].one("CronJob", name)["spec"]
        assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] < period_s
        assert job["concurrencyPolicy"] == "Forbid"
