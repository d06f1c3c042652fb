"""The CDK app's templates: what each choice makes, who may do what, and that nothing is found against them."""

from pathlib import Path
from typing import Any

import pytest

from battlescope.errors import SettingsError
from battlescope.telemetry import Metric
from battlescope_cdk.options import parse_options
from tests.infra.synthesis import USERAGENT, Synthesis, synthesise

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf"  # noqa: S105 - no secret, but the name of one
READER = SECRET.replace("database", "reader")
EXTERNAL = {"database": "external", "databaseSecretArn": SECRET}
EVERYTHING = {
    "databaseProxy": True,
    "nat": "gateway",
    "tracing": True,
    "reservedConcurrency": 1,
    "domainName": "battles.example.org",
    "hostedZoneId": "Z0123456789",
    "hostedZoneName": "example.org",
    "cdnOrigin": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    "alarmEmail": "nobody@example.invalid",
    "monthlyBudgetUsd": 30,
}
CHOICES: dict[str, dict[str, Any]] = {
    "default": {},
    "aurora": {"database": "aurora"},
    "external": EXTERNAL,
    "everything": EVERYTHING,
}


@pytest.fixture(scope="session")
def default(placeholder: Path) -> Synthesis:
    return synthesise(placeholder)


def allowed(synthesis: Synthesis, stack: str, function: str) -> set[tuple[str, str]]:
    """What a function's role may do, as `(action, resource)`, resources by the start of their logical id."""
    pairs = set()
    for id_, policy in synthesis.resources(stack, "AWS::IAM::Policy").items():
        if not id_.startswith(f"{function}Role"):
            continue
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            for action in _list(statement["Action"]):
                pairs |= {(action, _name(resource)) for resource in _list(statement["Resource"])}
    return pairs


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    ((kind, value),) = resource.items()
    named = value[0] if kind == "Fn::GetAtt" else value if isinstance(value, str) else str(value)
    return next(
        (name for name in ("Killmails", "DeadLetters", "Reader", "Database", "Logs") if name in named), named
    )


@pytest.mark.parametrize("choice", CHOICES)
def test_cdk_nag_and_the_schemas_find_nothing(placeholder: Path, choice: str) -> None:
    assert synthesise(placeholder, **CHOICES[choice]).violations == []


NETWORK = {
    (f"ec2:{action}", "*")
    for action in (
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
    )
}
COMMON = {("logs:CreateLogStream", "Logs"), ("logs:PutLogEvents", "Logs")} | NETWORK
OWNER, READS = (("secretsmanager:GetSecretValue", secret) for secret in ("Database", "Reader"))
RECEIVES = {
    (f"sqs:{action}", "Killmails")
    for action in (
        "ReceiveMessage",
        "ChangeMessageVisibility",
        "GetQueueUrl",
        "DeleteMessage",
        "GetQueueAttributes",
    )
}


@pytest.mark.parametrize(
    ("stack", "function", "more"),
    [
        ("BattleScopeData", "Migrate", {OWNER, READS}),
        ("BattleScopeApi", "Api", {READS}),
        ("BattleScopePipeline", "Ingest", {OWNER, ("sqs:SendMessage", "Killmails")}),
        ("BattleScopePipeline", "Repair", {OWNER, ("sqs:SendMessage", "Killmails")}),
        ("BattleScopePipeline", "Cluster", {OWNER, ("sqs:SendMessage", "DeadLetters"), *RECEIVES}),
        ("BattleScopePipeline", "Maintenance", {OWNER}),
    ],
)
def test_a_function_may_do_what_it_does_and_nothing_else(
    default: Synthesis, stack: str, function: str, more: set[tuple[str, str]]
) -> None:
    assert allowed(default, stack, function) == COMMON | more
    roles = default.resources(stack, "AWS::IAM::Role")
    (role,) = [one for id_, one in roles.items() if id_.startswith(f"{function}Role")]
    assert "ManagedPolicyArns" not in role


def test_outside_a_vpc_no_function_touches_networks(placeholder: Path) -> None:
    external = synthesise(placeholder, **EXTERNAL)
    assert "BattleScopeNetwork" not in external.templates
    assert allowed(external, "BattleScopeApi", "Api") == {
        ("secretsmanager:GetSecretValue", SECRET),
        ("logs:CreateLogStream", "Logs"),
        ("logs:PutLogEvents", "Logs"),
    }
    (function,) = external.resources("BattleScopeApi", "AWS::Lambda::Function").values()
    assert "VpcConfig" not in function
    assert function["Environment"]["Variables"] == {"DB_URL": SECRET}


