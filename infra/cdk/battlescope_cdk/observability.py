"""What an owner looks at, and what calls them: a dashboard, alarms on symptoms, a budget."""

from typing import NamedTuple

from aws_cdk import Duration, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from battlescope.telemetry import NAMESPACE, SERVICE, Metric
from battlescope_cdk.api import ApiStack
from battlescope_cdk.data import DataStack
from battlescope_cdk.findings import explain
from battlescope_cdk.options import Options
from battlescope_cdk.pipeline import PipelineStack

FIVE_MINUTES = Duration.minutes(5)
QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
MISSED = cloudwatch.TreatMissingData.BREACHING
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD


class Symptom(NamedTuple):
    """One alarm.

    Attributes:
        id: of the alarm.
        metric: what is watched.
        threshold: where it alarms.
        periods: of five minutes in a row.
        meaning: what is wrong, and where to read on.
        comparison: on which side of the threshold.
        missing: what silence means.
    """

    id: str
    metric: cloudwatch.IMetric
    threshold: float
    periods: int
    meaning: str
    comparison: cloudwatch.ComparisonOperator = ABOVE
    missing: cloudwatch.TreatMissingData = QUIET


def own_metric(metric: Metric, statistic: str = "Sum") -> cloudwatch.Metric:
    """One of `battlescope.telemetry`'s."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric.value,
        dimensions_map={"service": SERVICE},
        statistic=statistic,
        period=FIVE_MINUTES,
    )


class ObservabilityStack(Stack):
    """Watches the other stacks."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        options: Options,
        data: DataStack,
        pipeline: PipelineStack,
        api: ApiStack,
    ) -> None:
        super().__init__(scope, id_, description="BattleScope: dashboard, alarms, budget")
        self._data = data
        self._pipeline = pipeline
        self._api = api
        topic = sns.Topic(self, "Alarms", enforce_ssl=True, display_name=f"{options.name} alarms")
        explain(
            topic,
            {
                "AwsSolutions-SNS2": "CloudWatch cannot send to a topic under AWS' own key, and alarms hold no secret."
            },
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        if options.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(options.alarm_email))
        self._alarms = [self._alarm(symptom, topic) for symptom in self._symptoms()]
        self._dashboard(options)
        if options.monthly_budget_usd and options.alarm_email:
            self._budget(options.monthly_budget_usd, options.alarm_email)

    def _symptoms(self) -> list[Symptom]:
        killmails, dead = self._pipeline.killmails, self._pipeline.dead_letters
        symptoms = [
            Symptom(
                "FeedStale", own_metric(Metric.FEED_LAG, "Minimum"), 3600, 3,
                "The newest killmail read is over an hour old: docs/runbooks/feed-down.md",
            ),
            Symptom(
                "FeedSilent",
                own_metric(Metric.KILLMAILS_INGESTED),
                1,
                12,
                "Not one killmail for an hour, which EVE's daily downtime does not take: docs/runbooks/feed-down.md",
                BELOW,
                MISSED,
            ),
            Symptom(
                "PollerSilent", own_metric(Metric.POLLER_RUNS), 1, 3,
                "The poller has not run for a quarter of an hour: docs/runbooks/feed-down.md", BELOW, MISSED,
            ),
            Symptom(
                "QueueOld", killmails.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum"),
                900, 3, "Killmails wait over a quarter of an hour: is the database there?",
            ),
            Symptom(
                "DeadLetters", dead.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
                0, 1, "Messages could not be processed: docs/runbooks/redrive-dead-letters.md",
            ),
            Symptom(
                "BattlesDifferent", own_metric(Metric.BATTLES_DIFFERENT), 0, 1,
                "What is stored is not what the engine makes of it: docs/upkeep.md, Verification",
            ),
            Symptom(
                "ApiErrors", self._api.http_api.metric_server_error(period=FIVE_MINUTES, statistic="Sum"), 10, 2,
                "Readers get errors: the API function's log tells which",
            ),
            Symptom(
                "ApiSlow", self._api.http_api.metric_latency(period=FIVE_MINUTES, statistic="p95"), 2000, 3,
                "One answer in twenty takes over two seconds",
            ),
        ]  # fmt: skip
        if "DBInstanceIdentifier" in (self._data.database_metrics or {}):
            symptoms.append(
                Symptom(
                    "DatabaseFull", self._database("FreeStorageSpace", "Minimum"), 2 * 1024**3, 1,
                    "Less than 2 GiB of the database's disk are free, and it grows no further", BELOW,
                )
            )  # fmt: skip
        return symptoms

    def _alarm(self, symptom: Symptom, topic: sns.Topic) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            symptom.id,
            metric=symptom.metric,
            threshold=symptom.threshold,
            evaluation_periods=symptom.periods,
            comparison_operator=symptom.comparison,
            treat_missing_data=symptom.missing,
            alarm_description=symptom.meaning,
        )
        action = actions.SnsAction(topic)
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
        return alarm

    def _database(self, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/RDS",
            metric_name=name,
            dimensions_map=self._data.database_metrics or {},
            statistic=statistic,
            period=FIVE_MINUTES,
        )

    def _dashboard(self, options: Options) -> None:
        http_api, pipeline = self._api.http_api, self._pipeline
        rows: list[list[tuple[str, list[cloudwatch.IMetric]]]] = [
            [
                ("Killmails ingested, stored", [own_metric(Metric.KILLMAILS_INGESTED), own_metric(Metric.KILLMAILS_STORED)]),
                ("Feed lag, s", [own_metric(Metric.FEED_LAG, "Minimum"), own_metric(Metric.FEED_LAG, "p95")]),
                ("Feed errors, holes, rejected", [own_metric(one) for one in (Metric.FEED_ERRORS, Metric.FEED_HOLES, Metric.KILLMAILS_REJECTED)]),
            ],
            [
                ("Oldest message, s", [pipeline.killmails.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES)]),
                ("Dead letters", [pipeline.dead_letters.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES), own_metric(Metric.MESSAGES_DEAD_LETTERED)]),
                ("Battle size, kills", [own_metric(Metric.BATTLE_KILLS, "p50"), own_metric(Metric.BATTLE_KILLS, "Maximum")]),
            ],
            [
                ("API latency, ms", [http_api.metric_latency(period=FIVE_MINUTES, statistic=one) for one in ("p50", "p95", "p99")]),
                ("API requests, errors", [http_api.metric_count(period=FIVE_MINUTES), http_api.metric_client_error(period=FIVE_MINUTES), http_api.metric_server_error(period=FIVE_MINUTES)]),
                ("Completeness, %; battles that differ", [own_metric(Metric.COMPLETENESS, "Minimum"), own_metric(Metric.BATTLES_DIFFERENT)]),
            ],
            [
                ("Function errors", [one.function.metric_errors(period=FIVE_MINUTES) for one in (pipeline.ingest, pipeline.cluster, pipeline.repair, pipeline.maintenance, self._api.function)]),
                ("Function durations, ms", [one.function.metric_duration(period=FIVE_MINUTES, statistic="p95") for one in (pipeline.cluster, self._api.function)]),
                ("Cold starts", [
                    cloudwatch.Metric(
                        namespace=NAMESPACE, metric_name="ColdStart", statistic="Sum", period=FIVE_MINUTES,
                        dimensions_map={"service": SERVICE, "function_name": one.function.function_name},
                    )
                    for one in (pipeline.ingest, pipeline.cluster, self._api.function)
                ]),
            ],
        ]  # fmt: skip
        if self._data.database_metrics:
            rows.append(
                [
                    (name, [self._database(name, "Average")])
                    for name in ("CPUUtilization", "DatabaseConnections", "FreeableMemory")
                ]
            )
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=options.name,
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self._alarms, width=24, height=3)],
                *(
                    [cloudwatch.GraphWidget(title=title, left=left, width=8) for title, left in row]
                    for row in rows
                ),
            ],
        )

    def _budget(self, usd: int, email: str) -> None:
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=email)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=100,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for kind in ("ACTUAL", "FORECASTED")
            ],
        )
