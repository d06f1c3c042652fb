"""One logger and one metrics object; every metric's name is written here and nowhere else."""

from enum import StrEnum

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

_NAMESPACE = "BattleScope"
_SERVICE = "battlescope"

logger = Logger(service=_SERVICE)
metrics = Metrics(namespace=_NAMESPACE, service=_SERVICE)


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
    MAINTENANCE_RUNS = "MaintenanceRuns"
    MAINTENANCE_ERRORS = "MaintenanceErrors"
    BATTLES_RECLUSTERED = "BattlesReclustered"
    BATTLES_VERIFIED = "BattlesVerified"
    BATTLES_DIFFERENT = "BattlesDifferent"
    NAMES_RESOLVED = "NamesResolved"
    KILLMAILS_DROPPED = "KillmailsDropped"
    BATTLES_DROPPED = "BattlesDropped"
    MESSAGES_DEAD_LETTERED = "MessagesDeadLettered"
    REDIS_ERRORS = "RedisErrors"


def count(metric: Metric, value: int = 1) -> None:
    """Add `value` to a counter."""
    metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)


def gauge(metric: Metric, value: float, unit: MetricUnit) -> None:
    """Record a measured value."""
    metrics.add_metric(name=metric, unit=unit, value=value)


def count_alone(metric: Metric) -> None:
    """Count one at once, for work of several threads: what `metrics` gathers belongs to one invocation."""
    with single_metric(
        name=metric,
        unit=MetricUnit.Count,
        value=1,
        namespace=_NAMESPACE,
        default_dimensions={"service": _SERVICE},
    ):
        pass