def test_a_schedule_may_call_its_function_only(default: Synthesis) -> None:
    policies = default.resources("BattleScopePipeline", "AWS::IAM::Policy")
    for name in ("Ingest", "Repair", "Maintenance"):
        (policy,) = [one for id_, one in policies.items() if id_.startswith(f"{name}ScheduleRole")]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Action"] == "lambda:InvokeFunction"
        assert statement["Resource"]["Fn::GetAtt"][0].startswith(f"{name}Function")


def test_no_password_is_in_any_template(default: Synthesis) -> None:
    for stack in default.templates:
        for function in default.resources(stack, "AWS::Lambda::Function").values():
            variables = function.get("Environment", {}).get("Variables", {})
            assert "{{resolve:" not in str(variables)
            assert "postgresql://" not in str(variables)


def test_the_schema_is_migrated_before_new_code_serves(default: Synthesis) -> None:
    (schema,) = default.resources("BattleScopeData", "Custom::Schema").values()
    assert schema["Layer"]["Ref"].startswith("CommonLayer")
    for serving in ("BattleScopePipeline", "BattleScopeApi"):
        assert "BattleScopeData" in default.dependencies[serving]


def test_the_database_outlives_its_stack_and_is_not_reached_from_outside(default: Synthesis) -> None:
    database = next(
        one
        for one in default.templates["BattleScopeData"]["Resources"].values()
        if one["Type"] == "AWS::RDS::DBInstance"
    )
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    held = database["Properties"]
    assert held["DeletionProtection"]
    assert held["StorageEncrypted"]
    assert held["EnableIAMDatabaseAuthentication"]
    assert held["BackupRetentionPeriod"] == 7
    assert not held.get("PubliclyAccessible", False)
    assert len(default.resources("BattleScopeData", "AWS::SecretsManager::RotationSchedule")) == 2
    for rule in default.resources("BattleScopeData", "AWS::EC2::SecurityGroupIngress").values():
        assert "SourceSecurityGroupId" in rule


def test_what_needs_a_way_out_has_one(default: Synthesis) -> None:
    (nat,) = default.resources("BattleScopeNetwork", "AWS::EC2::Instance").values()
    (interface,) = nat["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"]
    rotations = default.resources("BattleScopeData", "AWS::Serverless::Application").values()
    assert len(rotations) == 2
    for rotation in rotations:
        assert "functionsSubnet" in str(rotation["Parameters"]["vpcSubnetIds"])
        assert "Functions" in str(rotation["Parameters"]["vpcSecurityGroupIds"])
    ingress = default.resources("BattleScopeNetwork", "AWS::EC2::SecurityGroupIngress").values()
    assert all("CidrIp" not in rule for rule in ingress)


def test_a_proxy_is_what_functions_connect_to(placeholder: Path) -> None:
    synthesis = synthesise(placeholder, **EVERYTHING)
    (function,) = synthesis.resources("BattleScopeApi", "AWS::Lambda::Function").values()
    assert "?host=" in str(function["Environment"]["Variables"]["DB_URL"])
    (proxy,) = synthesis.resources("BattleScopeData", "AWS::RDS::DBProxy").values()
    assert {_name(one["SecretArn"]) for one in proxy["Auth"]} == {"Database", "Reader"}


