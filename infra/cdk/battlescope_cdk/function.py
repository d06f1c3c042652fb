"""One Lambda function, with a role and a log group of its own."""

from collections.abc import Mapping
from typing import NamedTuple

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from battlescope_cdk.catalogue import Spec, settings_for
from battlescope_cdk.findings import explain
from battlescope_cdk.options import Options

RUNTIME = lambda_.Runtime.PYTHON_3_13


class Place(NamedTuple):
    """Where functions run when the database is in a VPC."""

    vpc: ec2.IVpc
    security_group: ec2.ISecurityGroup


class Reach(NamedTuple):
    """The database as functions reach it.

    Attributes:
        db_url: what they get as DB_URL: no password, but the secret's ARN.
        secret_arn: the secret they may read.
        place: where they must be.
    """

    db_url: str
    secret_arn: str
    place: Place | None


def common_layer(stack: Stack, options: Options) -> lambda_.LayerVersion:
    """The layer. Each stack has a version of its own: what another stack imports could never change again."""
    return lambda_.LayerVersion(
        stack,
        "CommonLayer",
        code=lambda_.Code.from_asset(str(options.package_dir / "layer")),
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[_architecture(options)],
        description="BattleScope's common code, and the packages all handlers share",
    )


class BattleScopeFunction(Construct):
    """A function as its `Spec` says, that may read the database's secret and write its own log, and nothing more."""

    def __init__(
        self,
        scope: Construct,
        spec: Spec,
        options: Options,
        *,
        layer: lambda_.ILayerVersion,
        reach: Reach,
        environment: Mapping[str, str] | None = None,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, spec.name)
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"BattleScope's {spec.handler}",
        )
        place = reach.place
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=_architecture(options),
            handler=spec.handler,
            code=lambda_.Code.from_asset(str(options.package_dir / "functions")),
            layers=[layer],
            memory_size=spec.memory_mb,
            timeout=Duration.seconds(spec.timeout_s),
            role=self.role,
            log_group=log_group,
            environment={
                "DB_URL": reach.db_url,
                **(environment or {}),
                **({"TRACING": "true"} if options.tracing else {}),
                **settings_for(spec, options.settings),
            },
            vpc=place.vpc if place else None,
            security_groups=[place.security_group] if place else None,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
            if place
            else None,
            tracing=lambda_.Tracing.ACTIVE if options.tracing else lambda_.Tracing.DISABLED,
            reserved_concurrent_executions=reserved_concurrency,
        )
        explain(
            self.function,
            {"AwsSolutions-L1": "3.13 is what the packages are pinned and tested for; see .python-version."},
        )
        self.allow("secretsmanager:GetSecretValue", reach.secret_arn)
        log_group.grant_write(self.role)
        if place:
            self._allow_network_interfaces()
        if options.tracing:
            explain(self.role, {"AwsSolutions-IAM5[Resource::*]": "X-Ray knows no narrower resource than *."})

    def allow(self, action: str, resource: str) -> None:
        """Let the function do one thing to one resource."""
        self.role.add_to_principal_policy(iam.PolicyStatement(actions=[action], resources=[resource]))

    def _allow_network_interfaces(self) -> None:
        self.role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=[
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSubnets",
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                resources=["*"],
            )
        )
        explain(
            self.role,
            {
                "AwsSolutions-IAM5[Resource::*]": "Lambda joins a VPC with these, of interfaces that are not there yet; AWS asks for *."
            },
        )


def _architecture(options: Options) -> lambda_.Architecture:
    return lambda_.Architecture.ARM_64 if options.architecture == "arm64" else lambda_.Architecture.X86_64
