"""Upkeep of the database: the Lambda handler of maintenance.

Invoked by a schedule (`{}`) for all steps, or by hand to make battles anew (`{"recluster": "everything"}`, or
`{"recluster": {"first": "2021-11-27", "last": "2021-12-01"}}`). Works until shortly before its time is up; the next
invocation goes on where this one ended.
"""

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from battlescope.clock import SYSTEM_CLOCK
from battlescope.database import LazyConnection
from battlescope.errors import MessageError
from battlescope.esi import Esi
from battlescope.http import HttpClient
from battlescope.lease import Leases
from battlescope.telemetry import Metric, count, observed
from cluster.maintenance.reclustering import Window
from cluster.maintenance.steps import Upkeep, run_steps

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MARGIN_S = 15.0
"""Left at the end of an invocation for the piece that is in hand."""


class _Days(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("the last day lies before the first")
        return self


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    recluster: Literal["everything"] | _Days | None = None


class _Environment:
    """What one Lambda environment keeps between invocations."""

    def __init__(self) -> None:
        from battlescope.settings import MaintenanceSettings, load  # noqa: PLC0415 - a tenth of the import

        settings = load(MaintenanceSettings)
        self.connection = LazyConnection(settings.db_url)
        self.leases = Leases(self.connection)
        # Half the rate, as the poller may be at work from the same address.
        http = HttpClient(settings.zkb_useragent, requests_per_second=settings.requests_per_second / 2)
        self.upkeep = Upkeep(settings, self.connection, Esi(http, settings.esi_url), SYSTEM_CLOCK)


@cache
def environment() -> _Environment:
    """Made at the first invocation; a wrong setting stops it there."""
    return _Environment()


@observed()
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Do what is due; answers what each step did, and whether that was all.

    Raises:
        MessageError: the event asks for what there is not.
    """
    count(Metric.MAINTENANCE_RUNS)
    try:
        asked = _Event.model_validate(event).recluster
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise MessageError(f"recluster is `everything`, or `first` and `last` day: {first['msg']}") from None
    env = environment()
    if asked is None:
        steps = env.upkeep.all()
    else:
        window = None if asked == "everything" else Window(asked.first, asked.last)
        steps = [env.upkeep.recluster(window)]
    reports = run_steps(
        steps,
        env.leases,
        context.aws_request_id,
        lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_S,
    )
    return {"steps": reports, "done": all(report["done"] for report in reports.values())}