def test_the_api_has_a_login_of_its_own_which_the_migration_makes(placeholder: Path) -> None:
    synthesis = synthesise(placeholder, readerSecretArn=READER, **EXTERNAL)
    (api,) = synthesis.resources("BattleScopeApi", "AWS::Lambda::Function").values()
    assert api["Environment"]["Variables"] == {"DB_URL": READER}
    (migrate,) = synthesis.resources("BattleScopeData", "AWS::Lambda::Function").values()
    assert migrate["Environment"]["Variables"] == {"DB_URL": SECRET, "READER_DB_URL": READER}
    assert ("secretsmanager:GetSecretValue", SECRET) not in allowed(synthesis, "BattleScopeApi", "Api")
    for function in synthesis.resources("BattleScopePipeline", "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["DB_URL"] == SECRET


def test_a_login_is_not_rotated_before_it_is_there(default: Synthesis) -> None:
    (schema,) = [
        id_
        for id_, one in default.templates["BattleScopeData"]["Resources"].items()
        if one["Type"] == "Custom::Schema"
    ]
    schedule, rotates = (
        next(
            one
            for id_, one in default.templates["BattleScopeData"]["Resources"].items()
            if one["Type"] == type_ and id_.startswith("Reader")
        )
        for type_ in ("AWS::SecretsManager::RotationSchedule", "AWS::Serverless::Application")
    )
    assert schedule["Properties"]["RotationLambdaARN"]["Fn::GetAtt"][0].startswith("ReaderRotation")
    assert schema in rotates["DependsOn"]
    assert schedule["Properties"]["RotateImmediatelyOnUpdate"] is False


def test_a_domain_leads_to_the_api(placeholder: Path) -> None:
    synthesis = synthesise(placeholder, **EVERYTHING)
    (mapping,) = synthesis.resources("BattleScopeApi", "AWS::ApiGatewayV2::ApiMapping").values()
    assert mapping["Stage"] == "$default"
    (record,) = synthesis.resources("BattleScopeApi", "AWS::Route53::RecordSet").values()
    assert record["Name"] == "battles.example.org."
    assert (
        synthesis.templates["BattleScopeApi"]["Outputs"]["ApiUrl"]["Value"] == "https://battles.example.org"
    )


def test_settings_go_to_the_functions_that_know_them(placeholder: Path) -> None:
    given = {"GAP_MAX_MINUTES": "20", "LOG_LEVEL": "DEBUG"}
    synthesis = synthesise(placeholder, settings=given, **EXTERNAL)
    pipeline = synthesis.resources("BattleScopePipeline", "AWS::Lambda::Function")
    knows_gap = {
        one["Handler"]: "GAP_MAX_MINUTES" in one["Environment"]["Variables"] for one in pipeline.values()
    }
    assert knows_gap == {
        "ingest.handler.handler": False,
        "ingest.repair.handler": False,
        "cluster.handler.handler": True,
        "cluster.maintenance.handler.handler": True,
    }
    assert all(one["Environment"]["Variables"]["LOG_LEVEL"] == "DEBUG" for one in pipeline.values())
    with pytest.raises(SettingsError, match="no function reads GAP_MINUTES"):
        synthesise(placeholder, settings={"GAP_MINUTES": "20"}, **EXTERNAL)


def test_alarms_and_dashboard_watch_metrics_that_the_code_sends(placeholder: Path) -> None:
    synthesis = synthesise(placeholder, **EVERYTHING)
    alarms = synthesis.resources("BattleScopeObservability", "AWS::CloudWatch::Alarm")
    ours = {one["MetricName"] for one in alarms.values() if one.get("Namespace") == "BattleScope"}
    assert ours
    assert ours <= {metric.value for metric in Metric}
    assert all(one["AlarmActions"] and one["AlarmDescription"] for one in alarms.values())
    assert synthesis.resources("BattleScopeObservability", "AWS::Budgets::Budget")


def test_runbooks_that_alarms_name_exist(default: Synthesis) -> None:
    root = Path(__file__).resolve().parents[2]
    alarms = default.resources("BattleScopeObservability", "AWS::CloudWatch::Alarm").values()
    named = {
        word.rstrip(",.:")
        for alarm in alarms
        for word in alarm["AlarmDescription"].split()
        if word.startswith("docs/")
    }
    assert named
    assert [name for name in sorted(named) if not (root / name).is_file()] == []


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "context zkbUseragent: Field required"),
        ({"zkbUseragent": "me"}, "context zkbUseragent: .*at least 8"),
        ({"databse": "rds"}, "context databse: Extra inputs are not permitted"),
        ({"database": "external"}, "databaseSecretArn goes with database=external"),
        ({"databaseSecretArn": SECRET}, "databaseSecretArn goes with database=external"),
        ({"readerSecretArn": READER}, "readerSecretArn goes with database=external"),
        ({**EXTERNAL, "databaseProxy": "true"}, "databaseProxy is for a database of this deployment"),
        ({"domainName": "battles.example.org"}, "domainName needs hostedZoneId"),
        ({"monthlyBudgetUsd": "30"}, "monthlyBudgetUsd needs alarmEmail"),
    ],
)
def test_a_wrong_choice_is_named(given: dict[str, Any], complaint: str) -> None:
    base = {} if "zkbUseragent" in given or not given else {"zkbUseragent": USERAGENT}
    with pytest.raises(SettingsError, match=complaint):
        parse_options({**base, **given})
