"""What pages say in words and numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from api.models.battles import Battle
from api.models.fights import Bucket, BucketSide, GroupComposition, ShipComposition, SideComposition
from api.models.sides import Side
from api.pages import words
from api.pages.chart import HEIGHT, MONTHS_MAX, MONTHS_MIN, chart_of, months_of
from api.pages.fleets import fleets_of
from api.pages.headlines import headline, title
from api.pages.site import Site, page_of, zkillboard_of
from battlescope.settings import ApiSettings

START = datetime(2021, 11, 28, 17, 0, tzinfo=UTC)
BATTLE = cast(
    "Battle",
    {"system": {"name": "M-OEE8"}, "losses": 1204, "total_isk_destroyed": 340_000_000_000},
)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "Fight in M-OEE8"),
        (["Goonswarm"], "Goonswarm fights in M-OEE8"),
        (["Goonswarm", "Pandemic Horde"], "Goonswarm vs Pandemic Horde in M-OEE8"),
        (["A", "B", "C"], "A vs B vs C in M-OEE8"),
        (["A", "B", "C", "D"], "A vs B vs C vs 1 other in M-OEE8"),
        (["A", "B", "C", "D", "E"], "A vs B vs C vs 2 others in M-OEE8"),
    ],
)
def test_a_headline_names_who_fought_where(names: list[str], expected: str) -> None:
    assert headline(names, BATTLE) == expected


def test_a_title_says_what_it_cost() -> None:
    assert title(["A", "B"], BATTLE) == "A vs B in M-OEE8, 1,204 lost, 340b ISK"
    assert title([], cast("Battle", {**BATTLE, "total_isk_destroyed": 0})) == "Fight in M-OEE8, 1,204 lost"


def test_words() -> None:
    assert [words.isk(value) for value in (None, 0, 12_400_000_000)] == [words.NOTHING, "0", "12.4b"]
    assert [words.percent(share) for share in (None, 0.0, 0.001, 0.5, 0.999, 1.0)] == [
        words.NOTHING, "0%", "1%", "50%", "99%", "100%",
    ]  # fmt: skip
    assert [words.lasted(timedelta(seconds=seconds)) for seconds in (0, 59, 60, 4320, 7200, 90_000, 172_800)] == [
        "0 s", "59 s", "1 min", "1 h 12 min", "2 h", "1 d 1 h", "2 d",
    ]  # fmt: skip
    assert [words.security(value) for value in (None, 0.94, 0.04, 0.0, -0.04, -1.0)] == [
        "", "0.9", "0.1", "0.0", "0.0", "-1.0",
    ]  # fmt: skip
    assert [words.place("kspace", value) for value in (0.45, 0.4, 0.0)] == ["High-sec", "Low-sec", "Null-sec"]
    assert (words.place("jspace", -1.0), words.place_class("jspace", -1.0)) == ("Wormhole", "jspace")
    assert (words.counted(1, "loss", "losses"), words.counted(1204, "pilot")) == ("1 loss", "1,204 pilots")
    assert (words.day(START), words.clock(START), words.month("2021-11")) == (
        "28 Nov 2021",
        "17:00",
        "Nov 2021",
    )


def bucket(minute: int, *sides: tuple[int, int, int]) -> Bucket:
    return Bucket(
        since=START + timedelta(minutes=minute),
        sides=[BucketSide(side_id=id_, killmails=killmails, isk_lost=isk) for id_, killmails, isk in sides],
    )


def test_a_chart_has_a_lane_for_each_side_to_one_scale() -> None:
    chart = chart_of([bucket(0, (0, 1, 10), (2, 1, 1000)), bucket(4, (1, 3, 500), (2, 2, 0))], 60)
    assert (chart.width, chart.by_isk, chart.peak) == (5, True, 1000)
    assert [lane.side_id for lane in chart.lanes] == [1, 2, 0]
    assert [(bar.x, bar.height) for lane in chart.lanes for bar in lane.bars] == [
        (4, HEIGHT / 2), (0, HEIGHT), (4, 0), (0, 2),
    ]  # fmt: skip
    assert (chart.lanes[1].killmails, chart.lanes[1].isk) == (3, 1000)
    assert chart.until == START + timedelta(minutes=5)


def test_a_chart_of_losses_without_values_counts_killmails() -> None:
    chart = chart_of([bucket(0, (1, 4, 0), (2, 1, 0))], 10)
    assert (chart.by_isk, chart.peak) == (False, 4)
    assert [lane.bars[0].height for lane in chart.lanes] == [HEIGHT, HEIGHT / 4]


def test_months_without_battles_are_in_the_chart_too() -> None:
    bars = months_of({"2020-11": 2, "2021-02": 4, "2021-12": 1})
    assert [(bar.month, bar.battles) for bar in bars if bar.battles] == [
        ("2020-11", 2), ("2021-02", 4), ("2021-12", 1),
    ]  # fmt: skip
    assert [bar.x for bar in bars] == list(range(14))
    assert len(months_of({"2021-12": 1})) == MONTHS_MIN
    assert len(months_of({"2001-01": 1, "2021-12": 1})) == MONTHS_MAX


def test_a_page_says_how_much_it_leaves_out() -> None:
    side = cast("Side", {"side_id": 1, "affiliations": [{"name": "x"}] * 40, "total_affiliations": 40})
    groups = [group(1, 90), group(2, 30), group(3, 7)]
    for sides, affiliations, ships in ((1, 30, 100), (2, 30, 100), (4, 15, 50)):
        fleet, *_ = fleets_of([side] * sides, [SideComposition(side_id=1, groups=groups)])
        assert len(fleet.shown) + len(fleet.folded) == affiliations == 40 - fleet.hidden
        assert sum(len(one["ships"]) for one in fleet.groups) == ships == 127 - fleet.ships_hidden


def group(id_: int, ships: int) -> GroupComposition:
    ship = ShipComposition(ship_type={"id": 587, "name": "Rifter"}, flown=1, lost=0, isk_lost=0)
    return GroupComposition(
        group={"id": id_, "name": "x"}, flown=ships, lost=0, isk_lost=0, ships=[ship] * ships
    )


def settings(**values: Any) -> ApiSettings:
    return ApiSettings.model_validate({"db_url": "postgresql://x/y", **values})


def test_pictures_are_sharp_and_of_the_server_that_the_settings_name() -> None:
    site = Site(settings(image_server_url="https://pictures.example.org/eve/"))
    assert site.image_origin == "https://pictures.example.org"
    assert site.picture("alliance", 7, 32) == "https://pictures.example.org/eve/alliances/7/logo?size=64"
    assert site.picture("ship_type", 587, 48) == "https://pictures.example.org/eve/types/587/icon?size=128"
    assert site.picture("system", 7, 32) is None


@pytest.mark.parametrize("wrong", ["javascript:x", "https://a.b; script-src *", 'https://a"b', "ftp://a"])
def test_an_image_server_that_would_break_the_policy_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="image_server_url"):
        settings(image_server_url=wrong)


def test_what_has_no_page_here_has_one_at_zkillboard() -> None:
    assert page_of("alliance", 7) == "/alliance/7"
    assert page_of("ship_type", 587) is None
    assert zkillboard_of("ship_type", 587) == "https://zkillboard.com/ship/587/"
