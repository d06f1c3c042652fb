"""Which kind of space a solar system lies in."""

from datetime import UTC, datetime
from typing import Literal

SpaceType = Literal["kspace", "jspace", "pochven", "abyssal", "void", "unknown"]
SPACE_TYPES: tuple[SpaceType, ...] = ("kspace", "jspace", "pochven", "abyssal", "void", "unknown")

SecurityBand = Literal["highsec", "lowsec", "nullsec"]

POCHVEN_SINCE = int(datetime(2020, 10, 13, 11, 0, tzinfo=UTC).timestamp())
"""When the Triglavian systems left known space (Unix seconds)."""

POCHVEN_SYSTEM_IDS = frozenset(
    {
        30000021, 30000157, 30000192, 30000206, 30001372, 30001381, 30001413, 30001445, 30002079,
        30002225, 30002411, 30002652, 30002702, 30002737, 30002770, 30002797, 30003046, 30003495,
        30003504, 30005005, 30005029, 30010141, 30020141, 30031392, 30040141, 30045328, 30045329,
    }
)  # fmt: skip

_RANGES: tuple[tuple[range, SpaceType], ...] = (
    (range(30_000_000, 31_000_000), "kspace"),
    (range(31_000_000, 32_000_000), "jspace"),
    (range(32_000_000, 33_000_000), "abyssal"),
    (range(34_000_000, 35_000_000), "void"),
)


def space_type(solar_system_id: int, at: int) -> SpaceType:
    """The kind of space `solar_system_id` lay in at `at` (Unix seconds); "unknown" outside every range."""
    if solar_system_id in POCHVEN_SYSTEM_IDS and at >= POCHVEN_SINCE:
        return "pochven"
    return next((kind for ids, kind in _RANGES if solar_system_id in ids), "unknown")


def security_band(security_status: float) -> SecurityBand:
    """The band of a known-space system: highsec from 0.45, lowsec above 0, else nullsec."""
    if security_status >= 0.45:
        return "highsec"
    return "lowsec" if security_status > 0 else "nullsec"
