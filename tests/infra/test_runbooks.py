"""Runbooks, done to an emulated AWS: every block of commands as it is written, and what it must bring about."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.infra.emulator import ACCOUNT, REGION, Emulator
from tests.infra.owner import PAGES, Owner, blocks, every_block
from tests.infra.served import TICK_S, digest_at, killmails_of, simulated
from tests.infra.synthesis import USERAGENT, Synthesis, synthesise
from tests.support.feeds_server import FeedsServer
from tests.support.laptop import engine_digest
from tests.support.waiting import wait_until

NOT_RUN = {
    ("first-deployment.md", 1): "tests/e2e runs the same command line",
    ("names.md", 1): "an example of what the other blocks are given",
}
"""Blocks that need what is not here, and what stands for them."""

MISSED_FROM = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
"""The first of the days that feed-down.md repairs."""

SETTINGS = {"GAP_MAX_MINUTES": "10"}
"""What recluster.md sets."""

DATABASE_STACK = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        **{
            f"Subnet{zone}": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {
                    "VpcId": {"Ref": "Vpc"},
                    "CidrBlock": f"10.0.{number}.0/24",
                    "AvailabilityZone": f"{REGION}{zone.lower()}",
                },
            }
            for number, zone in enumerate("AB")
        },
        "DatabaseSubnetGroup": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {
                "DBSubnetGroupDescription": "of the database",
                "SubnetIds": [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}],
            },
        },
        "DatabaseAccess": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "BattleScope database"},
        },
        "DatabaseParameters": {
            "Type": "AWS::RDS::DBParameterGroup",
            "Properties": {"Family": "postgres17", "Description": "of the database"},
        },
        "DatabaseSecret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"SecretString": json.dumps({"username": "u", "password": "old", "host": "old"})},
        },
        "DatabaseSecretAttachment": {
            "Type": "AWS::SecretsManager::SecretTargetAttachment",
            "Properties": {
                "SecretId": {"Ref": "DatabaseSecret"},
                "TargetId": {"Ref": "Database"},
                "TargetType": "AWS::RDS::DBInstance",
            },
        },
        "Reader": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"SecretString": json.dumps({"username": "r", "password": "kept", "host": "old"})},
        },
        "ReaderAttachment": {
            "Type": "AWS::SecretsManager::SecretTargetAttachment",
            "Properties": {
                "SecretId": {"Ref": "Reader"},
                "TargetId": {"Ref": "Database"},
                "TargetType": "AWS::RDS::DBInstance",
            },
        },
        "Database": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "DBInstanceClass": "db.t4g.micro",
                "Engine": "postgres",
                "MasterUsername": "battlescope",
                "MasterUserPassword": "first-password",
                "AllocatedStorage": "20",
                "DBSubnetGroupName": {"Ref": "DatabaseSubnetGroup"},
                "DeletionProtection": True,
            },
        },
    }
}
"""The resources of the Data stack that runbooks name; that stack itself needs a PostgreSQL behind RDS."""


STANDS_FOR = {"$part": ("Ingest", "Repair", "Maintenance"), "$login": ("Database", "Reader")}
"""What loops in runbooks go over."""


@pytest.fixture(scope="module")
def ours(placeholder: Path) -> Synthesis:
    """The stacks as they are deployed by default."""
    return synthesise(placeholder)


def test_names_in_runbooks_are_each_of_one_resource(ours: Synthesis) -> None:
    named = {
        match
        for page in PAGES
        for match in re.findall(r"\$\(resource (\w+) ([\w:]+) ([\w$]+)\)", "\n".join(blocks(page)))
    }
    assert named
    for stack, type_, beginning in named:
        for name in STANDS_FOR.get(beginning, (beginning,)):
            found = [
                id_ for id_ in ours.resources(f"BattleScope{stack}", f"AWS::{type_}") if id_.startswith(name)
            ]
            assert len(found) == 1, (stack, type_, name, found)
    for stack, key in re.findall(r"\$\(output (\w+) (\w+)\)", "\n".join(PAGES.values())):
        assert key in ours.templates[f"BattleScope{stack}"]["Outputs"]


def test_stacks_are_small_enough_to_be_described_at_once(ours: Synthesis) -> None:
    """`describe-stack-resources` tells of the first hundred."""
    assert [name for name, one in ours.templates.items() if len(one["Resources"]) > 100] == []


def test_blocks_that_are_not_run_exist() -> None:
    assert set(NOT_RUN) <= every_block()


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(tmp_path) as running:
        yield running


def test_runbooks_do_what_they_say(
    emulator: Emulator, placeholder: Path, tmp_path: Path, db_url: str
) -> None:
    evening = simulated(tmp_path / "evening.jsonl.gz", killmails=200, seed=9)
    missed = _of_repaired_days(
        simulated(tmp_path / "missed.jsonl.gz", killmails=120, seed=6, start=MISSED_FROM)
    )
    with FeedsServer(killmails_of(evening)) as feed:
        for killmail in killmails_of(missed):
            feed.archive(killmail)
        settings = {"R2Z2_URL": feed.url, "ESI_URL": feed.url}
        secret = emulator.client("secretsmanager").create_secret(Name="database", SecretString=db_url)["ARN"]
        owner = Owner(
            emulator,
            f"-c zkbUseragent='{USERAGENT}' -c database=external"
            f" -c databaseSecretArn={secret} -c settings='{json.dumps(settings)}'",
            DATABASE_SECRET_ARN=secret,
        )
        emulator.cdk(
            "bootstrap",
            f"aws://{ACCOUNT}/{REGION}",
            context={**_least(secret), "packageDir": str(placeholder)},
        )
        owner.types("make deploy")
        api_url = emulator.outputs("BattleScopeApi")["ApiUrl"]

        _looks_at_the_first_deployment(owner, emulator, api_url, [evening])
        _finds_what_was_missed(owner, emulator, api_url, [evening, missed])
        _redrives(owner, emulator)
        _clusters_anew(owner, emulator, api_url, [evening, missed], settings)
        _gets_a_domain_and_a_cdn(owner, emulator)
        _rotates_its_own_secret(owner, emulator, secret, db_url)
        _restores(owner, emulator)
        _tears_down(owner, emulator)
    assert every_block() - owner.done == set(NOT_RUN)


def _of_repaired_days(archive: Path) -> Path:
    """The archive without killmails of the day before, which came late."""
    with gzip.open(archive, "rt") as lines:
        kept = [line for line in lines if json.loads(line)["esi"]["killmail_time"] >= "2026-11-20"]
    archive.write_bytes(gzip.compress("".join(kept).encode()))
    return archive


def _least(secret: str) -> dict[str, str]:
    """Context for the CDK's bootstrap, which deploys none of it."""
    return {
        "zkbUseragent": USERAGENT,
        "database": "external",
        "databaseSecretArn": secret,
    }


