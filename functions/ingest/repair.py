"""What the feed left out, found and fetched: the Lambda handler of repair.

Invoked by a daily schedule (`{}`), or by hand for certain days (`{"days": "2021-11-27..2021-12-01"}`). Works until
shortly before its time is up; days that are not done then are found due by the next invocation. Who invokes it until
it is done says since when (`{"checked_before": "2021-12-02T10:00:00Z"}`), so that no day is checked twice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from battlescope import queue
from battlescope.database import LazyConnection
from battlescope.errors import FeedError
from battlescope.esi import Esi
from battlescope.http import HttpClient
from battlescope.lease import Leases
from battlescope.prices import load_prices
from battlescope.telemetry import Metric, count, gauge, logger, observed
from ingest.history.days import Span, today
from ingest.history.download import HistoryUnavailableError
from ingest.history.holes import close_holes, fill_holes
from ingest.history.r2z2 import R2Z2History
from ingest.history.repair import Repair, Tally
from ingest.history.sources import downloader

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LEASE = "repair"
LEASE_S = 1200.0
"""A repair that died is replaced after this long; a live one renews with every day."""

MARGIN_S = 15.0
"""Left at the end of an invocation for the last send."""

NOT_NOW = "another repair is at work, or R2Z2 asked us to stay away"


class _Environment:
    """What one Lambda environment keeps between invocations."""

    def __init__(self) -> None:
        from battlescope.settings import RepairSettings, load  # noqa: PLC0415 - a tenth of the import

        self.settings = load(RepairSettings)
        self.connection = LazyConnection(self.settings.db_url)
        self.leases = Leases(self.connection)
        # Half the rate, as the poller may be at work from the same address.
        rate = self.settings.requests_per_second / 2
        self.http = HttpClient(self.settings.zkb_useragent, requests_per_second=rate)
        self.esi = Esi(self.http, self.settings.esi_url)

    def repair(self, remaining_s: Callable[[], float]) -> Repair:
        """What repairs for as long as `remaining_s()` says."""
        return Repair(
            self.connection,
            R2Z2History(downloader(self.settings, remaining_s=remaining_s), self.settings.r2z2_url),
            self.esi,
            lambda messages: queue.send(self.settings.queue_url, messages),
            self.connection.run(load_prices),
            esi_max=self.settings.repair_esi_max,
            remaining_s=remaining_s,
        )


@cache
def environment() -> _Environment:
    """Made at the first invocation; a wrong setting stops it there."""
    return _Environment()


@observed()
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Repair what is due; answers what was done, and whether that was all."""
    count(Metric.REPAIR_RUNS)
    env = environment()
    owner = context.aws_request_id
    repair = env.repair(lambda: _remaining_s(context))
    if not env.leases.acquire(LEASE, owner, LEASE_S):
        count(Metric.LEASES_REFUSED)
        logger.info(NOT_NOW)
        return {"done": False, "error": NOT_NOW}
    error, not_before_s = None, 0.0
    try:
        _fill(env, repair, context)
        _check(env, repair, event, owner)
    except FeedError as failure:
        error = str(failure)
        count(Metric.FEED_ERRORS)
        logger.warning("repair ends early", extra={"error": error})
        if isinstance(failure, HistoryUnavailableError) and failure.was_asked_for:
            not_before_s = failure.wait_s
    finally:
        env.leases.release(LEASE, owner, not_before_s=not_before_s)
    closed = env.connection.run(lambda database: close_holes(database, env.settings.repair_days))
    return _report(repair.tally, closed, error)


def _fill(env: _Environment, repair: Repair, context: "LambdaContext") -> None:
    try:
        fill_holes(
            env.connection,
            env.http,
            env.settings.r2z2_url,
            younger_than=timedelta(hours=env.settings.r2z2_retention_hours),
            deliver=repair.deliver,
            remaining_s=lambda: _remaining_s(context),
        )
    except HistoryUnavailableError:
        raise
    except FeedError as error:  # history may answer all the same
        count(Metric.FEED_ERRORS)
        logger.warning("holes stay open", extra={"error": str(error)})


def _check(env: _Environment, repair: Repair, event: dict[str, Any], owner: str) -> None:
    asked = Span.parse(event["days"]) if "days" in event else None
    latest = today(env.http.clock.wall())
    repair.run(
        asked or Span(latest - timedelta(days=env.settings.repair_days), latest),
        every_day=asked is not None,
        checked_before=datetime.fromisoformat(event["checked_before"]) if "checked_before" in event else None,
        renew=lambda: env.leases.acquire(LEASE, owner, LEASE_S),
    )


def _remaining_s(context: "LambdaContext") -> float:
    return context.get_remaining_time_in_millis() / 1000 - MARGIN_S


def _report(tally: Tally, closed: int, error: str | None) -> dict[str, Any]:
    expected = sum(check.expected for check in tally.checks)
    held = sum(check.held for check in tally.checks)
    count(Metric.KILLMAILS_EXPECTED, expected)
    count(Metric.KILLMAILS_MISSING, expected - held)
    count(Metric.KILLMAILS_REPAIRED, len(tally.sent))
    count(Metric.HOLES_CLOSED, closed)
    if expected:
        gauge(Metric.COMPLETENESS, 100 * held / expected, MetricUnit.Percent)
    return {
        "days": [
            {
                "day": str(check.day),
                "expected": check.expected,
                "held": check.held,
                "missing_sent": check.missing_sent,
                "unobtainable": check.unobtainable,
            }
            for check in tally.checks
        ],
        "sent": len(tally.sent),
        "holes_closed": closed,
        "error": error,
        "done": tally.is_done and error is None,
    }
