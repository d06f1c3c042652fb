"""The simulated feed: New Eden in miniature, for where the internet is not, and for tests and benchmarks.

It has two modes. With an end, it brings so many hours of a fixed past. Live, it begins a little before now, so that
there are battles at once, and follows the clock without end; a killmail is never ahead of the clock. Both are windows
on one history (see `battlescope_local.new_eden.history`), so that a position is a place in it and nothing more.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from battlescope.errors import PositionError
from battlescope.killmail import Killmail
from ingest.feeds import Batch, Position
from ingest.feeds.position import load_position
from ingest.payload import parse_killmail

type Upload = dict[str, Any]
"""A killmail in R2Z2's shape."""

BATCH_KILLMAILS_MAX = 2_000
LIVE_LOOKBACK_S = 3 * 3600
"""A live feed begins this long before now, and at the full hour before that."""

STEP_MAX_S = 120.0
"""Wall seconds that one poll can be behind another: time in which nobody polled is not caught up at `speed`."""

WAIT_MAX_S = 30.0

_STRIDE = 200
"""Killmails between two looks at the clock."""


class _Place(BaseModel):
    """A position.

    Attributes:
        seed: which New Eden.
        hour: since 1970.
        index: uploads of that hour that were read.
        feed_time: of a paced feed: Unix seconds that it had come to at `polled_at`.
    """

    model_config = ConfigDict(frozen=True)

    seed: int
    hour: int
    index: int
    feed_time: float | None = None
    polled_at: float | None = None


class SimulatedFeed:
    """A feed of simulated killmails.

    Args:
        seed: the same seed, the same New Eden.
        hours: how much a feed with an end brings.
        live: whether the feed follows the clock without end.
        speed: feed seconds per second, for a feed with an end; 0 for as fast as it goes. A live feed comes up to
            now as fast as it goes, and then has the clock's speed.
        clock: Unix seconds.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        hours: float = 6.0,
        live: bool = False,
        speed: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # in Lambda there is no simulation, and no package of it
        from battlescope_local import new_eden  # noqa: PLC0415

        self._hours = new_eden.hours
        self._seed = seed
        self._live = live
        self._speed = 0.0 if live else speed
        self._clock = clock
        self._start = float(new_eden.START)
        self._end = float("inf") if live else self._start + hours * 3600
        self._stream: Iterator[list[Upload]] | None = None
        self._held_hour = -1
        self._held: list[Upload] = []

    @property
    def name(self) -> str:
        """The cursor's name; each mode has its own."""
        return "simulated-live" if self._live else "simulated"

    def poll(self, position: Position | None, budget_s: float) -> Batch:
        """The next uploads.

        Raises:
            PositionError: the position is not one of this feed's, or is of another seed: killmail ids of two New Edens
                would mean different kills.
        """
        now = self._clock()
        place = self._place(position, now)
        feed_time = self._feed_time(place, now)
        until = min(feed_time, self._end)
        hour, index = place.hour, place.index
        killmails: list[Killmail] = []
        deadline = time.monotonic() + budget_s
        while hour * 3600 < until and len(killmails) < BATCH_KILLMAILS_MAX and time.monotonic() < deadline:
            uploads = self._uploads(hour)
            due = bisect_left(uploads, until, key=lambda upload: upload["uploaded_at"])
            last = min(due, index + _STRIDE, index + BATCH_KILLMAILS_MAX - len(killmails))
            killmails += map(killmail_of, uploads[index:last])
            index = last
            if index == len(uploads):
                hour, index = hour + 1, 0
            elif index == due:
                break
        next_at = self._held[index]["uploaded_at"] if hour == self._held_hour else hour * 3600
        drained = next_at >= self._end
        return Batch(
            position=self._position(hour, index, feed_time, now),
            killmails=killmails,
            wait_s=WAIT_MAX_S if drained else self._wait_s(next_at - until),
            drained=drained,
        )

    def _place(self, position: Position | None, now: float) -> _Place:
        if position is None:
            first = now - LIVE_LOOKBACK_S if self._live else self._start
            return _Place(seed=self._seed, hour=int(first // 3600), index=0)
        place = load_position(_Place, position, self.name)
        if place.seed != self._seed:
            raise PositionError(
                f"this database was fed from New Eden number {place.seed}, not {self._seed}: "
                "set SIMULATED_SEED back, or use another database"
            )
        return place

    def _feed_time(self, place: _Place, now: float) -> float:
        """How far the feed has come; what was uploaded before is due."""
        if not self._speed:
            return now if self._live else self._end
        if place.feed_time is None or place.polled_at is None:
            return place.hour * 3600.0
        return place.feed_time + min(max(0.0, now - place.polled_at), STEP_MAX_S) * self._speed

    def _position(self, hour: int, index: int, feed_time: float, now: float) -> Position:
        position: Position = {"seed": self._seed, "hour": hour, "index": index}
        return position | {"feed_time": feed_time, "polled_at": now} if self._speed else position

    def _wait_s(self, ahead_s: float) -> float:
        """Seconds until something is due that lies `ahead_s` feed seconds ahead."""
        return 0.0 if ahead_s < 0 else min(WAIT_MAX_S, (ahead_s + 1) / (self._speed or 1.0))

    def _uploads(self, hour: int) -> list[Upload]:
        """The uploads of one hour; going on to the next hour is cheap, any other jump costs ten hours of history."""
        if hour != self._held_hour:
            if self._stream is None or hour != self._held_hour + 1:
                self._stream = self._hours(self._seed, hour)
            self._held = next(self._stream)
            self._held_hour = hour
        return self._held


def killmail_of(upload: Mapping[str, Any]) -> Killmail:
    """What a simulated upload is read as."""
    return parse_killmail(
        upload["esi"], killmail_hash=upload["hash"], zkb=upload["zkb"], uploaded_at=upload["uploaded_at"]
    )
