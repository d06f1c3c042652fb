"""From a feed into the queue, for as long as there is time.

The order that loses nothing: read, send, and only when the queue has taken everything move the cursor. A crash in
between sends the same killmails again, which changes nothing.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from aws_lambda_powertools.metrics import MetricUnit

from battlescope.message import pack
from battlescope.queue import Outgoing
from battlescope.telemetry import Metric, count, gauge, logger
from ingest.acceptance import accept
from ingest.cursor import Cursors, Lease
from ingest.feeds import Batch, Feed

MARGIN_S = 12.0
"""Left at the end of an invocation for the last send and the cursor; a poll can outlast its budget by a few seconds."""

POLL_BUDGET_S = 2.0
"""A poll returns after about this long, so that what it found is not kept waiting."""

LEASE_S = 90.0
"""A poller that died is replaced after this long; a live one renews with every batch."""

NAP_S = 0.5
"""Waits are cut into naps, so that a stop is noticed."""


@dataclass(slots=True)
class Tally:
    """What one run did."""

    ingested: int = 0
    rejected: int = 0
    drained: bool = False


class Poller:
    """Reads one feed.

    Args:
        feed: the source.
        cursors: where positions are kept.
        send: puts messages into the queue; raises QueueError unless it took all of them.
        clock: Unix seconds.
        nap: sleeps.
    """

    def __init__(
        self,
        feed: Feed,
        cursors: Cursors,
        send: Callable[[Iterable[Outgoing]], None],
        *,
        clock: Callable[[], float] = time.time,
        nap: Callable[[float], None] = time.sleep,
    ) -> None:
        self._feed = feed
        self._cursors = cursors
        self._send = send
        self._clock = clock
        self._nap = nap

    def run(self, owner: str, remaining_s: Callable[[], float]) -> Tally:
        """Poll until shortly before `remaining_s()` reaches 0, or until the feed is drained.

        Raises:
            QueueError: the queue is away; the cursor stands where it stood.
            DatabaseError: the database is away.
        """
        tally = Tally()
        lease = self._cursors.acquire(self._feed.name, owner, LEASE_S)
        count(Metric.LEASES_REFUSED, int(lease is None))
        if lease is None:
            logger.info("another poller holds the lease", extra={"feed": self._feed.name})
            return tally
        try:
            self._poll(lease, tally, remaining_s)
        finally:
            self._cursors.release(lease)
        return tally

    def _poll(self, lease: Lease, tally: Tally, remaining_s: Callable[[], float]) -> None:
        position = lease.position
        self._wait(lease.retry_in_s, remaining_s)
        while (left_s := remaining_s() - MARGIN_S) > 0:
            batch = self._checked(self._feed.poll(position, min(left_s, POLL_BUDGET_S)))
            self._report(batch)
            self._send(Outgoing(str(system_id), body) for system_id, body in pack(batch.killmails))
            if not self._cursors.advance(lease, batch, max(LEASE_S, batch.wait_s + LEASE_S)):
                logger.warning("the lease was lost to another poller", extra={"feed": self._feed.name})
                return
            position = batch.position
            tally.ingested += len(batch.killmails)
            tally.rejected += len(batch.rejected)
            tally.drained = batch.drained
            if batch.drained:
                return
            self._wait(batch.wait_s, remaining_s)

    def _wait(self, wait_s: float, remaining_s: Callable[[], float]) -> None:
        until = self._clock() + wait_s
        while (left_s := until - self._clock()) > 0 and remaining_s() > MARGIN_S:
            self._nap(min(left_s, NAP_S))

    def _checked(self, batch: Batch) -> Batch:
        """The batch without killmails that cannot go on: they join the rejected."""
        good, rejected = accept(batch.killmails, self._clock())
        return replace(batch, killmails=good, rejected=[*batch.rejected, *rejected])

    def _report(self, batch: Batch) -> None:
        count(Metric.KILLMAILS_INGESTED, len(batch.killmails))
        count(Metric.KILLMAILS_REJECTED, len(batch.rejected))
        count(Metric.FEED_HOLES, len(batch.holes))
        count(Metric.FEED_ERRORS, int(batch.error is not None))
        if batch.killmails:
            newest = max(killmail.killmail_time for killmail in batch.killmails)
            gauge(Metric.FEED_LAG, max(0.0, self._clock() - newest), MetricUnit.Seconds)
        for one in batch.rejected:
            logger.error(
                "rejected killmail",
                extra={"feed": self._feed.name, "killmail_id": one.killmail_id, "reason": one.reason},
            )
        if batch.error is not None:
            logger.warning(
                "the feed failed",
                extra={"feed": self._feed.name, "error": batch.error, "wait_s": batch.wait_s},
            )
