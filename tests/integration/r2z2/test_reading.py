"""Reading what is there: batches, budgets, waits, what was uploaded again, and where to start."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from battlescope.errors import FeedError
from ingest.feeds import Hole
from ingest.feeds.r2z2 import ITEMS_MAX
from tests.integration.r2z2.polling import AGENT, Poller, caught_up, file, gaps
from tests.support.answers import NOT_FOUND, PAGE, SERVER_ERROR, Answer, refused
from tests.support.clock import FakeClock
from tests.support.feeds_server import FIRST_SEQUENCE, FeedsServer
from tests.support.payloads import KILL_TIME, esi_killmail, killmail_hash


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


@pytest.mark.parametrize("named", [FIRST_SEQUENCE + 20, FIRST_SEQUENCE + 500, 0, -5, "7", None, True])
def test_a_sequence_updated_that_is_not_older_is_ignored(
    poller: Poller, server: FeedsServer, named: object
) -> None:
    caught_up(poller)
    server.change(server.publish(esi_killmail(21)), sequence_updated=named)
    poller.run(20)
    assert poller.ids == [21]


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


@pytest.mark.parametrize("jump_s", [-10 * 86_400, -3600, -60])
@pytest.mark.parametrize(("fault", "wait_s"), [(SERVER_ERROR, 1), (refused(429, "600"), 600)])
def test_a_clock_that_was_set_back_makes_no_wait_longer(
    poller: Poller, server: FeedsServer, jump_s: float, fault: Answer, wait_s: float
) -> None:
    caught_up(poller)
    poller.run(30)
    server.script("/ephemeral/", fault)
    poller.run(7, until=lambda: bool(poller.errors))
    poller.time.wrong_by = jump_s
    server.publish(esi_killmail(21))
    server.requests.clear()
    set_back_at = poller.time.now
    poller.run(wait_s + 7)
    assert poller.ids == [21]
    assert server.requests[0].at - set_back_at >= wait_s - 0.2
