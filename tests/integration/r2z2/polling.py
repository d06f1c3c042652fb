"""Polls the R2Z2 feed as the ingest handler does, against a loopback server, in a time of the test's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from battlescope.http import HttpClient
from battlescope.killmail import Killmail
from ingest.feeds import Batch, Hole, Position, Rejected
from ingest.feeds.r2z2 import R2Z2Feed
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer

AGENT = "battlescope-tests/1 (contact: nobody@example.org)"


@dataclass
class Poller:
    """Polls as the ingest handler does, a new feed each time: whatever matters must be in the position."""

    server: FeedsServer
    time: FakeClock
    lookback: int = 10
    position: Position | None = None
    killmails: list[Killmail] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def poll(self, budget_s: float = 1000) -> Batch:
        http = HttpClient(AGENT, clock=self.time.clock)
        feed = R2Z2Feed(http, base_url=self.server.url, lookback=self.lookback)
        batch = feed.poll(self.position, budget_s)
        http.close()
        return batch

    def take(self, batch: Batch) -> Batch:
        self.position = json.loads(json.dumps(batch.position))
        self.killmails += batch.killmails
        self.rejected += batch.rejected
        self.holes += batch.holes
        self.errors += [batch.error] if batch.error else []
        return batch

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self.time.now + seconds
        while self.time.now < end and not until():
            wait_s = self.take(self.poll()).wait_s
            self.time.now += max(0.0, min(wait_s, end - self.time.now))

    @property
    def ids(self) -> list[int]:
        return [killmail.killmail_id for killmail in self.killmails]


def caught_up(poller: Poller) -> Poller:
    poller.take(poller.poll())
    poller.time.now += 10
    poller.killmails.clear()
    poller.server.requests.clear()
    return poller


def gaps(server: FeedsServer, sequence: int) -> list[float]:
    times = server.asked(f"/ephemeral/{sequence}.json")
    return [later - earlier for earlier, later in pairwise(times)]


def file(sequence: int) -> str:
    return f"/ephemeral/{sequence}.json"
