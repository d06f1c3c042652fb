"""Feed to queue: the Lambda handler of the poller.

Invoked by a schedule; works until shortly before its time is up, and leaves the cursor for the next invocation.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from battlescope import queue
from battlescope.database import LazyConnection
from battlescope.telemetry import Metric, count, observed
from ingest.cursor import Cursors
from ingest.poller import Poller

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from battlescope.settings import IngestSettings
    from ingest.feeds import Feed


class _Environment:
    """What one Lambda environment keeps between invocations."""

    def __init__(self) -> None:
        from battlescope.settings import IngestSettings, load  # noqa: PLC0415 - a tenth of the import

        self.settings = load(IngestSettings)
        self.feed = open_feed(self.settings)
        self.connection = LazyConnection(self.settings.db_url)
        self.poller = Poller(
            self.feed,
            Cursors(self.connection),
            lambda messages: queue.send(self.settings.queue_url, messages),
        )


@cache
def environment() -> _Environment:
    """Made at the first invocation; a wrong setting stops it there."""
    return _Environment()


@observed()
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Read the feed for as long as this invocation has; answers what was done."""
    count(Metric.POLLER_RUNS)
    tally = environment().poller.run(
        owner=context.aws_request_id, remaining_s=lambda: context.get_remaining_time_in_millis() / 1000
    )
    return {"ingested": tally.ingested, "rejected": tally.rejected, "drained": tally.drained}


def open_feed(chosen: "IngestSettings") -> "Feed":
    """The feed that FEED names; only its own modules are imported."""
    kind, _, path = chosen.feed.partition(":")
    if kind == "archive":
        from ingest.feeds.archive import ArchiveFeed  # noqa: PLC0415

        return ArchiveFeed(path, speed=chosen.speed)
    if kind == "simulated":
        from ingest.feeds.simulated import SimulatedFeed  # noqa: PLC0415

        return SimulatedFeed(
            seed=chosen.simulated_seed,
            hours=chosen.simulated_hours,
            live=chosen.simulated_live,
            speed=chosen.speed,
        )
    from battlescope.http import HttpClient  # noqa: PLC0415

    http = HttpClient(chosen.zkb_useragent, requests_per_second=chosen.requests_per_second)
    if kind == "redisq":
        from battlescope.esi import Esi  # noqa: PLC0415
        from ingest.feeds.redisq import RedisQFeed  # noqa: PLC0415

        return RedisQFeed(
            http, Esi(http, chosen.esi_url), base_url=chosen.redisq_url, queue_id=chosen.redisq_queue_id
        )
    from ingest.feeds.r2z2 import R2Z2Feed  # noqa: PLC0415

    return R2Z2Feed(http, base_url=chosen.r2z2_url, lookback=chosen.r2z2_lookback)
