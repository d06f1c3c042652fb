"""The poller: the cursor moves only after the queue took everything, and under a lease."""

import itertools
from collections.abc import Callable, Iterable

import pytest

from battlescope.database import Database, LazyConnection
from battlescope.errors import QueueError
from battlescope.message import unpack
from battlescope.queue import Outgoing
from battlescope_local.status import rewind_to_drained
from ingest.acceptance import FUTURE_MAX_S
from ingest.cursor import Cursors
from ingest.feeds import Batch, Hole, Position, Rejected
from ingest.poller import MARGIN_S, Poller
from tests.support.killmails import NOON, kill, pilot

ALICE, BOB = pilot(1), pilot(2)


class ScriptedFeed:
    """Plays batches, then has nothing more; remembers from where it was read."""

    name = "scripted"

    def __init__(self, *batches: Batch) -> None:
        self.batches = list(batches)
        self.read_from: list[Position | None] = []

    def poll(self, position: Position | None, budget_s: float) -> Batch:
        assert budget_s > 0
        self.read_from.append(position)
        return self.batches.pop(0) if self.batches else Batch(position=position or {}, drained=True)


class Clock:
    """A clock that naps move."""

    def __init__(self) -> None:
        self.now = float(NOON)

    def __call__(self) -> float:
        return self.now

    def nap(self, seconds: float) -> None:
        self.now += seconds


class Poll:
    """A poller with everything at hand."""

    def __init__(self, db_url: str, feed: ScriptedFeed, clock: Clock) -> None:
        self.sent: list[Outgoing] = []
        self.connection = LazyConnection(db_url)
        self.cursors = Cursors(self.connection)
        self.clock = clock
        self.poller = Poller(feed, self.cursors, self.send, clock=clock, nap=clock.nap)

    def send(self, messages: Iterable[Outgoing]) -> None:
        self.sent.extend(messages)

    def run(self, owner: str = "me", time_s: float = 60) -> tuple[int, int, bool]:
        end = self.clock.now + time_s
        tally = self.poller.run(owner, lambda: end - self.clock.now)
        return tally.ingested, tally.rejected, tally.drained

    @property
    def killmail_ids(self) -> list[int]:
        return [killmail.killmail_id for message in self.sent for killmail in unpack(message.body).killmails]


@pytest.fixture
def clock() -> Clock:
    return Clock()


type MakePoll = Callable[..., Poll]


@pytest.fixture
def make_poll(db_url: str, clock: Clock, request: pytest.FixtureRequest) -> MakePoll:
    def make(*batches: Batch) -> Poll:
        poll = Poll(db_url, ScriptedFeed(*batches), clock)
        request.addfinalizer(poll.connection.close)
        return poll

    return make


def cursor(database: Database, columns: str) -> tuple[object, ...]:
    row = database.execute(f"SELECT {columns} FROM feed_cursors WHERE feed = 'scripted'").fetchone()
    assert row is not None
    return row


def test_killmails_go_to_their_systems_groups_and_the_cursor_follows(
    make_poll: MakePoll, database: Database
) -> None:
    poll = make_poll(
        Batch(
            position={"n": 1}, killmails=[kill(1, 0, BOB, ALICE), kill(2, 0, BOB, ALICE, system=30_000_142)]
        ),
        Batch(position={"n": 2}, killmails=[kill(3, 60, BOB, ALICE)]),
    )
    assert poll.run() == (3, 0, True)
    assert [message.group for message in poll.sent] == ["30002813", "30000142", "30002813"]
    assert poll.killmail_ids == [1, 2, 3]
    assert cursor(database, "position, killmails, lease_owner") == ({"n": 2}, 3, None)


def test_where_a_feed_begins_counts_as_drained_and_what_was_sent_does_not(
    make_poll: MakePoll, database: Database
) -> None:
    poll = make_poll(
        Batch(position={"n": 1}),
        Batch(position={"n": 2}, killmails=[kill(1, 0, BOB, ALICE)]),
        Batch(position={"n": 3}),
    )
    poll.run()
    assert cursor(database, "position, drained_position") == ({"n": 3}, {"n": 1})


def test_only_its_own_cursor_is_rewound(make_poll: MakePoll, database: Database) -> None:
    make_poll(Batch(position={"n": 1}), Batch(position={"n": 2}, killmails=[kill(1, 0, BOB, ALICE)])).run()
    rewind_to_drained(database, "another feed")
    assert cursor(database, "position") == ({"n": 2},)
    rewind_to_drained(database, "scripted")
    assert cursor(database, "position") == ({"n": 1},)


def test_the_next_run_goes_on_where_the_last_one_stopped(make_poll: MakePoll, clock: Clock) -> None:
    make_poll(Batch(position={"n": 1})).run()
    second = ScriptedFeed()
    poll = make_poll()
    Poller(second, poll.cursors, poll.send, clock=clock, nap=clock.nap).run("me", lambda: 60)
    assert second.read_from == [{"n": 1}]


