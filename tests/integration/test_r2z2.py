"""The R2Z2 poller against a loopback server, in a time of the test's own."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest

from battlescope.errors import FeedError
from battlescope.http import HttpClient
from battlescope.killmail import Killmail
from ingest.feeds import Batch, Hole, Position, Rejected
from ingest.feeds.r2z2 import ITEMS_MAX, R2Z2Feed
from tests.support.clock import FakeClock
from tests.support.feeds_server import (
    BAD_GATEWAY,
    BROKEN_JSON,
    CUT_OFF,
    FIRST_SEQUENCE,
    NOT_FOUND,
    PAGE,
    SERVER_ERROR,
    Answer,
    FeedsServer,
    refused,
    slow,
)
from tests.support.payloads import KILL_TIME, esi_killmail, killmail_hash

AGENT = "battlescope-tests/1 (contact: nobody@example.org)"


@dataclass
class Poller:
    """Polls as the ingest handler does, a new feed each time: whatever matters must be in the position."""

    server: FeedsServer
    time: FakeClock
    lookback: int = 10
    position: Position | None = None
    killmails: list[Killmail] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def poll(self, budget_s: float = 1000) -> Batch:
        http = HttpClient(AGENT, clock=self.time.clock)
        feed = R2Z2Feed(http, base_url=self.server.url, lookback=self.lookback)
        batch = feed.poll(self.position, budget_s)
        http.close()
        return batch

    def take(self, batch: Batch) -> Batch:
        self.position = json.loads(json.dumps(batch.position))
        self.killmails += batch.killmails
        self.rejected += batch.rejected
        self.holes += batch.holes
        self.errors += [batch.error] if batch.error else []
        return batch

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end = self.time.now + seconds
        while self.time.now < end and not until():
            wait_s = self.take(self.poll()).wait_s
            self.time.now += max(0.0, min(wait_s, end - self.time.now))

    @property
    def ids(self) -> list[int]:
        return [killmail.killmail_id for killmail in self.killmails]


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(time: FakeClock) -> Iterator[FeedsServer]:
    with FeedsServer([esi_killmail(number) for number in range(1, 21)], now=time.time) as running:
        yield running


@pytest.fixture
def poller(server: FeedsServer, time: FakeClock) -> Poller:
    return Poller(server, time)


def caught_up(poller: Poller) -> Poller:
    poller.take(poller.poll())
    poller.time.now += 10
    poller.killmails.clear()
    poller.server.requests.clear()
    return poller


def gaps(server: FeedsServer, sequence: int) -> list[float]:
    times = server.asked(f"/ephemeral/{sequence}.json")
    return [later - earlier for earlier, later in pairwise(times)]


def file(sequence: int) -> str:
    return f"/ephemeral/{sequence}.json"


def test_starts_at_the_newest_minus_the_lookback(poller: Poller, server: FeedsServer) -> None:
    batch = poller.take(poller.poll())
    assert server.requests[0].path == "/ephemeral/sequence.json"
    assert server.requests[1].path == file(server.newest - 10)
    assert poller.ids == list(range(10, 21))
    assert 0 < batch.wait_s <= 6
    assert batch.error is None


def test_a_killmail_has_its_value_and_when_it_was_told(poller: Poller, time: FakeClock) -> None:
    poller.take(poller.poll())
    first = poller.killmails[0]
    assert first.killmail_hash == killmail_hash(10)
    assert first.killmail_time == KILL_TIME
    assert first.isk_value == 16107
    assert first.valued_at == int(time.now - 3600) or first.valued_at == int(time.now - 3601)


def test_names_itself_and_starts_at_most_ten_requests_a_second(poller: Poller, server: FeedsServer) -> None:
    poller.take(poller.poll())
    assert {request.headers["User-Agent"] for request in server.requests} == {AGENT}
    times = server.asked()
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(times))
    assert times[-1] - times[0] == pytest.approx(0.1 * (len(times) - 1))


def test_goes_on_where_it_was(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    server.publish(esi_killmail(21))
    poller.run(6)
    assert poller.ids == [21]
    assert file(FIRST_SEQUENCE + 19) not in {request.path for request in server.requests}


def test_batches_are_bounded(time: FakeClock) -> None:
    with FeedsServer([esi_killmail(number) for number in range(1, 151)], now=time.time) as server:
        poller = Poller(server, time, lookback=149)
        assert len(poller.take(poller.poll()).killmails) == ITEMS_MAX
        assert len(poller.take(poller.poll()).killmails) == 50
        assert poller.ids == list(range(1, 151))


def test_stops_at_the_end_of_its_budget(poller: Poller) -> None:
    batch = poller.take(poller.poll(budget_s=0.5))
    assert 3 <= len(batch.killmails) <= 6
    assert batch.wait_s == 0
    poller.take(poller.poll())
    assert poller.ids == list(range(10, 21))


def test_asks_for_what_is_not_there_yet_every_six_seconds(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    poller.run(300)
    for sequence in (server.newest + 1, server.newest + 2):
        assert all(5.999 < gap < 7 for gap in gaps(server, sequence))
        assert len(gaps(server, sequence)) > 40
    assert file(server.newest + 3) not in {request.path for request in server.requests}
    assert (poller.holes, poller.errors) == ([], [])


def test_a_hole_holds_nothing_up_and_is_given_up_after_a_minute(
    poller: Poller, server: FeedsServer, time: FakeClock
) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(21))
    server.publish(esi_killmail(22))
    began = time.now
    poller.run(1)
    assert poller.ids == [21, 22]
    poller.run(58)
    assert poller.holes == []
    poller.run(10)
    assert poller.holes == [Hole(first_sequence=hole, last_sequence=hole)]
    assert all(gap > 5.999 for gap in gaps(server, hole))
    last = server.asked(file(hole))[-1]
    assert 60 <= last - began <= 68
    poller.run(30)
    assert server.asked(file(hole))[-1] == last


def test_a_hole_that_fills_late_is_read(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(40)
    server.fill(hole, esi_killmail(21))
    poller.run(60)
    assert poller.ids == [22, 21]
    assert poller.holes == []


def test_a_hole_is_as_old_as_the_knowledge_that_it_is_one(poller: Poller, server: FeedsServer) -> None:
    """A number that was 404 all night for want of kills is not old when the next kill comes (an edge's stale 404)."""
    caught_up(poller)
    poller.run(600)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(50)
    assert poller.holes == []
    server.fill(hole, esi_killmail(21))
    poller.run(10)
    assert poller.ids == [22, 21]


def test_a_hole_at_the_front_is_passed_although_sequence_json_lags(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    server.lag = 51
    hole = server.leave_out()
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]
    poller.run(70)
    assert poller.holes == [Hole(first_sequence=hole, last_sequence=hole)]


def test_two_holes_at_the_front_are_passed_when_sequence_json_tells(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    server.lag = 3
    server.leave_out(2)
    server.publish(esi_killmail(21))
    poller.run(30)
    assert poller.ids == []
    server.lag = 0
    poller.run(7)
    assert poller.ids == [21]


@pytest.mark.parametrize("lag", [15, 900])
def test_a_sequence_json_behind_our_position_moves_nothing_back(
    poller: Poller, server: FeedsServer, lag: int
) -> None:
    caught_up(poller)
    server.lag = lag
    poller.run(30)
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]
    assert min(int(r.path[11:-5]) for r in server.requests if "sequence" not in r.path) > server.newest - 1


def test_a_position_older_than_retention_finds_the_oldest_file_by_search(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    lost = server.newest + 1
    server.leave_out(20_000)
    for number in range(200):
        server.publish(esi_killmail(1000 + number), uploaded_at=poller.time.now - 3600)
    poller.run(60, until=lambda: len(poller.ids) >= 200)
    assert poller.ids == list(range(1000, 1200))
    assert poller.holes == [Hole(first_sequence=lost, last_sequence=lost + 19_999)]
    assert len(server.requests) < 200 + 100


def test_a_search_is_not_misled_by_holes_between_what_is_still_there(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    first_lost = server.newest + 1
    server.leave_out(1000)
    kept = []
    for number in range(200):
        if number % 5:
            kept.append(server.publish(esi_killmail(1000 + number), uploaded_at=poller.time.now - 3600))
        else:
            server.leave_out()
    poller.run(200)
    assert len(poller.ids) == len(kept)
    assert poller.holes[0] == Hole(first_sequence=first_lost, last_sequence=kept[0] - 1)
    assert {hole.first_sequence for hole in poller.holes[1:]} == set(range(kept[0], kept[-1])) - set(kept)
    asked: dict[str, list[float]] = {}
    for request in server.requests:
        asked.setdefault(request.path, []).append(request.at)
    del asked["/ephemeral/sequence.json"]
    assert all(
        later - earlier > 5.999
        for path, times in asked.items()
        if int(path[11:-5]) not in kept
        for earlier, later in pairwise(times)
    )


def test_files_that_cannot_be_read_are_no_part_of_what_has_expired(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    for number in (21, 22):
        server.always(file(server.publish(esi_killmail(number))), PAGE)
    lost = server.leave_out(300) - 299
    server.publish(esi_killmail(23), uploaded_at=poller.time.now - 3600)
    poller.run(12, until=lambda: poller.ids == [23])
    assert poller.holes == [Hole(first_sequence=lost, last_sequence=lost + 299)]
    server.calm()
    poller.run(7)
    assert poller.ids == [23, 21, 22]


def test_a_row_that_ends_with_an_unreadable_file_is_not_given_up_with_it(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    for number in range(21, 41):
        sequence = server.publish(esi_killmail(number), uploaded_at=poller.time.now - 3600)
        server.always(file(sequence), PAGE if number % 10 == 0 else NOT_FOUND)
    server.leave_out(200)
    server.publish(esi_killmail(41), uploaded_at=poller.time.now - 3600)
    poller.run(12, until=lambda: poller.ids == [41])
    server.calm()
    poller.run(10)
    assert {30, 40} <= set(poller.ids)


def test_a_long_row_that_is_missing_is_no_hole_before_it_is_a_minute_old(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    missing = server.newest + 1
    server.leave_out(300)
    server.publish(esi_killmail(500))
    poller.run(30)
    assert poller.holes == []
    for number in range(300):
        server.fill(missing + number, esi_killmail(100 + number))
    poller.run(60)
    assert sorted(poller.ids) == [*range(100, 400), 500]
    assert poller.holes == []


def test_a_sequence_json_that_runs_ahead_of_everything_does_not_stop_the_feed(
    poller: Poller, server: FeedsServer
) -> None:
    caught_up(poller)
    server.script("/ephemeral/sequence.json", Answer(body=b'{"sequence": 900000000000}'))
    poller.run(30)
    server.newest += 20
    server.publish(esi_killmail(21))
    poller.run(30)
    assert poller.ids == [21]


def test_a_file_that_was_uploaded_again_is_read_again(
    poller: Poller, server: FeedsServer, time: FakeClock
) -> None:
    caught_up(poller)
    older = server.newest - 5
    time.now += 100
    server.change(older, sequence_updated=older - 3)
    server.upload_again(older, value=5e9)
    server.publish(esi_killmail(21), sequence_updated=older)
    poller.run(7)
    assert poller.ids == [21, 15]
    again = poller.killmails[1]
    assert (again.isk_value, again.valued_at) == (5_000_000_000, int(time.now) - 7)
    assert server.asked(file(older - 3)) == []


def test_what_a_reuploaded_file_names_is_not_followed_for_ever(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    for sequence in range(FIRST_SEQUENCE + 2, server.newest + 1):
        server.change(sequence, sequence_updated=sequence - 1)
    server.publish(esi_killmail(21), sequence_updated=server.newest)
    poller.run(7)
    assert poller.ids == [21, 20]


def test_a_hole_that_is_named_as_uploaded_again_waits_its_turn(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22), sequence_updated=hole)
    poller.run(30)
    assert len(gaps(server, hole)) > 2
    assert min(gaps(server, hole)) > 5.999


@pytest.mark.parametrize("named", [FIRST_SEQUENCE + 20, FIRST_SEQUENCE + 500, 0, -5, "7", None, True])
def test_a_sequence_updated_that_is_not_older_is_ignored(
    poller: Poller, server: FeedsServer, named: object
) -> None:
    caught_up(poller)
    server.change(server.publish(esi_killmail(21)), sequence_updated=named)
    poller.run(20)
    assert poller.ids == [21]


@pytest.mark.parametrize(
    ("status", "waits"),
    [(429, [60, 120, 240, 480, 960, 1920, 3600, 3600]), (403, [300, 600, 1200, 2400, 3600, 3600])],
)
def test_a_refusal_stops_the_feed_ever_longer(
    poller: Poller, server: FeedsServer, time: FakeClock, status: int, waits: list[float]
) -> None:
    caught_up(poller)
    server.always("/ephemeral/", refused(status))
    for wait_s in waits:
        batch = poller.take(poller.poll())
        assert batch.wait_s == pytest.approx(wait_s, abs=0.5)
        assert batch.backed_off
        assert batch.error is not None
        assert str(status) in batch.error
        asked = len(server.requests)
        time.now += wait_s - 1
        batch = poller.take(poller.poll())
        assert batch.wait_s == pytest.approx(1, abs=0.5)
        assert batch.backed_off
        assert len(server.requests) == asked
        time.now += 1
    server.calm()
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]
    time.now += 10
    server.always("/ephemeral/", refused(status))
    assert poller.take(poller.poll()).wait_s == pytest.approx(waits[0], abs=0.5)


@pytest.mark.parametrize("status", [429, 403, 503])
def test_retry_after_is_honoured(poller: Poller, server: FeedsServer, time: FakeClock, status: int) -> None:
    caught_up(poller)
    server.script(
        "/ephemeral/", refused(status, "17"), refused(status, formatdate(time.now + 107, usegmt=True))
    )
    batch = poller.take(poller.poll())
    assert batch.wait_s == pytest.approx(17, abs=0.2)
    assert batch.backed_off
    time.now += 17
    assert 80 < poller.take(poller.poll()).wait_s <= 90


def test_a_retry_after_of_years_is_not_believed(poller: Poller, server: FeedsServer) -> None:
    server.script("/ephemeral/", refused(429, "99999999999"))
    assert poller.take(poller.poll()).wait_s == pytest.approx(86_400)


@pytest.mark.parametrize(
    "answer", [SERVER_ERROR, BAD_GATEWAY, Answer(420, body=b""), Answer(301, {"Location": "/"}, b"")]
)
def test_failures_are_retried_after_one_to_sixty_seconds(
    poller: Poller, server: FeedsServer, time: FakeClock, answer: Answer
) -> None:
    caught_up(poller)
    server.always("/ephemeral/", answer)
    waits = []
    for _ in range(9):
        batch = poller.take(poller.poll())
        assert not batch.backed_off
        waits.append(batch.wait_s)
        time.now += batch.wait_s
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60], abs=0.2)
    server.calm()
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]
    assert len(poller.errors) == 9
    assert (poller.holes, poller.rejected) == ([], [])


def test_a_server_that_is_away_is_a_failure_like_any_other(poller: Poller, time: FakeClock) -> None:
    with FeedsServer() as gone:
        away = Poller(gone, time)
        url = gone.url
    feed = R2Z2Feed(HttpClient(AGENT, clock=time.clock), base_url=url, lookback=10)
    batch = feed.poll(away.position, 10)
    assert batch.error is not None
    assert "no answer from http://127.0.0.1" in batch.error
    assert batch.wait_s == pytest.approx(1)
    assert poller.take(poller.poll()).error is None


def test_an_answer_that_does_not_come_is_a_failure(
    poller: Poller, server: FeedsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.feeds.r2z2.TIMEOUT_S", 0.05)
    server.script(file(server.newest - 10), slow(5))
    batch = poller.take(poller.poll())
    assert batch.error is not None
    assert "timed out" in batch.error
    poller.run(7)
    assert poller.ids == list(range(10, 21))


@pytest.mark.parametrize("answer", [SERVER_ERROR, Answer(400, body=b""), Answer(410, body=b"")])
def test_one_file_that_fails_for_ever_becomes_a_hole_and_stops_nothing(
    poller: Poller, server: FeedsServer, answer: Answer
) -> None:
    at_fault = server.newest - 5
    server.always(file(at_fault), answer)
    poller.run(60, until=lambda: len(poller.ids) == 10)
    assert poller.ids == [10, 11, 12, 13, 14, 16, 17, 18, 19, 20]
    poller.run(100)
    assert poller.holes == [Hole(first_sequence=at_fault, last_sequence=at_fault)]
    assert min(gaps(server, at_fault)[3:]) > 5.999


def test_many_files_that_fail_for_ever_stop_nothing(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    at_fault = []
    for number in range(21, 29):
        at_fault.append(server.publish(esi_killmail(number)))
        server.always(file(at_fault[-1]), SERVER_ERROR)
    server.publish(esi_killmail(29))
    poller.run(600, until=lambda: len(poller.ids) == 1)
    for number in range(30, 40):
        server.publish(esi_killmail(number))
        poller.run(10)
    poller.run(20)
    assert poller.ids == list(range(29, 40))
    poller.run(600)
    assert sorted(hole.first_sequence for hole in poller.holes) == at_fault


def test_a_hole_is_not_given_up_for_one_failure(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(55)
    server.always(file(hole), SERVER_ERROR)
    asked = len(server.asked(file(hole)))
    poller.run(15)
    assert asked < len(server.asked(file(hole)))
    server.fill(hole, esi_killmail(21))
    server.calm()
    poller.run(10)
    assert (poller.ids, poller.holes) == ([22, 21], [])


@pytest.mark.parametrize("what", ["/ephemeral/", "/ephemeral/1"])
def test_a_hole_is_not_given_up_because_the_service_fails(
    poller: Poller, server: FeedsServer, what: str
) -> None:
    caught_up(poller)
    hole = server.leave_out()
    server.publish(esi_killmail(22))
    poller.run(10)
    server.always(what, SERVER_ERROR)
    poller.run(900)
    assert poller.holes == []
    server.fill(hole, esi_killmail(21))
    server.calm()
    poller.run(70)
    assert (poller.ids, poller.holes) == ([22, 21], [])


def test_no_number_is_given_up_while_the_whole_service_fails(poller: Poller, server: FeedsServer) -> None:
    server.always("/ephemeral/1", SERVER_ERROR)
    poller.run(3600)
    server.calm()
    poller.run(120)
    assert sorted(poller.ids) == list(range(10, 21))
    assert poller.holes == []


@pytest.mark.parametrize("lag", [0, 51])
@pytest.mark.parametrize(
    ("answer", "reason"), [(BROKEN_JSON, "no JSON"), (CUT_OFF, "cut off"), (PAGE, "no JSON")]
)
def test_a_file_that_cannot_be_read_is_rejected_after_three_more_tries(
    poller: Poller, server: FeedsServer, answer: Answer, reason: str, lag: int
) -> None:
    server.lag = lag
    poller.lookback -= lag
    at_fault = server.newest - 5
    server.always(file(at_fault), answer)
    poller.run(8)
    assert poller.ids == [10, 11, 12, 13, 14, 16, 17, 18, 19, 20]
    assert poller.rejected == []
    poller.run(60)
    [rejected] = poller.rejected
    assert rejected.reason == f"sequence {at_fault}: the file is {reason}"
    assert rejected.raw
    assert len(server.asked(file(at_fault))) == 4
    assert min(gaps(server, at_fault)) > 5.999
    assert poller.holes == []


@pytest.mark.parametrize("answer", [BROKEN_JSON, CUT_OFF, PAGE])
def test_a_file_that_can_be_read_in_the_end_is_read(
    poller: Poller, server: FeedsServer, answer: Answer
) -> None:
    caught_up(poller)
    server.script(file(server.publish(esi_killmail(21))), answer, answer, answer)
    poller.run(60)
    assert (poller.ids, poller.rejected, poller.holes) == ([21], [], [])


@pytest.mark.parametrize("page", [PAGE, Answer(body=b'{"message": "down for maintenance"}')])
def test_a_page_in_place_of_every_file_eats_nothing(
    poller: Poller, server: FeedsServer, page: Answer
) -> None:
    server.always("/ephemeral/1", page)
    poller.run(120)
    server.always("/ephemeral/", page)
    poller.run(120)
    assert (poller.rejected, poller.holes) == ([], [])
    server.calm()
    poller.run(120)
    assert sorted(poller.ids) == list(range(10, 21))


def test_a_killmail_that_is_none_is_rejected_and_the_feed_goes_on(
    poller: Poller, server: FeedsServer
) -> None:
    killmail = esi_killmail(15)
    del killmail["victim"]["ship_type_id"]
    server.change(server.newest - 5, esi=killmail, note="\0 is no text for PostgreSQL")
    poller.run(1)
    assert poller.ids == [10, 11, 12, 13, 14, 16, 17, 18, 19, 20]
    [rejected] = poller.rejected
    assert rejected.killmail_id == 15
    assert rejected.reason.startswith("victim.ship_type_id: Field required")
    assert "\0" not in rejected.raw
    assert json.loads(rejected.raw)["killmail_id"] == 15


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"esi": None}, "esi"),
        ({"hash": "x"}, "hash"),
        ({"killmail_id": 16}, "killmail_id"),
        ({"uploaded_at": "soon"}, "uploaded_at"),
        ({"zkb": {"totalValue": "much"}}, "totalValue"),
    ],
)
def test_a_rejected_file_names_the_field(
    poller: Poller, server: FeedsServer, changes: dict[str, object], field: str
) -> None:
    server.change(server.newest - 5, **changes)
    poller.run(1)
    [rejected] = poller.rejected
    assert rejected.reason.startswith(f"{field}: ")


@pytest.mark.real_days
def test_a_real_payload_is_read(poller: Poller, server: FeedsServer, real_data: Path) -> None:
    payload = json.loads((real_data / "r2z2_payload.json").read_text())
    server.change(server.newest - 5, **payload)
    poller.run(1)
    [killmail] = [one for one in poller.killmails if one.killmail_id == 134398778]
    assert (killmail.isk_value, killmail.valued_at) == (16107, 1774949044)
    assert killmail.victim.character_id == 2124253410


def test_a_position_of_another_feed_is_refused(poller: Poller) -> None:
    poller.position = {"sequence": "far", "missing": []}
    with pytest.raises(FeedError, match="the stored position of r2z2 cannot be read"):
        poller.poll()


def test_a_clock_that_was_set_back_does_not_stop_the_feed(poller: Poller, server: FeedsServer) -> None:
    caught_up(poller)
    poller.run(30)
    server.script("/ephemeral/", refused(429, "3600"))
    poller.run(7)
    poller.time.now -= 10 * 86_400
    server.publish(esi_killmail(21))
    poller.run(7)
    assert poller.ids == [21]


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_whatever_happens(time: FakeClock, seed: int) -> None:
    """Faults of all kinds, crashes between poll and save, holes that stay and holes that fill."""
    chance = random.Random(seed)
    faults = [NOT_FOUND, BAD_GATEWAY, SERVER_ERROR, BROKEN_JSON, CUT_OFF, PAGE, refused(429, "5")]
    with FeedsServer(now=time.time) as server:
        server.publish(esi_killmail(1))
        poller = Poller(server, time, lookback=0)
        poller.take(poller.poll())
        holes, late = set(), {}
        for number in range(2, 80):
            kind = chance.random()
            if kind < 0.1:
                holes.add(server.leave_out())
            elif kind < 0.2:
                late[server.leave_out()] = number
            else:
                server.publish(esi_killmail(number))
            if chance.random() < 0.5:
                server.script("/ephemeral/", *chance.choices(faults, k=chance.randint(1, 3)))
            for sequence in [s for s in late if chance.random() < 0.3]:
                server.fill(sequence, esi_killmail(late.pop(sequence)))
            batch = poller.poll(budget_s=chance.choice([0.3, 2, 60]))
            if chance.random() < 0.8:
                poller.take(batch)
            time.now += batch.wait_s * chance.uniform(0.3, 1.2)
        for sequence, number in late.items():
            server.fill(sequence, esi_killmail(number))
        server.publish(esi_killmail(80))
        server.calm()
        poller.run(300)
        published = {file["killmail_id"] for file in server.files.values()}
        assert published <= set(poller.ids)
        assert {hole.first_sequence for hole in poller.holes} == holes
        assert poller.rejected == []
