"""The RedisQ poller against a loopback server, in a time of the test's own."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from battlescope.errors import FeedError
from battlescope.esi import Esi
from battlescope.http import HttpClient
from battlescope.killmail import Killmail
from ingest.feeds import Batch, Position, Rejected
from ingest.feeds.redisq import TRIES_MAX, RedisQFeed
from tests.support.answers import (
    BAD_GATEWAY,
    BROKEN_JSON,
    CUT_OFF,
    EMPTY,
    NOT_FOUND,
    OVERSIZED,
    PAGE,
    RESET,
    SERVER_ERROR,
    Answer,
    refused,
)
from tests.support.clock import FakeClock
from tests.support.faults import ESI_FAULTS, REDISQ_FAULTS, REDISQ_OBJECT_FAULTS, Faults
from tests.support.feeds_server import FeedsServer
from tests.support.payloads import esi_killmail, killmail_hash, redisq_package

AGENT = "battlescope-tests/1 (contact: nobody@example.org)"


@dataclass
class Poller:
    """Polls as the ingest handler does, a new feed each time: whatever matters must be in the position."""

    server: FeedsServer
    time: FakeClock
    position: Position | None = None
    killmails: list[Killmail] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def poll(self, budget_s: float = 2) -> Batch:
        http = HttpClient(AGENT, clock=self.time.clock)
        feed = RedisQFeed(http, Esi(http, self.server.url), base_url=self.server.url, queue_id="tests")
        batch = feed.poll(self.position, budget_s)
        http.close()
        return batch

    def take(self, batch: Batch) -> Batch:
        self.position = json.loads(json.dumps(batch.position))
        self.killmails += batch.killmails
        self.rejected += batch.rejected
        return batch

    def run(self, polls: int) -> None:
        for _ in range(polls):
            self.time.now += self.take(self.poll()).wait_s

    @property
    def ids(self) -> list[int]:
        return [killmail.killmail_id for killmail in self.killmails]


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["embedded", "by reference", "redirected"])
def server(time: FakeClock, request: pytest.FixtureRequest) -> Iterator[FeedsServer]:
    with FeedsServer([esi_killmail(number) for number in (1, 2, 3)], now=time.time) as running:
        running.redisq_embeds = request.param == "embedded"
        running.redisq_redirects = request.param == "redirected"
        yield running


@pytest.fixture
def plain(time: FakeClock) -> Iterator[FeedsServer]:
    """A server of today's generation, without redirects."""
    with FeedsServer([esi_killmail(number) for number in (1, 2, 3)], now=time.time) as running:
        yield running


def package(**changes: object) -> Answer:
    changed = {**redisq_package(esi_killmail(9), embeds=True), **changes}
    return Answer(body=json.dumps({"package": changed}).encode())


def test_every_killmail_comes_once_in_order(server: FeedsServer, time: FakeClock) -> None:
    poller = Poller(server, time)
    poller.run(10)
    assert poller.ids == [1, 2, 3]
    first = poller.killmails[0]
    assert first.killmail_hash == killmail_hash(1)
    assert first.isk_value == 16107
    assert 0 <= time.now - first.valued_at < 60


def test_a_package_is_safe_before_it_is_resolved(server: FeedsServer, time: FakeClock) -> None:
    poller = Poller(server, time)
    delivered = poller.take(poller.poll())
    assert (delivered.killmails, delivered.wait_s) == ([], 0)
    lost = poller.poll()
    assert [killmail.killmail_id for killmail in lost.killmails] == [1]
    time.now += 500
    again = poller.take(poller.poll())
    assert again.killmails == lost.killmails
    poller.run(10)
    assert poller.ids == [1, 2, 3]


def test_the_request_names_the_queue_and_waits_within_bounds(plain: FeedsServer, time: FakeClock) -> None:
    poller = Poller(plain, time)
    for budget_s in (0.2, 2.7, 60):
        poller.poll(budget_s)
    assert [request.query for request in plain.requests] == [
        {"queueID": "tests", "ttw": "1"},
        {"queueID": "tests", "ttw": "2"},
        {"queueID": "tests", "ttw": "10"},
    ]


def test_at_most_two_requests_a_second(time: FakeClock) -> None:
    with FeedsServer([esi_killmail(number) for number in (1, 2, 3)], now=time.time) as server:
        server.redisq_redirects = True
        http = HttpClient(AGENT, clock=time.clock)
        feed = RedisQFeed(http, Esi(http, server.url), base_url=server.url, queue_id="tests")
        position: Position | None = None
        for _ in range(8):
            position = feed.poll(position, 2).position
        http.close()
        times = sorted([*server.asked("/listen.php"), *server.asked("/object.php")])
        assert min(later - earlier for earlier, later in pairwise(times)) > 0.499


def test_nothing_new_is_no_news(time: FakeClock) -> None:
    with FeedsServer(now=time.time) as server:
        batch = Poller(server, time).poll()
    assert batch == Batch(position={}, killmails=[], rejected=[], holes=[])


