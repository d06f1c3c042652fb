"""What a deployment runs, in words that its templates share: to compare one with another."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from battlescope_cdk.catalogue import ALL
from tests.infra.synthesis import synthesise
from tests.support.lambda_runtime import ROOT

_QUEUE_ATTRIBUTES = (
    "FifoQueue",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "SqsManagedSseEnabled",
)


class Called(NamedTuple):
    """How a handler is called, and with what."""

    memory_mb: int
    timeout_s: int
    environment: frozenset[str]
    schedule: str | None
    schedule_retries: int | None
    batch: str | None


class Deployed(NamedTuple):
    """A deployment: handlers by name, and its queues' attributes."""

    handlers: Mapping[str, Called]
    queues: tuple[str, ...]
    throttle: str


def from_sam() -> Deployed:
    """What template.yaml deploys, transformed by SAM itself."""
    printed = subprocess.run(
        [str(ROOT / ".tools/sam/bin/python"), str(Path(__file__).with_name("sam_transform.py")), "template.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout  # fmt: skip
    return _from_cloudformation(json.loads(printed)["Resources"])


def from_cdk(package: Path) -> Deployed:
    """What the CDK app deploys for a database that is there already, as SAM's template does."""
    synthesis = synthesise(
        package,
        database="external",
        databaseSecretArn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf",
        readerSecretArn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:reader-AbCdEf",
    )
    resources: dict[str, Any] = {}
    for stack, template in synthesis.templates.items():
        resources |= {f"{stack}.{id_}": one for id_, one in template["Resources"].items()}
    return _from_cloudformation(resources)


def _from_cloudformation(resources: Mapping[str, Any]) -> Deployed:
    functions = dict(_of_type(resources, "AWS::Lambda::Function"))
    schedules = {
        _target(one["Target"]["Arn"]): one for _, one in _of_type(resources, "AWS::Scheduler::Schedule")
    }
    mappings = {
        _target(one["FunctionName"]): one for _, one in _of_type(resources, "AWS::Lambda::EventSourceMapping")
    }
    ours = {spec.handler for spec in ALL}
    handlers = {}
    for id_, function in functions.items():
        if function["Handler"] not in ours:
            continue
        name = id_.rpartition(".")[2]
        schedule, mapping = schedules.get(name), mappings.get(name)
        handlers[function["Handler"]] = Called(
            function["MemorySize"],
            function["Timeout"],
            frozenset(function["Environment"]["Variables"]),
            schedule and schedule["ScheduleExpression"],
            schedule and schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"],
            mapping
            and f"{mapping['BatchSize']} {mapping['FunctionResponseTypes']} {mapping['ScalingConfig']}",
        )
    queues = tuple(
        sorted(
            json.dumps(
                {
                    **{name: one.get(name) for name in _QUEUE_ATTRIBUTES},
                    "MaxReceives": one.get("RedrivePolicy", {}).get("maxReceiveCount"),
                }
            )
            for _, one in _of_type(resources, "AWS::SQS::Queue")
        )
    )
    ((_, stage),) = _of_type(resources, "AWS::ApiGatewayV2::Stage")
    return Deployed(handlers, queues, json.dumps(stage["DefaultRouteSettings"], sort_keys=True))


def _of_type(resources: Mapping[str, Any], type_: str) -> Iterator[tuple[str, Any]]:
    return ((id_, one["Properties"]) for id_, one in resources.items() if one["Type"] == type_)


def _target(reference: Mapping[str, Any]) -> str:
    """The logical id of the function that is referred to."""
    ((_, value),) = reference.items()
    return str(value if isinstance(value, str) else value[0])
