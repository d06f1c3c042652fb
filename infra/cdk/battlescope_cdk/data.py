"""The database, and its schema: migrated before any stack that depends on this one gets new code."""

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from battlescope_cdk.catalogue import MIGRATE
from battlescope_cdk.findings import explain
from battlescope_cdk.function import BattleScopeFunction, Place, Reach, common_layer
from battlescope_cdk.options import Options

NAME = "battlescope"
BACKUP_DAYS = 7
ROTATION_DAYS = 30
INSTANCE_STORAGE_GB = 20
INSTANCE_STORAGE_MAX_GB = 100
AURORA_UNITS_MAX = 4


class DataStack(Stack):
    """A PostgreSQL of ours, or another's; then the schema.

    Attributes:
        reach: how functions reach it.
        reader: how the API reaches it, with a login that may only read.
        database_metrics: which database CloudWatch knows it as; None for another's.
    """

    def __init__(self, scope: Construct, id_: str, options: Options, place: Place | None) -> None:
        super().__init__(scope, id_, description="BattleScope: database")
        self.database_metrics: dict[str, str] | None = None
        rotations: list[Construct] = []
        if place:
            self.reach, self.reader = self._own(options, place, rotations)
        else:
            self.reach, self.reader = _external(options)
        layer = common_layer(self, options)
        has_reader = self.reader != self.reach
        migrate = BattleScopeFunction(
            self, MIGRATE, options, layer=layer, reach=self.reach,
            environment={"READER_DB_URL": self.reader.secret_arn} if has_reader else None,
        )  # fmt: skip
        if has_reader:
            migrate.allow("secretsmanager:GetSecretValue", self.reader.secret_arn)
        schema = CustomResource(
            self,
            "Schema",
            resource_type="Custom::Schema",
            service_token=migrate.function.function_arn,
            service_timeout=Duration.seconds(MIGRATE.timeout_s),
            # Migrations are in the layer, so a layer that changed migrates.
            properties={"Layer": layer.layer_version_arn},
        )
        schema.node.add_dependency(migrate.role)
        for rotation in rotations:
            rotation.node.add_dependency(schema)  # which makes the login whose password it changes

    def _own(self, options: Options, place: Place, after_schema: list[Construct]) -> tuple[Reach, Reach]:
        """How functions reach it, and how the API does; `after_schema` is added what has to wait for the schema."""
        group = ec2.SecurityGroup(
            self,
            "DatabaseAccess",
            vpc=place.vpc,
            description="BattleScope database",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(place.security_group, ec2.Port.tcp(5432), "BattleScope functions")
        database = (
            self._instance(options, place, group) if options.database == "rds" else self._aurora(place, group)
        )
        secret = database.secret
        if secret is None:  # both make one
            raise TypeError("the database has no secret")
        # Rotations speak to Secrets Manager, so they need the functions' way out as well as the database.
        way_out = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        database.add_rotation_single_user(
            automatically_after=Duration.days(ROTATION_DAYS),
            vpc_subnets=way_out,
            security_group=place.security_group,
        )
        reader = rds.DatabaseSecret(self, "Reader", username=f"{NAME}_reader", dbname=NAME).attach(database)
        after_schema.append(
            secretsmanager.SecretRotation(
                self,
                "ReaderRotation",
                application=secretsmanager.SecretRotationApplication.POSTGRES_ROTATION_SINGLE_USER,
                secret=reader,
                target=database,
                automatically_after=Duration.days(ROTATION_DAYS),
                rotate_immediately_on_update=False,
                vpc=place.vpc,
                vpc_subnets=way_out,
                security_group=place.security_group,
            )
        )
        through = ""
        if options.database_proxy:
            proxy = database.add_proxy(
                "Proxy",
                secrets=[secret, reader],
                vpc=place.vpc,
                vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
                security_groups=[group],
            )
            group.add_ingress_rule(group, ec2.Port.tcp(5432), "RDS Proxy")
            group.add_egress_rule(group, ec2.Port.tcp(5432), "RDS Proxy")
            through = f"?host={proxy.endpoint}"
        return (
            Reach(f"{secret.secret_arn}{through}", secret.secret_arn, place),
            Reach(f"{reader.secret_arn}{through}", reader.secret_arn, place),
        )

    def _instance(self, options: Options, place: Place, group: ec2.ISecurityGroup) -> rds.DatabaseInstance:
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17)
        instance = rds.DatabaseInstance(
            self,
            "Database",
            engine=engine,
            instance_type=ec2.InstanceType(options.database_instance),
            vpc=place.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=[group],
            database_name=NAME,
            credentials=rds.Credentials.from_generated_secret(NAME),
            allocated_storage=INSTANCE_STORAGE_GB,
            max_allocated_storage=INSTANCE_STORAGE_MAX_GB,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            backup_retention=Duration.days(BACKUP_DAYS),  # with point-in-time recovery
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            iam_authentication=True,
            deletion_protection=True,
            removal_policy=RemovalPolicy.SNAPSHOT,
            cloudwatch_logs_exports=["postgresql"],
            parameters={"rds.force_ssl": "1", "log_min_duration_statement": "2000", "log_connections": "0"},
        )
        self.database_metrics = {"DBInstanceIdentifier": instance.instance_identifier}
        explain(
            instance,
            {
                "AwsSolutions-RDS3": "A second zone doubles the price. Killmails wait in the queue while a backup is restored.",
                "AwsSolutions-RDS11": "The port is no secret, and reachable from the functions only.",
            },
        )
        return instance

    def _aurora(self, place: Place, group: ec2.ISecurityGroup) -> rds.DatabaseCluster:
        cluster = rds.DatabaseCluster(
            self,
            "Database",
            engine=rds.DatabaseClusterEngine.aurora_postgres(
                version=rds.AuroraPostgresEngineVersion.VER_17_4
            ),
            writer=rds.ClusterInstance.serverless_v2("Writer"),
            serverless_v2_min_capacity=0.5,
            serverless_v2_max_capacity=AURORA_UNITS_MAX,
            vpc=place.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=[group],
            default_database_name=NAME,
            credentials=rds.Credentials.from_generated_secret(NAME),
            storage_encrypted=True,
            backup=rds.BackupProps(retention=Duration.days(BACKUP_DAYS)),
            copy_tags_to_snapshot=True,
            iam_authentication=True,
            deletion_protection=True,
            removal_policy=RemovalPolicy.SNAPSHOT,
            cloudwatch_logs_exports=["postgresql"],
        )
        self.database_metrics = {"DBClusterIdentifier": cluster.cluster_identifier}
        explain(
            cluster,
            {
                "AwsSolutions-RDS11": "The port is no secret, and reachable from the functions only.",
            },
        )
        return cluster


def _external(options: Options) -> tuple[Reach, Reach]:
    arn = str(options.database_secret_arn)
    reader_arn = options.reader_secret_arn or arn
    return Reach(arn, arn, None), Reach(reader_arn, reader_arn, None)
