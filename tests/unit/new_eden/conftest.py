"""A day of the simulated New Eden."""

from itertools import islice

import pytest

from battlescope.killmail import Killmail
from battlescope_local.new_eden import Payload, hours
from ingest.feeds.simulated import killmail_of
from tests.unit.new_eden.day import FIRST


@pytest.fixture(scope="module")
def day() -> list[list[Payload]]:
    """The uploads of one day, by hour."""
    return list(islice(hours(1, FIRST), 24))


@pytest.fixture(scope="module")
def killmails(day: list[list[Payload]]) -> list[Killmail]:
    """The different killmails of that day, as the ingest handler reads them."""
    return list({payload["killmail_id"]: killmail_of(payload) for hour in day for payload in hour}.values())