def test_where_the_queue_refuses_the_cursor_stays(make_poll: MakePoll, database: Database) -> None:
    poll = make_poll(Batch(position={"n": 1}, killmails=[kill(1, 0, BOB, ALICE)]))

    def refuse(messages: Iterable[Outgoing]) -> None:
        raise QueueError(f"no room for {len(list(messages))}")

    poll.poller._send = refuse
    with pytest.raises(QueueError, match="no room for 1"):
        poll.run()
    assert cursor(database, "position, killmails, lease_owner") == (None, 0, None)


def test_two_pollers_never_both_own_a_cursor(make_poll: MakePoll, database: Database) -> None:
    poll = make_poll(Batch(position={"n": 1}, killmails=[kill(1, 0, BOB, ALICE)]))
    assert poll.cursors.acquire("scripted", "somebody else", 60) is not None
    assert poll.run() == (0, 0, False)
    assert poll.sent == []
    # a lease that ran out is free
    database.execute("UPDATE feed_cursors SET lease_expires_at = now() - interval '1 second'")
    assert poll.run() == (1, 0, True)


def test_a_poller_that_lost_its_lease_does_not_move_the_cursor(
    make_poll: MakePoll, database: Database
) -> None:
    poll = make_poll(Batch(position={"n": 1}, killmails=[kill(1, 0, BOB, ALICE)]), Batch(position={"n": 2}))
    real_send = poll.send

    def stolen(messages: Iterable[Outgoing]) -> None:
        real_send(messages)
        database.execute("UPDATE feed_cursors SET lease_owner = 'thief'")

    poll.poller._send = stolen
    assert poll.run() == (0, 0, False)
    assert cursor(database, "position, lease_owner") == (None, "thief")


def test_rejected_killmails_and_holes_are_written_down_once(make_poll: MakePoll, database: Database) -> None:
    rejected = Rejected.of(b"{\x00\xed\xa0\x80", "victim: missing \x00\ud800", 7)
    for _ in range(2):
        make_poll(
            Batch(position={"n": 1}, rejected=[rejected], holes=[Hole(first_sequence=4, last_sequence=6)])
        ).run()
    rows = database.execute("SELECT feed, killmail_id, reason, raw FROM rejected_killmails").fetchall()
    assert [row[:2] for row in rows] == [("scripted", 7)]
    assert "\x00" not in rows[0][2] + rows[0][3]
    assert database.execute(
        "SELECT feed, first_sequence, last_sequence, closed_at FROM feed_holes"
    ).fetchall() == [("scripted", 4, 6, None)]


def test_a_killmail_from_the_future_is_rejected(make_poll: MakePoll, database: Database) -> None:
    poll = make_poll(Batch(position={"n": 1}, killmails=[kill(1, FUTURE_MAX_S + 60, BOB, ALICE)]))
    assert poll.run() == (0, 1, True)
    assert database.execute("SELECT reason FROM rejected_killmails").fetchall() == [
        ("killmail_time: lies in the future",)
    ]


def test_a_killmail_that_no_message_can_hold_is_rejected_and_the_next_goes_on(make_poll: MakePoll) -> None:
    numbers = itertools.count(1)
    crowd = [
        pilot(0)._replace(
            character_id=next(numbers) * 7919**3 % 2**52, corporation_id=next(numbers) * 104729**3 % 2**52
        )
        for _ in range(20_000)
    ]
    poll = make_poll(Batch(position={"n": 1}, killmails=[kill(1, 0, BOB, *crowd), kill(2, 0, BOB, ALICE)]))
    assert poll.run() == (1, 1, True)
    assert poll.killmail_ids == [2]


def test_a_wait_is_kept_to(make_poll: MakePoll, clock: Clock) -> None:
    poll = make_poll(Batch(position={"n": 1}, wait_s=6))
    started = clock.now
    poll.run()
    assert clock.now - started == pytest.approx(6)


def test_what_the_service_asked_for_binds_the_next_process(
    make_poll: MakePoll, database: Database, clock: Clock
) -> None:
    make_poll(Batch(position={"n": 1}, wait_s=300, backed_off=True, error="429")).run(time_s=30)
    assert cursor(database, "last_error, retry_at > now() + interval '290 seconds'") == ("429", True)
    again = make_poll(Batch(position={"n": 2}))
    started = clock.now
    assert again.run(time_s=30) == (0, 0, False)
    assert clock.now - started == pytest.approx(30 - MARGIN_S, abs=1)
    assert again.sent == []


def test_works_until_shortly_before_the_end(make_poll: MakePoll, clock: Clock) -> None:
    poll = make_poll(*(Batch(position={"n": n}, wait_s=10) for n in range(10)))
    started = clock.now
    poll.run(time_s=58)
    assert clock.now - started <= 58 - MARGIN_S + 0.5
