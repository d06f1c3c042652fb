"""A feed of twenty killmails, and what polls it."""

from collections.abc import Iterator

import pytest

from tests.integration.r2z2.polling import Poller
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(time: FakeClock) -> Iterator[FeedsServer]:
    with FeedsServer([esi_killmail(number) for number in range(1, 21)], now=time.time) as running:
        yield running


@pytest.fixture
def poller(server: FeedsServer, time: FakeClock) -> Poller:
    return Poller(server, time)
