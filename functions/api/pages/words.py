"""Numbers and times in the players' words: 12.4b, 1,204, 17:03, 1 h 12 min. Times are EVE time, which is UTC."""

from datetime import UTC, datetime, timedelta

from battlescope.assignment import in_isk
from battlescope.space import SpaceType, security_band

NOTHING = "\N{EN DASH}"

_SPACES: dict[SpaceType, str] = {
    "kspace": "Known space",
    "jspace": "Wormhole",
    "pochven": "Pochven",
    "abyssal": "Abyssal",
    "void": "Void",
    "unknown": "Uncharted",
}
_BANDS = {"highsec": "High-sec", "lowsec": "Low-sec", "nullsec": "Null-sec"}


def isk(value: int | None) -> str:
    """ISK as 12.4b; a dash while it is not known."""
    return NOTHING if value is None else in_isk(value)


def number(value: int) -> str:
    """1,204."""
    return f"{value:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """1 pilot, 1,204 pilots."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """A share as a whole percentage; a dash where there is none. Only all is 100 %, and only nothing 0 %."""
    if share is None:
        return NOTHING
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole}%"


def day(time: datetime) -> str:
    """28 Nov 2021."""
    return f"{time.day} {time:%b %Y}"


def clock(time: datetime) -> str:
    """17:03."""
    return f"{time.astimezone(UTC):%H:%M}"


def clock_s(time: datetime) -> str:
    """17:03:05."""
    return f"{time.astimezone(UTC):%H:%M:%S}"


def machine_time(time: datetime) -> str:
    """For `datetime` attributes."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def lasted(duration: timedelta) -> str:
    """40 s, 12 min, 1 h 12 min, 2 d 3 h."""
    seconds = int(duration.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def place(space_type: SpaceType, security: float | None) -> str:
    """The kind of space, in known space by its security: Null-sec, Wormhole."""
    if space_type == "kspace" and security is not None:
        return _BANDS[security_band(security)]
    return _SPACES[space_type]


def place_class(space_type: SpaceType, security: float | None) -> str:
    """The same as a word for style sheets."""
    return security_band(security) if space_type == "kspace" and security is not None else space_type


def security(value: float | None) -> str:
    """0.3, as the game shows it: above 0 never 0.0."""
    if value is None:
        return ""
    return "0.1" if 0 < value < 0.05 else f"{value:.1f}".replace("-0.0", "0.0")


def month(year_and_month: str) -> str:
    """Nov 2021, of 2021-11."""
    return f"{datetime.strptime(year_and_month, '%Y-%m').replace(tzinfo=UTC):%b %Y}"
