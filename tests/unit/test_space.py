"""Kinds of space, and links to zKillboard."""

from datetime import UTC, datetime

import pytest

from battlescope.space import POCHVEN_SYSTEM_IDS, SpaceType, security_band, space_type
from battlescope.zkillboard import kill_url, related_url

NOW = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
POCHVEN = 30_045_329


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("solar_system_id", "kind"),
    [
        (30_000_142, "kspace"),
        (30_000_000, "kspace"),
        (30_999_999, "kspace"),
        (30_100_000, "kspace"),
        (31_000_000, "jspace"),
        (31_000_005, "jspace"),
        (31_999_999, "jspace"),
        (32_000_000, "abyssal"),
        (32_999_999, "abyssal"),
        (33_000_000, "unknown"),
        (34_000_000, "void"),
        (34_999_999, "void"),
        (35_000_000, "unknown"),
        (29_999_999, "unknown"),
        (0, "unknown"),
        (30_000_021, "pochven"),
        (POCHVEN, "pochven"),
    ],
)
def test_the_kind_of_space(solar_system_id: int, kind: SpaceType) -> None:
    assert space_type(solar_system_id, NOW) == kind


def test_pochven_was_known_space_until_it_was_taken() -> None:
    assert len(POCHVEN_SYSTEM_IDS) == 27
    assert space_type(POCHVEN, at("2020-10-13T10:59:59")) == "kspace"
    assert space_type(POCHVEN, at("2020-10-13T11:00:00")) == "pochven"


@pytest.mark.parametrize(
    ("security", "band"),
    [
        (1.0, "highsec"),
        (0.45, "highsec"),
        (0.4499, "lowsec"),
        (0.01, "lowsec"),
        (0.0, "nullsec"),
        (-0.99, "nullsec"),
    ],
)
def test_the_band_of_known_space(security: float, band: str) -> None:
    assert security_band(security) == band


def test_the_page_of_a_kill() -> None:
    assert kill_url(134398778) == "https://zkillboard.com/kill/134398778/"


@pytest.mark.parametrize(
    ("start", "end", "hour"),
    [
        ("2021-11-28T10:21:49", "2021-11-28T14:13:36", "202111281200"),
        ("2021-11-28T10:59:59", "2021-11-28T10:59:59", "202111281000"),
        ("2021-11-28T11:00:00", "2021-11-28T11:00:00", "202111281100"),
        ("2021-11-28T10:59:00", "2021-11-28T11:01:00", "202111281100"),
        ("2021-12-31T23:50:00", "2022-01-01T00:20:00", "202201010000"),
        ("2021-12-31T23:30:00", "2022-01-01T00:20:00", "202112312300"),
    ],
)
def test_a_battle_is_shown_by_the_hour_of_its_middle(start: str, end: str, hour: str) -> None:
    assert related_url(30_001_046, at(start), at(end)) == f"https://zkillboard.com/related/30001046/{hour}/"
