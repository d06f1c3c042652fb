"""One logger, one metrics object, one tracer; every metric's name is written here and nowhere else.

Logs are JSON lines. Each carries its request's ids; `logger.append_context_keys` adds what is in hand. Metrics leave as
lines of CloudWatch's embedded format when an invocation ends. CloudWatch counts a metric's price for every hour in
which it is sent, so a count of zero is not sent. Where they are exposed to Prometheus (`expose`), it keeps them instead.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from battlescope.exposition import Exposition

SERVICE = "battlescope"
NAMESPACE = "BattleScope"

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


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
    MESSAGE_AGE = "MessageAge"


_exposition: "Exposition | None" = None


def expose(exposition: "Exposition") -> None:
    """From now on this process keeps its metrics for Prometheus."""
    global _exposition  # noqa: PLW0603 - one per process, as the logger and the metrics
    _exposition = exposition


def count(metric: Metric, value: int = 1) -> None:
    """Add `value` to a counter."""
    if not value:
        return
    if _exposition is not None:
        _exposition.count(metric, value)
    else:
        metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)


def gauge(metric: Metric, value: float, unit: MetricUnit) -> None:
    """Record a measured value."""
    if _exposition is not None:
        _exposition.measure(metric, value, unit)
    else:
        metrics.add_metric(name=metric, unit=unit, value=value)


def count_alone(metric: Metric) -> None:
    """Count one at once, for work of several threads: what `metrics` gathers belongs to one invocation."""
    if _exposition is not None:
        _exposition.count(metric, 1)
        return
    if is_metrics_disabled():  # a single metric does not look
        return
    with single_metric(
        name=metric,
        unit=MetricUnit.Count,
        value=1,
        namespace=NAMESPACE,
        default_dimensions={"service": SERVICE},
    ):
        pass


@contextmanager
def span(name: str) -> Iterator[None]:
    """A part of an invocation as X-Ray or a collector of OpenTelemetry shows it; nothing where neither is asked for."""
    trace = _tracer()
    if trace is None:
        yield
        return
    with trace(name):
        yield


type Handler[R] = Callable[[dict[str, Any], Any], R]
"""Takes an event and Lambda's context, or that of `battlescope.runtime`."""


def observed[R](*, correlation_id_path: str | None = None) -> Callable[[Handler[R]], Handler[R]]:
    """What every handler is wrapped in: ids on its log lines, its metrics sent, its cold starts counted, its trace.

    Args:
        correlation_id_path: where in the event the caller's own id of the request is (a JMESPath).
    """

    def wrap(work: Handler[R]) -> Handler[R]:
        logged = logger.inject_lambda_context(work, correlation_id_path=correlation_id_path, clear_state=True)

        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> R:
            try:
                with span(work.__module__):
                    return logged(event, context)
            finally:
                _flush(context)

        return handler

    return wrap


_warm: set[str] = set()
"""The functions that this process has served; in Lambda one, on a laptop all."""


def _flush(context: "LambdaContext") -> None:
    if _exposition is not None:
        return
    if context.function_name not in _warm:
        _warm.add(context.function_name)
        if not is_metrics_disabled():  # a single metric does not look
            # Under the function's name, apart from the others.
            metrics.provider.add_cold_start_metric(context)
    if metrics.provider.metric_set:
        metrics.flush_metrics()


@cache
def _tracer() -> "Callable[[str], AbstractContextManager[object]] | None":
    """Made where it is asked for, for either SDK takes half a second to import.

    Raises:
        SettingsError: TRACING or OTEL_EXPORTER_OTLP_ENDPOINT is something else than it can be.
    """
    from battlescope.settings import TracingSettings, load  # noqa: PLC0415 - a tenth of the import

    chosen = load(TracingSettings)
    if chosen.otel_exporter_otlp_endpoint is not None:
        from battlescope.otlp import tracer  # noqa: PLC0415

        return tracer(SERVICE)
    if not chosen.tracing:
        return None
    from aws_lambda_powertools import Tracer  # noqa: PLC0415

    provider = Tracer(service=SERVICE, auto_patch=False).provider
    return lambda name: provider.in_subsegment(name=name)