def _looks_at_the_first_deployment(
    owner: Owner, emulator: Emulator, api_url: str, archives: list[Path]
) -> None:
    expected = engine_digest(archives)
    wait_until(lambda: digest_at(emulator, api_url) == expected, 5 * TICK_S, "no battles after a deployment")
    # the emulator serves an API at a path of its own
    told = owner.runs(
        "first-deployment.md", 0, **{"$(output Api ApiUrl)": emulator.address(api_url).replace("$", "\\$")}
    )
    assert '"status":"ok"' in told
    assert '"items":[' in told


def _finds_what_was_missed(owner: Owner, emulator: Emulator, api_url: str, archives: list[Path]) -> None:
    wait_until(
        lambda: "KillmailsIngested" in owner.runs("feed-down.md", 0),
        3 * TICK_S,
        "the runbook does not show the poller's log",  # written where an invocation ends
    )
    owner.runs_until_done("feed-down.md", 1)
    expected = engine_digest(archives)
    wait_until(
        lambda: digest_at(emulator, api_url) == expected, TICK_S, "repair does not find what was missed"
    )


def _redrives(owner: Owner, emulator: Emulator) -> None:
    outputs = emulator.outputs("BattleScopePipeline")
    emulator.client("sqs").send_message(
        QueueUrl=outputs["KillmailQueueUrl"],
        MessageBody="no killmails",
        MessageGroupId="30002813",
        MessageDeduplicationId="poison",
    )
    wait_until(
        lambda: "not a message of references" in owner.runs("redrive-dead-letters.md", 0),
        60,
        "the runbook does not show the dead letter and its reason",
    )
    owner.runs("redrive-dead-letters.md", 1)
    owner.runs("redrive-dead-letters.md", 2)
    assert owner.runs("redrive-dead-letters.md", 0).strip() == ""


def _clusters_anew(
    owner: Owner, emulator: Emulator, api_url: str, archives: list[Path], settings: dict[str, str]
) -> None:
    expected = engine_digest(archives, env=SETTINGS)
    assert expected != engine_digest(archives)
    written, meant = (
        json.dumps(one, separators=(",", ":")).replace('"', '\\"') for one in (SETTINGS, settings | SETTINGS)
    )
    owner.runs("recluster.md", 0, **{written: meant})
    owner.runs_until_done("recluster.md", 1)
    assert digest_at(emulator, api_url) == expected


