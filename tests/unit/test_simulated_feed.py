"""The simulated feed: one history, read in any portions, paced or not, and never ahead of the clock."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from battlescope.errors import FeedError
from battlescope.killmail import Killmail
from battlescope_local.new_eden import START
from ingest.feeds import Batch, Feed, Position
from ingest.feeds.simulated import BATCH_KILLMAILS_MAX, SimulatedFeed

NOW = START + 100 * 3600 + 1234.5


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Reading:
    killmails: list[Killmail] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)


def read(feed_of: Callable[[], Feed], *, position: Position | None = None, budget_s: float = 60.0) -> Reading:
    """Everything from `position` to the end; `feed_of` may make a new feed for each poll."""
    reading = Reading()
    while not (reading.batches and reading.batches[-1].drained):
        batch = feed_of().poll(position, budget_s)
        position = batch.position
        reading.killmails += batch.killmails
        reading.batches.append(batch)
        assert len(reading.batches) < 1_000, "the feed does not come to its end"
    return reading


@pytest.fixture(scope="module")
def evening() -> Reading:
    """An uninterrupted reading of two hours."""
    feed = SimulatedFeed(seed=1, hours=2)
    return read(lambda: feed)


def test_an_evening_comes_to_its_end_in_few_polls(evening: Reading) -> None:
    assert len(evening.killmails) > 1_500
    assert max(len(batch.killmails) for batch in evening.batches) <= BATCH_KILLMAILS_MAX
    assert [batch.drained for batch in evening.batches[:-1]] == [False] * (len(evening.batches) - 1)
    assert all(batch.wait_s == 0 for batch in evening.batches[:-1])


def test_a_feed_made_anew_for_each_poll_reads_the_same(evening: Reading) -> None:
    assert read(lambda: SimulatedFeed(seed=1, hours=2)).killmails == evening.killmails


def test_a_feed_goes_on_from_any_position(evening: Reading) -> None:
    middle: Position = {"seed": 1, "hour": START // 3600 + 1, "index": 77}
    rest = read(lambda: SimulatedFeed(seed=1, hours=2), position=middle).killmails
    assert 500 < len(rest) < len(evening.killmails)
    assert rest == evening.killmails[-len(rest) :]


def test_a_short_budget_brings_less_and_loses_nothing(evening: Reading) -> None:
    feed = SimulatedFeed(seed=1, hours=2)
    feed.poll(None, 60.0)
    reading = read(lambda: feed, budget_s=0.0001)
    assert reading.killmails == evening.killmails
    assert len(reading.batches) > 2 * len(evening.batches)


def test_the_end_may_lie_within_an_hour(evening: Reading) -> None:
    feed = SimulatedFeed(seed=1, hours=0.75)
    reading = read(lambda: feed)
    uploads = [killmail.valued_at for killmail in evening.killmails]
    assert len(reading.killmails) == sum(upload < START + 0.75 * 3600 for upload in uploads)


def test_a_drained_feed_stays_drained(evening: Reading) -> None:
    batch = SimulatedFeed(seed=1, hours=2).poll(evening.batches[-1].position, 60.0)
    assert batch.drained
    assert not batch.killmails
    assert batch.wait_s > 0


def test_more_hours_go_on_where_fewer_ended(evening: Reading) -> None:
    feed = SimulatedFeed(seed=1, hours=2.5)
    more = read(lambda: feed, position=evening.batches[-1].position)
    assert more.killmails
    assert min(killmail.valued_at for killmail in more.killmails) >= START + 2 * 3600


def test_another_seed_on_the_same_cursor_is_refused(evening: Reading) -> None:
    with pytest.raises(FeedError, match="New Eden number 1, not 2: set SIMULATED_SEED back"):
        SimulatedFeed(seed=2, hours=2).poll(evening.batches[0].position, 60.0)


def test_a_position_of_something_else_is_refused() -> None:
    with pytest.raises(FeedError, match="position of simulated cannot be read"):
        SimulatedFeed().poll({"sequence": 95}, 60.0)


def test_each_mode_has_a_cursor_of_its_own() -> None:
    assert SimulatedFeed(live=True).name != SimulatedFeed(live=False).name


# --- paced


def test_a_paced_feed_brings_so_many_feed_seconds_per_second(evening: Reading) -> None:
    clock = Clock()
    feed = SimulatedFeed(seed=1, hours=2, speed=60, clock=clock)
    first = feed.poll(None, 60.0)
    assert not first.killmails
    assert 0 < first.wait_s < 1
    clock.now += 10
    second = feed.poll(first.position, 60.0)
    clock.now += 20
    third = feed.poll(second.position, 60.0)
    uploads = [killmail.valued_at for killmail in evening.killmails]
    assert len(second.killmails) == sum(upload < START + 600 for upload in uploads)
    assert len(second.killmails) + len(third.killmails) == sum(upload < START + 1800 for upload in uploads)


def test_a_paced_feed_does_not_catch_up_on_the_time_nobody_asked() -> None:
    clock = Clock()
    begun = SimulatedFeed(seed=1, hours=2, speed=1, clock=clock).poll(None, 60.0)
    clock.now += 24 * 3600
    later = SimulatedFeed(seed=1, hours=2, speed=1, clock=clock).poll(begun.position, 60.0)
    assert not later.drained
    assert all(killmail.valued_at < START + 300 for killmail in later.killmails)


def test_waiting_as_told_finds_something_new() -> None:
    clock = Clock()
    feed = SimulatedFeed(seed=1, hours=2, speed=10, clock=clock)
    batch = feed.poll(None, 60.0)
    found = 0
    for _ in range(10):
        clock.now += batch.wait_s
        batch = feed.poll(batch.position, 60.0)
        found += bool(batch.killmails)
    assert found >= 8


# --- live


def live(clock: Clock, *, speed: float = 0.0) -> SimulatedFeed:
    return SimulatedFeed(seed=1, live=True, speed=speed, clock=clock)


def poll_until_waiting(feed: SimulatedFeed, position: Position | None = None) -> Reading:
    reading = Reading()
    while not reading.batches or reading.batches[-1].wait_s == 0:
        reading.batches.append(feed.poll(position, 60.0))
        position = reading.batches[-1].position
        reading.killmails += reading.batches[-1].killmails
    return reading


@pytest.fixture(scope="module")
def up_to_now() -> Reading:
    """A live feed's first reading."""
    return poll_until_waiting(live(Clock()))


