"""What types are worth, from ESI's market prices; see docs/values.md.

A type's price is its average price, where ESI has one, else its adjusted price, which CCP derives for types that are
not traded. Prices are kept in hundredths of ISK, so that sums are exact.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from battlescope.database import Database
from battlescope.errors import FeedError
from battlescope.esi import Esi

type Prices = Mapping[int, int]
"""Hundredths of ISK by type; a type without a price is absent."""

TIMEOUT_S = 20.0
"""The answer is one document of about 15,000 types."""

_Price = Annotated[float | None, Field(ge=0, le=1e14, allow_inf_nan=False)]


class _Quote(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    type_id: Annotated[int, Field(gt=0, lt=2**31)]
    average_price: _Price = None
    adjusted_price: _Price = None

    @property
    def price(self) -> float:
        return self.average_price or self.adjusted_price or 0.0


_QUOTES = TypeAdapter(list[_Quote])


def load_prices(connection: Database) -> Prices:
    """All prices that are known."""
    return dict(connection.execute("SELECT type_id, (price * 100)::bigint FROM type_prices").fetchall())


def refresh_prices(connection: Database, esi: Esi, older_than: timedelta) -> int:
    """Fetch prices where those held are older than `older_than`; how many types have one now, 0 where none was due.

    One request. A type that ESI does not list any more keeps its last price. Safe to run twice and in parallel.

    Raises:
        EsiUnavailableError: they cannot be had now.
        FeedError: what ESI sent are no prices.
    """
    due = connection.execute(
        "SELECT coalesce(max(fetched_at) < now() - %s::interval, true) FROM type_prices", (older_than,)
    ).fetchone()
    if due == (False,):
        return 0
    response = esi.get("/markets/prices", timeout_s=TIMEOUT_S)
    try:
        quotes = _QUOTES.validate_json(response.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise FeedError(f"{response} with no prices ({where}: {first['msg']})") from None
    priced = {quote.type_id: round(quote.price, 2) for quote in quotes if round(quote.price, 2) > 0}
    type_ids = sorted(priced)  # in one order, so that two refreshes do not wait for each other's rows
    connection.execute(
        """
        INSERT INTO type_prices AS held (type_id, price)
        SELECT * FROM unnest(%s::bigint[], %s::numeric[])
        ON CONFLICT (type_id) DO UPDATE SET price = excluded.price, fetched_at = excluded.fetched_at
        """,
        (type_ids, [priced[type_id] for type_id in type_ids]),
    )
    return len(type_ids)
