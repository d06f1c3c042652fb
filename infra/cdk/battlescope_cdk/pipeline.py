"""Feed to queue to database: the queues, the functions that fill and empty them, and what calls those."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from battlescope_cdk.catalogue import CLUSTER, INGEST, MAINTENANCE, REPAIR
from battlescope_cdk.findings import explain
from battlescope_cdk.function import BattleScopeFunction, Reach, common_layer
from battlescope_cdk.options import Options

RETENTION = Duration.days(14)
MAX_RECEIVES = 1000
"""A backstop: the clusterer itself dead-letters poison, with its reason; an outage must never."""

MAX_CONCURRENCY = 5
"""Clusterers at a time; each holds a connection to the database."""

SCHEDULES = {
    INGEST.name: "rate(1 minute)",
    REPAIR.name: "cron(30 11 * * ? *)",  # after EVE's downtime, when history has been written anew
    MAINTENANCE.name: "rate(1 hour)",
}


class PipelineStack(Stack):
    """What finds battles."""

    def __init__(self, scope: Construct, id_: str, options: Options, reach: Reach) -> None:
        super().__init__(scope, id_, description="BattleScope: feed, queue, clusterer, upkeep")
        layer = common_layer(self, options)
        self.dead_letters = self._queue("DeadLetters")
        self.killmails = self._queue(
            "Killmails",
            visibility_timeout=Duration.seconds(6 * CLUSTER.timeout_s),
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES),
        )
        explain(self.dead_letters, {"AwsSolutions-SQS3": "It is the dead-letter queue."})
        outside = {"ZKB_USERAGENT": options.zkb_useragent}
        self.ingest = BattleScopeFunction(
            self, INGEST, options, layer=layer, reach=reach,
            environment={**outside, "QUEUE_URL": self.killmails.queue_url},
            reserved_concurrency=options.reserved_concurrency,
        )  # fmt: skip
        self.repair = BattleScopeFunction(
            self, REPAIR, options, layer=layer, reach=reach,
            environment={**outside, "QUEUE_URL": self.killmails.queue_url},
        )  # fmt: skip
        self.cluster = BattleScopeFunction(
            self, CLUSTER, options, layer=layer, reach=reach,
            environment={"DEAD_LETTER_QUEUE_URL": self.dead_letters.queue_url},
        )  # fmt: skip
        self.maintenance = BattleScopeFunction(
            self, MAINTENANCE, options, layer=layer, reach=reach, environment=outside
        )  # fmt: skip
        for sender in (self.ingest, self.repair):
            sender.allow("sqs:SendMessage", self.killmails.queue_arn)
        self.cluster.allow("sqs:SendMessage", self.dead_letters.queue_arn)
        self.cluster.function.add_event_source(
            event_sources.SqsEventSource(
                self.killmails,
                batch_size=10,
                report_batch_item_failures=True,
                max_concurrency=MAX_CONCURRENCY,
            )
        )
        for scheduled in (self.ingest, self.repair, self.maintenance):
            self._schedule(scheduled)
        CfnOutput(self, "KillmailQueueUrl", value=self.killmails.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=self.dead_letters.queue_url)

    def _queue(self, id_: str, **more: object) -> sqs.Queue:
        return sqs.Queue(
            self,
            id_,
            fifo=True,
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,
            **more,  # type: ignore[arg-type]
        )

    def _schedule(self, called: BattleScopeFunction) -> None:
        """Nothing is tried again: the next tick does what this one left."""
        name = called.node.id
        role = iam.Role(
            self,
            f"{name}ScheduleRole",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[called.function.function_arn])
        )
        scheduler.CfnSchedule(
            self,
            f"{name}Schedule",
            schedule_expression=SCHEDULES[name],
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=called.function.function_arn,
                role_arn=role.role_arn,
                input="{}",
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=0, maximum_event_age_in_seconds=60
                ),
            ),
        )
        lambda_.EventInvokeConfig(
            self,
            f"{name}Invocations",
            function=called.function,
            retry_attempts=0,
            max_event_age=Duration.seconds(60),
        )
