"""Market prices from ESI on loopback into the database."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from battlescope.database import Database
from battlescope.errors import FeedError
from battlescope.esi import Esi, EsiUnavailableError
from battlescope.http import HttpClient
from battlescope.prices import load_prices, refresh_prices
from tests.support.answers import SERVER_ERROR
from tests.support.feeds_server import FeedsServer

DAY = timedelta(days=1)


@pytest.fixture
def server() -> Iterator[FeedsServer]:
    with FeedsServer() as running:
        yield running


@pytest.fixture
def esi(server: FeedsServer) -> Iterator[Esi]:
    http = HttpClient("battlescope-tests/1 (contact: nobody@example.org)")
    yield Esi(http, server.url)
    http.close()


def test_the_average_price_else_the_adjusted_one_else_none(
    server: FeedsServer, esi: Esi, database: Database
) -> None:
    server.prices = [
        {"type_id": 1, "average_price": 4.567, "adjusted_price": 9.0},
        {"type_id": 2, "adjusted_price": 1_234_567_890.12},
        {"type_id": 3, "average_price": 0.0, "adjusted_price": 0.0},
        {"type_id": 4},
        {"type_id": 5, "average_price": 0.001},
    ]
    assert refresh_prices(database, esi, DAY) == 2
    assert load_prices(database) == {1: 457, 2: 123_456_789_012}


def test_prices_are_fetched_when_they_are_old_and_then_replaced(
    server: FeedsServer, esi: Esi, database: Database
) -> None:
    server.prices = [{"type_id": 1, "average_price": 5}, {"type_id": 2, "average_price": 6}]
    refresh_prices(database, esi, DAY)
    server.prices = [{"type_id": 1, "average_price": 7}]
    assert refresh_prices(database, esi, DAY) == 0
    assert len(server.asked("/markets/prices")) == 1

    database.execute("UPDATE type_prices SET fetched_at = now() - interval '25 hours'")
    assert refresh_prices(database, esi, DAY) == 1
    assert load_prices(database) == {1: 700, 2: 600}  # what is not listed any more keeps its last price
    assert refresh_prices(database, esi, DAY) == 0


def test_what_is_no_price_list_changes_nothing(server: FeedsServer, esi: Esi, database: Database) -> None:
    for wrong in ([{"type_id": 1, "average_price": -5}], {"error": "x"}, [{"average_price": 5}]):
        server.placed["/markets/prices"] = json.dumps(wrong).encode()
        with pytest.raises(FeedError, match="with no prices"):
            refresh_prices(database, esi, DAY)
    server.always("/markets/prices", SERVER_ERROR)
    with pytest.raises(EsiUnavailableError):
        refresh_prices(database, esi, DAY)
    assert load_prices(database) == {}