def _gets_a_domain_and_a_cdn(owner: Owner, emulator: Emulator) -> None:
    dns, api_url = emulator.client("route53"), emulator.outputs("BattleScopeApi")["ApiUrl"]
    zone = dns.create_hosted_zone(Name="example.org", CallerReference="runbook")["HostedZone"]["Id"]
    owner.runs("custom-domain.md", 0, Z0123456789=zone.rpartition("/")[2])
    assert emulator.outputs("BattleScopeApi")["ApiUrl"] == "https://battles.example.org"
    records = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert ("battles.example.org.", "A") in [(one["Name"], one["Type"]) for one in records]
    # the emulator's own addresses have a port
    host = str(urlsplit(api_url).hostname)
    told = owner.runs("custom-domain.md", 1, **{"$(output Api ApiUrl | cut -d/ -f3)": host})
    assert ".cloudfront.net" in told
    (distribution,) = emulator.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    assert [one["DomainName"] for one in distribution["Origins"]["Items"]] == [host]
    (firewall,) = emulator.client("wafv2").list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    assert distribution["WebACLId"] == firewall["ARN"]


def _rotates_its_own_secret(owner: Owner, emulator: Emulator, secret: str, db_url: str) -> None:
    secrets = emulator.client("secretsmanager")
    secrets.put_secret_value(SecretId=secret, SecretString="postgresql://nobody@127.0.0.1:1/nothing")
    owner.runs("rotate-secrets.md", 1, typed=f"{db_url}\n")
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == db_url


def _restores(owner: Owner, emulator: Emulator) -> None:
    functions = emulator.client("lambda")
    (cluster,) = _functions(emulator, "Cluster")
    writing = [name for part in ("Ingest", "Repair", "Maintenance") for name in _functions(emulator, part)]
    (mapping,) = functions.list_event_source_mappings(FunctionName=cluster)["EventSourceMappings"]

    def state() -> str:
        return str(functions.get_event_source_mapping(UUID=mapping["UUID"])["State"])

    owner.runs("restore.md", 0)
    assert state() in {"Disabled", "Disabling"}
    for name in writing:
        with pytest.raises(functions.exceptions.TooManyRequestsException):
            functions.invoke(FunctionName=name, Payload=b"{}")

    rds, secrets = emulator.client("rds"), emulator.client("secretsmanager")
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack(StackName="RestoredData", TemplateBody=json.dumps(DATABASE_STACK))
    as_the_stack = {"$(resource": "$(name=Restored resource"}
    (lost,) = emulator.resources("RestoredData", "AWS::RDS::DBInstance").values()
    rds.create_db_snapshot(DBInstanceIdentifier=lost, DBSnapshotIdentifier="final")
    owner.runs("restore.md", 2, **as_the_stack, **{"$SNAPSHOT": "final"})
    owner.runs("restore.md", 1, **as_the_stack)  # what it would make is there
    owner.runs("restore.md", 3, **as_the_stack)
    owner.runs("restore.md", 4, **as_the_stack)
    named = emulator.resources("RestoredData", "AWS::SecretsManager::Secret")
    held, reader = (
        json.loads(secrets.get_secret_value(SecretId=named[id_])["SecretString"])
        for id_ in ("DatabaseSecret", "Reader")
    )
    (restored,) = rds.describe_db_instances(DBInstanceIdentifier="battlescope-restored")["DBInstances"]
    assert held["username"] == "u"
    assert held["host"] == restored["Endpoint"]["Address"]
    assert len(held["password"]) >= 30
    assert (reader["username"], reader["password"], reader["host"]) == ("r", "kept", held["host"])
    assert '"applied": []' in owner.runs("restore.md", 5)
    owner.runs("rotate-secrets.md", 0, **as_the_stack)

    owner.runs("restore.md", 6)
    assert state() in {"Enabled", "Enabling"}
    for name in writing:
        assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)


def _functions(emulator: Emulator, part: str) -> list[str]:
    found = emulator.resources("BattleScopePipeline", "AWS::Lambda::Function")
    return [name for id_, name in found.items() if id_.startswith(part)]


def _tears_down(owner: Owner, emulator: Emulator) -> None:
    owner.runs("tear-down.md", 0, **{"$(resource": "$(name=Restored resource"})
    (database,) = emulator.resources("RestoredData", "AWS::RDS::DBInstance").values()
    (told,) = emulator.client("rds").describe_db_instances(DBInstanceIdentifier=database)["DBInstances"]
    assert not told["DeletionProtection"]
    owner.runs("tear-down.md", 1)
    stacks: list[dict[str, Any]] = emulator.client("cloudformation").describe_stacks()["Stacks"]
    left = [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    assert [name for name in left if name.startswith("BattleScope")] == []
    owner.runs("tear-down.md", 2)
