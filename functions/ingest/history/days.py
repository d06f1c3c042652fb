"""Days, in UTC as everything in EVE, and the ways in which archives spell them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, NamedTuple, Self

from pydantic import Field, TypeAdapter, ValidationError

from battlescope.errors import FeedError

FIRST_DAY = date(2007, 12, 5)
"""Of the oldest killmail that any archive has."""

_PART = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")
_SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?")
_TOTALS = TypeAdapter(
    dict[
        Annotated[str, Field(pattern="^[0-9]{8}$")],
        Annotated[int, Field(ge=0, lt=2**31, strict=True)],
    ]
)


class Span(NamedTuple):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2021-11-27..2021-12-01`, or one day.

        Raises:
            ValueError: it is neither; the message says what is expected.
        """
        found = _SPAN.fullmatch(text)
        ends = [] if found is None else [_day(end) for end in (found[1], found[2] or found[1])]
        if not ends or None in ends:
            raise ValueError(f"days are given as 2021-11-27..2021-12-01, or as one day; it was {text!r}")
        span = cls(*(end for end in ends if end is not None))
        if span.last < span.first:
            raise ValueError(f"the last day lies before the first; it was {text!r}")
        return span

    def part(self, number: int, parts: int) -> Self:
        """One of so many parts, which are of days that follow each other and differ in length by a day at most.

        Args:
            number: of the part, from 0.
            parts: how many there are.

        Raises:
            ValueError: there is no such part, or there are fewer days than parts.
        """
        days = (self.last - self.first).days + 1
        if not 0 <= number < parts:
            raise ValueError(f"of {parts} parts there is no part {number}: they are counted from 0")
        if parts > days:
            raise ValueError(f"{days} days cannot be divided into {parts} parts")
        begin, end = (number * days // parts, (number + 1) * days // parts)
        return type(self)(self.first + timedelta(days=begin), self.first + timedelta(days=end - 1))

    def days(self) -> Iterator[date]:
        """Each day, oldest first."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)


def read_part(text: str) -> tuple[int, int]:
    """A part's number, from 0, and how many parts there are, from `3/24`.

    Raises:
        ValueError: it is something else; the message says what is expected.
    """
    found = _PART.fullmatch(text)
    if found is None:
        raise ValueError(f"a part is given as 3/24, from 0/24 to 23/24; it was {text!r}")
    return int(found[1]), int(found[2])


def today(now: float) -> date:
    """The day of a moment (Unix seconds)."""
    return datetime.fromtimestamp(now, UTC).date()


def compact(day: date) -> str:
    """A day as R2Z2 and all totals spell it: `20211127`."""
    return f"{day:%Y%m%d}"


def read_totals(body: bytes, where: str) -> dict[date, int]:
    """Killmails by day, from `{"YYYYMMDD": count}`.

    Raises:
        FeedError: it is something else.
    """
    try:
        totals = _TOTALS.validate_json(body)
        return {
            datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date(): total
            for day, total in totals.items()
        }
    except (ValidationError, ValueError) as error:
        raise FeedError(f"{where} does not hold killmails by day: {str(error).splitlines()[0]}") from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
