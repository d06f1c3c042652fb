"""Proof by deployment: the CDK app on an emulated AWS, from a feed to the battles at the deployed API's address."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import as_reader
from tests.infra.emulator import ACCOUNT, REGION, Emulator
from tests.infra.served import TICK_S, digest_at, killmails_of, simulated
from tests.infra.synthesis import USERAGENT
from tests.support.feeds_server import FeedsServer
from tests.support.lambda_runtime import ARCHITECTURE, Package, build
from tests.support.laptop import engine_digest
from tests.support.waiting import wait_until

KILLMAILS = 300
BEFORE_THE_UPDATE = 200


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(tmp_path) as running:
        yield running


@pytest.fixture
def changing_package(tmp_path: Path) -> Package:
    """Built for this test alone, which releases a second version of it."""
    return build(tmp_path / "package")


@pytest.fixture
def evening(tmp_path: Path) -> Path:
    return simulated(tmp_path / "evening.jsonl.gz", killmails=KILLMAILS, seed=11)


def printed(emulator: Emulator, group: str) -> list[dict[str, Any]]:
    """The lines of JSON in a log group."""
    events = emulator.client("logs").filter_log_events(logGroupName=group)["events"]
    return [json.loads(one["message"]) for one in events if one["message"].startswith("{")]


def test_a_deployment_finds_the_engines_battles_and_an_update_loses_nothing(
    emulator: Emulator, changing_package: Package, evening: Path, db_url: str
) -> None:
    killmails = killmails_of(evening)
    with FeedsServer(killmails[:BEFORE_THE_UPDATE]) as feed:
        # given: a database elsewhere, known by secrets; and a deployment
        secrets = emulator.client("secretsmanager")
        secret = secrets.create_secret(Name="database", SecretString=db_url)["ARN"]
        reader = secrets.create_secret(Name="reader", SecretString=as_reader(db_url))["ARN"]
        context = {
            "zkbUseragent": USERAGENT,
            "packageDir": str(changing_package.layer.parent),
            "architecture": ARCHITECTURE,
            "database": "external",
            "databaseSecretArn": secret,
            "readerSecretArn": reader,
            "settings": json.dumps({"R2Z2_URL": feed.url, "ESI_URL": feed.url}),
        }
        emulator.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", context=context)
        emulator.cdk("deploy", "--all", "--require-approval", "never", context=context)
        api_url = emulator.outputs("BattleScopeApi")["ApiUrl"]
        status, health = emulator.get(api_url, "/healthz")
        assert status in {200, 503}, health
        # when: the schedule fires, and in the middle a new version is deployed while more killmails arrive
        wait_until(lambda: bool(feed.asked("/ephemeral/")), 3 * TICK_S, "the schedule does not fire")
        for killmail in killmails[BEFORE_THE_UPDATE:]:
            feed.publish(killmail)
        (changing_package.layer / "python" / "release.txt").write_text("the next\n")
        migrations = emulator.resources("BattleScopeData", "AWS::Lambda::LayerVersion")
        emulator.cdk("deploy", "--all", "--require-approval", "never", context=context)
        assert emulator.resources("BattleScopeData", "AWS::Lambda::LayerVersion") != migrations
        # then
        expected = engine_digest([evening])
        wait_until(
            lambda: digest_at(emulator, api_url) == expected,
            5 * TICK_S,
            "the API does not serve the engine's battles",
        )
        assert emulator.get(api_url, "/healthz")[1]["status"] == "ok"
    poison_reaches_the_dead_letter_queue(emulator)


def poison_reaches_the_dead_letter_queue(emulator: Emulator) -> None:
    """And what its alarm watches."""
    sqs = emulator.client("sqs")
    outputs = emulator.outputs("BattleScopePipeline")
    sqs.send_message(
        QueueUrl=outputs["KillmailQueueUrl"],
        MessageBody="no killmails",
        MessageGroupId="30002813",
        MessageDeduplicationId="poison",
    )
    dead = outputs["DeadLetterQueueUrl"]

    def waiting() -> int:
        told = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"])
        return int(told["Attributes"]["ApproximateNumberOfMessages"])

    wait_until(lambda: waiting() == 1, 60, "poison does not reach the dead-letter queue")
    (letter,) = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    assert letter["MessageAttributes"]["reason"]["StringValue"].startswith("not a message of references")
    # the emulator sends no metrics of queues: what the alarm watches is that queue's depth, and ours is in the log
    alarms = emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
    (alarm,) = [one for one in alarms if "redrive-dead-letters" in one["AlarmDescription"]]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": dead.rpartition("/")[2]}]
    (group,) = [
        id_
        for name, id_ in emulator.resources("BattleScopePipeline", "AWS::Logs::LogGroup").items()
        if name.startswith("Cluster")
    ]
    wait_until(
        lambda: any("MessagesDeadLettered" in line for line in printed(emulator, group)),
        30,
        "the dead letter is not counted",
    )