@pytest.mark.parametrize("status", [429, 403])
def test_a_refusal_stops_the_feed_ever_longer(plain: FeedsServer, time: FakeClock, status: int) -> None:
    poller = Poller(plain, time)
    base_s = {429: 60, 403: 300}[status]
    plain.script("/listen.php", refused(status), refused(status), refused(status, "7"))
    for wait_s in (base_s, 2 * base_s, 7):
        batch = poller.take(poller.poll())
        assert batch.wait_s == pytest.approx(wait_s)
        assert batch.backed_off
        assert batch.error is not None
        assert poller.take(poller.poll()).wait_s == pytest.approx(wait_s)
        time.now += wait_s
    assert len(plain.requests) == 3
    poller.run(10)
    assert poller.ids == [1, 2, 3]


@pytest.mark.parametrize("answer", [SERVER_ERROR, BAD_GATEWAY, NOT_FOUND])
def test_failures_are_retried_ever_more_rarely(plain: FeedsServer, time: FakeClock, answer: Answer) -> None:
    poller = Poller(plain, time)
    plain.script("/listen.php", *[answer] * 4)
    waits = []
    for _ in range(4):
        waits.append(poller.take(poller.poll()).wait_s)
        time.now += waits[-1]
    assert waits == pytest.approx([1, 2, 4, 8])
    poller.run(10)
    assert poller.ids == [1, 2, 3]


@pytest.mark.parametrize("answer", [BROKEN_JSON, CUT_OFF, Answer(body=b"[]"), Answer(body=b'"x"')])
def test_what_is_no_package_is_kept_as_far_as_it_came(
    plain: FeedsServer, time: FakeClock, answer: Answer
) -> None:
    poller = Poller(plain, time)
    plain.script("/listen.php", answer)
    poller.run(10)
    [rejected] = poller.rejected
    assert rejected.reason.endswith("is no package, or was cut off")
    assert rejected.raw
    assert poller.ids[-1] == 3


@pytest.mark.parametrize(
    ("answer", "reason", "killmail_id"),
    [
        (package(killmail={"killmail_id": 9}), "killmail_time: Field required", 9),
        (package(killmail=esi_killmail(8)), "killmail_id: the package names 9, its killmail is 8", 9),
        (package(zkb={"hash": "\0"}), "zkb.hash: ", 9),
        (package(killID="9; DROP"), "killID: ", None),
        (Answer(body=b'{"package": 5}'), "package: ", None),
    ],
)
def test_a_package_that_is_none_is_rejected_and_the_feed_goes_on(
    plain: FeedsServer, time: FakeClock, answer: Answer, reason: str, killmail_id: int | None
) -> None:
    poller = Poller(plain, time)
    plain.script("/listen.php", answer)
    poller.run(10)
    [rejected] = poller.rejected
    assert rejected.reason.startswith(reason)
    assert rejected.killmail_id == killmail_id
    assert poller.ids == [1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, body=b"{}"),
        Answer(422, body=b"{}"),
        Answer(body=json.dumps(esi_killmail(5)).encode()),
        Answer(body=b"{}"),
    ],
)
def test_a_killmail_that_esi_does_not_have_is_rejected_at_once(
    plain: FeedsServer, time: FakeClock, answer: Answer
) -> None:
    poller = Poller(plain, time)
    plain.script("/killmails/1/", answer)
    poller.run(10)
    assert poller.ids == [2, 3]
    [rejected] = poller.rejected
    assert rejected.killmail_id == 1
    assert killmail_hash(1) in rejected.raw
    assert len(plain.asked("/killmails/1/")) == 1


def test_a_package_waits_for_esi(plain: FeedsServer, time: FakeClock) -> None:
    poller = Poller(plain, time)
    plain.script(
        "/killmails/", SERVER_ERROR, refused(429, "30"), Answer(420, {"X-ESI-Error-Limit-Reset": "9"}, b"")
    )
    poller.take(poller.poll())
    waits = []
    for _ in range(3):
        batch = poller.take(poller.poll())
        waits.append((round(batch.wait_s), batch.backed_off))
        time.now += batch.wait_s
    assert waits == [(1, False), (30, True), (9, True)]
    poller.run(8)
    assert poller.ids == [1, 2, 3]


def test_a_package_that_esi_fails_on_for_ever_does_not_stop_the_feed(
    plain: FeedsServer, time: FakeClock
) -> None:
    poller = Poller(plain, time)
    plain.always("/killmails/1/", SERVER_ERROR)
    poller.run(TRIES_MAX + 10)
    assert poller.ids == [2, 3]
    [rejected] = poller.rejected
    assert rejected.reason.startswith(f"given up after {TRIES_MAX} tries: ")
    assert len(plain.asked("/killmails/1/")) == TRIES_MAX


def test_a_package_is_not_given_up_because_esi_asks_us_to_wait(plain: FeedsServer, time: FakeClock) -> None:
    poller = Poller(plain, time)
    plain.script("/killmails/", *[refused(429, "30")] * (TRIES_MAX + 5))
    poller.run(TRIES_MAX + 15)
    assert (poller.ids, poller.rejected) == ([1, 2, 3], [])


