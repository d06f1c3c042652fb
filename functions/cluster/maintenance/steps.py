"""The steps of upkeep: which there are, and how they share an invocation's time."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from battlescope.clock import Clock
from battlescope.database import LazyConnection
from battlescope.errors import DatabaseError, FeedError
from battlescope.esi import Esi
from battlescope.lease import Leases
from battlescope.prices import refresh_prices
from battlescope.settings import MaintenanceSettings
from battlescope.telemetry import Metric, count, logger
from cluster.engine.rules import Rules
from cluster.maintenance import activity, reclustering, restored, retention, tables, verifying
from cluster.maintenance.naming import Naming
from cluster.maintenance.reclustering import Window

type RemainingS = Callable[[], float]

type Report = dict[str, Any]
"""What a step did; `done` where it left nothing for the next invocation, `error` where something stood in the way."""

LEASE_SLACK_S = 60.0
"""A step that outlives its invocation by so long is dead, and another run may have it."""

TAKEN = "another run is at it"


class Step(NamedTuple):
    """A step and what it is called."""

    name: str
    run: Callable[[RemainingS], Report]


class Upkeep:
    """The steps over one database."""

    def __init__(
        self, settings: MaintenanceSettings, connection: LazyConnection, esi: Esi, clock: Clock
    ) -> None:
        self._settings = settings
        self._rules = Rules.of(settings)
        self._connection = connection
        self._esi = esi
        self._clock = clock

    def all(self) -> list[Step]:
        """What a schedule asks for."""
        return [
            Step("restored", self._restored),
            Step("recluster", self._recluster_if_due),
            Step("retention", self._retention),
            Step("names", self._names),
            Step("activity", self._activity),
            Step("prices", self._prices),
            Step("verify", self._verify),
            Step("tables", self._tables),
        ]

    def recluster(self, window: Window | None) -> Step:
        """Re-clustering of a window, or of everything, although the rules have not changed."""
        return Step("recluster", partial(self._recluster, window))

    def _restored(self, remaining_s: RemainingS) -> Report:
        renewed = restored.renew_stamps(self._connection, remaining_s)
        return {"renewed": renewed.renewed, "done": renewed.is_done}

    def _recluster_if_due(self, remaining_s: RemainingS) -> Report:
        if not self._is_recluster_due():
            return {"done": True}
        return self._recluster(None, remaining_s)

    def _recluster(self, window: Window | None, remaining_s: RemainingS) -> Report:
        done = reclustering.recluster(self._connection, self._rules, window, remaining_s)
        count(Metric.BATTLES_RECLUSTERED, done.changed + done.removed)
        return {
            "killmails": done.killmails,
            "changed": done.changed,
            "removed": done.removed,
            "done": done.is_done,
        }

    def _retention(self, remaining_s: RemainingS) -> Report:
        months = self._settings.retention_months
        if months is None:
            return {"done": True}
        before = retention.cutoff(datetime.fromtimestamp(self._clock.wall(), UTC), months)
        dropped = retention.drop(self._connection, before, remaining_s)
        count(Metric.KILLMAILS_DROPPED, dropped.killmails)
        count(Metric.BATTLES_DROPPED, dropped.battles)
        return {"killmails": dropped.killmails, "battles": dropped.battles, "done": dropped.is_done}

    def _names(self, remaining_s: RemainingS) -> Report:
        max_age = timedelta(days=self._settings.names_max_age_days)
        naming = Naming(self._connection, self._esi, self._clock, max_age, remaining_s)
        try:
            is_done = naming.run()
        finally:
            count(Metric.NAMES_RESOLVED, naming.resolved)
        return {"resolved": naming.resolved, "done": is_done}

    def _activity(self, remaining_s: RemainingS) -> Report:
        counted = activity.count_all(self._connection, remaining_s)
        return {"changed": counted.changed, "done": counted.is_done}

    def _prices(self, _: RemainingS) -> Report:
        max_age = timedelta(hours=self._settings.prices_max_age_hours)
        priced = self._connection.run(lambda database: refresh_prices(database, self._esi, max_age))
        return {"types": priced, "done": True}

    def _verify(self, remaining_s: RemainingS) -> Report:
        if self._is_recluster_due():  # there are differences until that is done
            return {"done": True}
        found = verifying.verify(self._connection, self._rules, remaining_s)
        count(Metric.BATTLES_VERIFIED, found.battles)
        count(Metric.BATTLES_DIFFERENT, found.different)
        return {"battles": found.battles, "different": found.different, "done": found.is_done}

    def _tables(self, remaining_s: RemainingS) -> Report:
        kept = tables.keep_up(self._connection, remaining_s)
        return {"analyzed": kept.analyzed, "rebuilt": kept.rebuilt, "done": kept.is_done}

    def _is_recluster_due(self) -> bool:
        return self._connection.run(lambda database: reclustering.is_due(database, self._rules))


def run_steps(
    steps: Sequence[Step], leases: Leases, owner: str, remaining_s: RemainingS
) -> dict[str, Report]:
    """Run steps one after the other, each under its lease; what each did.

    Each has an equal share of what time there is when it begins; what it leaves, the others have. One that fails is told, and
    does not keep the others from running.

    Raises:
        DatabaseError: the database is away.
    """
    reports: dict[str, Report] = {}
    for left, step in zip(range(len(steps), 0, -1), steps, strict=True):
        name = f"maintenance {step.name}"
        left_s = remaining_s()
        if not leases.acquire(name, owner, left_s + LEASE_SLACK_S):
            count(Metric.LEASES_REFUSED)
            reports[step.name] = {"done": False, "error": TAKEN}
            continue
        try:
            reports[step.name] = step.run(partial(_share_s, remaining_s, left_s * (left - 1) / left))
        except DatabaseError:
            raise
        except FeedError as error:
            count(Metric.FEED_ERRORS)
            logger.warning("a step of upkeep ends early", extra={"step": step.name, "error": str(error)})
            reports[step.name] = {"done": False, "error": str(error)}
        except Exception as error:  # noqa: BLE001 - the other steps have nothing to do with it
            count(Metric.MAINTENANCE_ERRORS)
            logger.exception("a step of upkeep failed", extra={"step": step.name})
            reports[step.name] = {"done": False, "error": f"{type(error).__name__}: {error}"}
        finally:
            leases.release(name, owner)
    return reports


def _share_s(remaining_s: RemainingS, reserved_s: float) -> float:
    """What a step has of the time, where this much is reserved for those after it."""
    return remaining_s() - reserved_s
