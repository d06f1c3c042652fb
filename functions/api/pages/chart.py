"""Bars for charts: a battle's losses over time, and an entity's battles over the months."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from api.models.fights import Bucket, BucketSide
from api.models.profiles import Months

HEIGHT = 100
"""Of the tallest bar, in the chart's own units; each bar's place is one unit wide."""

MONTHS_MIN, MONTHS_MAX = 12, 48
"""In a chart; one bar alone would be a block."""


class Bar(NamedTuple):
    """One bar, and what it stands for: killmails of a side's losses from `since` on, and their ISK."""

    x: int
    height: float
    since: datetime
    killmails: int
    isk: int


class Lane(NamedTuple):
    """A side's bars, and what they amount to."""

    side_id: int
    bars: list[Bar]
    killmails: int
    isk: int


class Chart(NamedTuple):
    """A battle over time: a lane for each side, all to one scale.

    Attributes:
        by_isk: whether heights are ISK; else nobody knows any, and they are killmails.
        peak: what the tallest bar stands for.
        width: how many stretches of time, each `step` long, from `since` on.
    """

    lanes: list[Lane]
    by_isk: bool
    peak: int
    width: int
    since: datetime
    middle: datetime
    until: datetime
    step: timedelta


class MonthBar(NamedTuple):
    """A month's bar."""

    x: int
    height: float
    month: str
    battles: int


def chart_of(buckets: Sequence[Bucket], step_s: int) -> Chart:
    """The chart of a timeline, which has one bucket at least."""
    since, step = buckets[0]["since"], timedelta(seconds=step_s)
    until = buckets[-1]["since"] + step
    width = (until - since) // step
    by_isk = any(side["isk_lost"] for bucket in buckets for side in bucket["sides"])

    def value(side: BucketSide) -> int:
        return side["isk_lost"] if by_isk else side["killmails"]

    peak = max(value(side) for bucket in buckets for side in bucket["sides"])
    bars: dict[int, list[Bar]] = {}
    for bucket in buckets:
        x = (bucket["since"] - since) // step
        for side in bucket["sides"]:
            bars.setdefault(side["side_id"], []).append(
                Bar(x, _height(value(side), peak), bucket["since"], side["killmails"], side["isk_lost"])
            )
    lanes = [
        Lane(side_id, drawn, sum(bar.killmails for bar in drawn), sum(bar.isk for bar in drawn))
        for side_id, drawn in sorted(bars.items(), key=lambda one: (one[0] == 0, one[0]))
    ]
    return Chart(lanes, by_isk, peak, width, since, since + (until - since) / 2, until, step)


def months_of(months: Months) -> list[MonthBar]:
    """The latest months with battles in them and those between, MONTHS_MIN to MONTHS_MAX; in order."""
    last = max(map(_month_number, months))
    first = min(max(min(map(_month_number, months)), last - MONTHS_MAX + 1), last - MONTHS_MIN + 1)
    shown = [(number, months.get(_month_name(number), 0)) for number in range(first, last + 1)]
    peak = max(battles for _, battles in shown)
    return [
        MonthBar(x, _height(battles, peak), _month_name(number), battles)
        for x, (number, battles) in enumerate(shown)
    ]


def _height(value: int, peak: int) -> float:
    """To scale, but what is there is to be seen."""
    return round(max(HEIGHT * value / peak, 2), 1) if value and peak else 0


def _month_number(name: str) -> int:
    year, month = name.split("-")
    return int(year) * 12 + int(month) - 1


def _month_name(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02}"