def test_a_live_feed_begins_hours_ago_and_comes_up_to_now(up_to_now: Reading) -> None:
    uploads = [killmail.valued_at for killmail in up_to_now.killmails]
    assert len(uploads) > 1_000
    assert NOW - 4 * 3600 <= min(uploads) < NOW - 2.9 * 3600
    assert NOW - 120 < max(uploads) <= NOW
    assert all(killmail.killmail_time <= NOW for killmail in up_to_now.killmails)


def test_a_live_feed_follows_the_clock_without_end(up_to_now: Reading) -> None:
    clock = Clock()
    feed = live(clock)
    nothing_yet = feed.poll(up_to_now.batches[-1].position, 60.0)
    assert not nothing_yet.killmails
    clock.now += 7_200
    after = poll_until_waiting(feed, nothing_yet.position)
    assert after.killmails
    assert all(NOW <= killmail.valued_at < clock.now for killmail in after.killmails)
    assert not any(batch.drained for batch in after.batches)


def test_a_live_feed_catches_up_after_a_stop_without_a_gap(up_to_now: Reading) -> None:
    clock = Clock(NOW + 3_600)
    resumed = poll_until_waiting(live(clock), up_to_now.batches[-1].position)
    everything = poll_until_waiting(live(clock), {"seed": 1, "hour": int(NOW - 3 * 3600) // 3600, "index": 0})
    assert up_to_now.killmails + resumed.killmails == everything.killmails


@pytest.mark.parametrize("speed", [1.0, 100_000.0])
def test_speed_neither_holds_a_live_feed_back_nor_lets_it_overtake_the_clock(
    up_to_now: Reading, speed: float
) -> None:
    assert poll_until_waiting(live(Clock(), speed=speed)).killmails == up_to_now.killmails