def test_an_href_is_never_followed(plain: FeedsServer, time: FakeClock) -> None:
    with FeedsServer() as elsewhere:
        foreign = redisq_package(esi_killmail(1), embeds=False)
        foreign["zkb"]["href"] = f"{elsewhere.url}/killmails/1/{killmail_hash(1)}/"
        plain.script("/listen.php", Answer(body=json.dumps({"package": foreign}).encode()))
        poller = Poller(plain, time)
        poller.run(2)
        assert poller.ids == [1]
        assert elsewhere.requests == []


def test_a_redirect_to_another_host_is_not_followed(plain: FeedsServer, time: FakeClock) -> None:
    with FeedsServer() as elsewhere:
        plain.script("/listen.php", Answer(302, {"Location": f"{elsewhere.url}/object.php?objectID=1"}, b""))
        batch = Poller(plain, time).poll()
        assert batch.error is not None
        assert "redirect to another host" in batch.error
        assert elsewhere.requests == []


def test_an_object_that_failed_to_come_is_asked_for_again(plain: FeedsServer, time: FakeClock) -> None:
    plain.redisq_redirects = True
    plain.script("/object.php", SERVER_ERROR, CUT_OFF)
    poller = Poller(plain, time)
    batch = poller.take(poller.poll())
    assert batch.wait_s == pytest.approx(1)
    time.now += 1
    poller.run(12)
    assert len(plain.asked("/object.php")) == len(plain.asked("/listen.php")) + 2
    assert poller.ids == [1, 2, 3]
    assert poller.rejected == []


@pytest.mark.parametrize(
    ("answer", "tries"), [(NOT_FOUND, 1), (SERVER_ERROR, TRIES_MAX), (CUT_OFF, TRIES_MAX)]
)
def test_an_object_that_is_gone_does_not_stop_the_feed(
    plain: FeedsServer, time: FakeClock, answer: Answer, tries: int
) -> None:
    plain.redisq_redirects = True
    plain.script("/object.php", *[answer] * tries)
    poller = Poller(plain, time)
    poller.run(tries + 10)
    assert poller.ids == [2, 3]
    [rejected] = poller.rejected
    assert rejected.reason.startswith("a package that did not come: ")
    assert rejected.raw == f"{plain.url}/object.php?objectID=tests-0"


@pytest.mark.real_days
@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_whatever_happens(server: FeedsServer, time: FakeClock, seed: int) -> None:
    """Faults of RedisQ and ESI, a clock that jumps, and crashes between poll and save."""
    chance = random.Random(seed)
    faults = Faults(server, time, chance)
    poller = Poller(server, time)
    for number in range(4, 40):
        server.publish(esi_killmail(number))
        faults.perhaps("/listen.php", REDISQ_FAULTS, 0.3)
        faults.perhaps("/object.php", REDISQ_OBJECT_FAULTS, 0.3)
        faults.perhaps("/killmails/", ESI_FAULTS, 0.3)
        faults.perhaps_jump(0.1)
        batch = poller.poll()
        # What was just delivered would be lost with a crash: RedisQ gives nothing twice.
        is_delivered = not (poller.position or {}).get("pending")
        if is_delivered or chance.random() < 0.8:
            poller.take(batch)
        time.now += batch.wait_s * chance.uniform(0.3, 1.2)
    server.calm()
    poller.run(200)

    assert set(poller.ids) == set(range(1, 40))
    assert poller.rejected == []


@pytest.mark.parametrize("fault", [CUT_OFF, RESET, BROKEN_JSON, OVERSIZED, PAGE, EMPTY])
def test_a_delivery_that_was_spoilt_is_told(plain: FeedsServer, time: FakeClock, fault: Answer) -> None:
    poller = Poller(plain, time)
    plain.script("/listen.php", fault)
    batch = poller.take(poller.poll())
    time.now += batch.wait_s
    poller.run(10)

    assert batch.error is not None
    assert fault is RESET or len(poller.rejected) == 1
    assert set(poller.ids) >= {2, 3}


def test_a_real_package_is_read(plain: FeedsServer, time: FakeClock, real_data: Path) -> None:
    body = (real_data / "redisq_package.json").read_bytes()
    plain.script("/listen.php", Answer(body=body))
    plain.script("/killmails/130678514/", Answer(body=json.dumps(esi_killmail(130678514)).encode()))
    poller = Poller(plain, time)
    poller.run(2)
    [killmail] = poller.killmails
    assert killmail.killmail_hash == "145c457c34ce9c9e8d67e942e764d8f439b22271"
    assert killmail.isk_value == 3375084389


def test_ten_thousand_attackers_fit_the_position(plain: FeedsServer, time: FakeClock) -> None:
    plain.script("/listen.php", package(killmail=esi_killmail(9, attackers=10_000)))
    poller = Poller(plain, time)
    poller.run(2)
    [killmail] = poller.killmails
    assert len(killmail.attackers) == 10_000


def test_a_position_of_another_feed_is_refused(plain: FeedsServer, time: FakeClock) -> None:
    with pytest.raises(FeedError, match="the stored position of redisq cannot be read"):
        Poller(plain, time, position={"pending": 5}).poll()
