"""One logger and one metrics object; every metric's name is written here and nowhere else."""

from enum import StrEnum

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="battlescope")
metrics = Metrics(namespace="BattleScope", service="battlescope")


class Metric(StrEnum):
    """What is counted and measured."""

    POLLER_RUNS = "PollerRuns"
    LEASES_REFUSED = "LeasesRefused"
    KILLMAILS_INGESTED = "KillmailsIngested"
    KILLMAILS_REJECTED = "KillmailsRejected"
    MESSAGES_RECEIVED = "MessagesReceived"
    KILLMAILS_STORED = "KillmailsStored"
    KILLMAIL_CONFLICTS = "KillmailConflicts"
    BATTLES_CHANGED = "BattlesChanged"
    BATTLE_KILLS = "BattleKills"
    FEED_LAG = "FeedLag"
    FEED_HOLES = "FeedHoles"
    FEED_ERRORS = "FeedErrors"
    REPAIR_RUNS = "RepairRuns"
    KILLMAILS_EXPECTED = "KillmailsExpected"
    KILLMAILS_MISSING = "KillmailsMissing"
    KILLMAILS_REPAIRED = "KillmailsRepaired"
    COMPLETENESS = "Completeness"
    HOLES_CLOSED = "HolesClosed"
    MESSAGES_DEAD_LETTERED = "MessagesDeadLettered"


def count(metric: Metric, value: int = 1) -> None:
    """Add `value` to a counter."""
    metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)


def gauge(metric: Metric, value: float, unit: MetricUnit) -> None:
    """Record a measured value."""
    metrics.add_metric(name=metric, unit=unit, value=value)
