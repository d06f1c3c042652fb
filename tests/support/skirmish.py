"""A small fight whose sides are plain."""

from battlescope.killmail import Killmail, Pilot
from tests.support.killmails import kill, pilot

RED, BLUE, GREEN = 99_000_001, 99_000_002, 99_000_003
MILLION = 1_000_000


def of(alliance: int, number: int = 0) -> Pilot:
    return pilot(alliance % 1000 * 100 + number, alliance=alliance)


def skirmish() -> list[Killmail]:
    """Red and green shoot blue; blue shoots back."""
    return [
        kill(1, 0, of(BLUE, 1), of(RED, 1), of(GREEN, 1), isk=300 * MILLION),
        kill(2, 60, of(BLUE, 2), of(RED, 1), of(GREEN, 1), isk=500 * MILLION),
        kill(3, 120, of(RED, 1), of(BLUE, 3), isk=200 * MILLION),
    ]
