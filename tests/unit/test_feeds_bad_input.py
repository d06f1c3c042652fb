"""R2Z2 and RedisQ whose answers are mutants: a poll ends with killmails, with rejected ones or with an error, and goes on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, cast

import pytest

from battlescope.esi import Esi
from battlescope.http import HttpClient, Response
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from ingest.feeds import Batch, Feed, Position
from ingest.feeds.r2z2 import SEQUENCES_END, R2Z2Feed
from ingest.feeds.redisq import RedisQFeed
from tests.support.clock import FakeClock
from tests.support.mutations import ODD_VALUES, mutant_of, replaced, spelt
from tests.support.payloads import esi_killmail, r2z2_file, redisq_package
from tests.support.said import document_of, said_by_killmail, value_said

URL = "http://127.0.0.1/feed"


@dataclass
class FarSide:
    """What an HTTP client would be told."""

    answer: Callable[[str], bytes]
    time: FakeClock

    @property
    def clock(self) -> Any:
        return self.time.clock

    def get(self, url: str, **_: Any) -> Response:
        return Response(url=url, status=200, headers={}, body=self.answer(url))


def r2z2(answer: Callable[[str], bytes], time: FakeClock | None = None) -> Feed:
    return R2Z2Feed(cast("HttpClient", FarSide(answer, time or FakeClock())), base_url=URL, lookback=3)


def redisq(answer: Callable[[str], bytes]) -> Feed:
    http = cast("HttpClient", FarSide(answer, FakeClock()))
    return RedisQFeed(http, Esi(http, URL), base_url=URL, queue_id="tests")


def answering(text: bytes, _: str) -> bytes:
    return text


def answering_files(files: dict[int, bytes], url: str) -> bytes:
    name = url.rpartition("/")[2].removesuffix(".json")
    return b'{"sequence":3}' if name == "sequence" else files.get(int(name), b"<html>")


class Ticking(FakeClock):
    """A clock that moves with each look at it, so that a poll's budget ends."""

    def time(self) -> float:
        self.now += 0.01
        return self.now


def poll(feed: Feed, position: Position | None, budget_s: float = 0.05) -> Batch:
    batch = feed.poll(position, budget_s)
    json.dumps(batch.position, allow_nan=False).encode()
    for rejected in batch.rejected:
        assert rejected.reason
        assert "\0" not in rejected.reason + rejected.raw
    for hole in batch.holes:
        assert 0 <= hole.first_sequence <= hole.last_sequence < 2**63
    for killmail in batch.killmails:
        assert [one for _, body in pack([killmail]) for one in unpack(body).killmails] == [killmail]
    return batch


def test_redisq_packages_that_are_mutants_are_delivered_or_rejected() -> None:
    chance = Random(6)
    delivered = refused = 0
    for number in range(500):
        package = redisq_package(esi_killmail(number + 1, attackers=2), embeds=True)
        text = mutant_of({"package": package}, chance)
        first = poll(redisq(partial(answering, text)), None)
        second = poll(redisq(partial(answering, b'{"package":null}')), first.position)
        refused += len(first.rejected) + len(second.rejected)
        for killmail in (*first.killmails, *second.killmails):
            delivered += 1
            said = document_of(text)["package"]
            said_by_killmail(killmail, said["killmail"])
            value_said(killmail, said["zkb"], killmail.valued_at)
            assert killmail.killmail_id == said["killID"]
            assert killmail.killmail_hash == said["zkb"]["hash"]
    assert min(delivered, refused) > 50


def test_files_of_r2z2_that_are_mutants_hold_no_other_file_up() -> None:
    chance = Random(7)
    became: set[type] = set()
    for _ in range(300):
        files = {n: spelt(r2z2_file(esi_killmail(n), sequence=n, uploaded_at=1)) for n in range(1, 4)}
        files[2] = mutant_of(json.loads(files[2]), chance)
        time = Ticking()

        feed = r2z2(partial(answering_files, files), time)
        position: Position | None = None
        found: set[int] = set()
        for _ in range(60):
            batch = poll(feed, position, 1.0)
            position = batch.position
            became |= {type(item) for item in (*batch.killmails, *batch.rejected)}
            found |= {killmail.killmail_id for killmail in batch.killmails}
            if {1, 3} <= found:
                break
            time.sleep(max(batch.wait_s, 1))
        assert {1, 3} <= found
    assert Killmail in became
    assert len(became) == 2


@pytest.mark.parametrize(
    "sequence",
    [SEQUENCES_END, 2**63, 10**400, -1, True, 1.0, "7", None, float("nan")],
    ids=lambda s: str(s)[:20],
)
def test_a_newest_sequence_that_is_none_moves_nothing(sequence: object) -> None:
    batch = poll(r2z2(partial(answering, spelt({"sequence": sequence})), Ticking()), None)
    assert batch.error == f"{URL}/ephemeral/sequence.json names no sequence"
    assert batch.position["sequence"] is None
    assert "newest" not in batch.position


def test_whatever_sequence_json_holds_a_poll_ends() -> None:
    chance = Random(8)
    for _ in range(300):
        text = mutant_of({"sequence": 95_000_000}, chance)
        poll(r2z2(partial(answering, text), Ticking()), None)
    for value in ODD_VALUES:
        poll(r2z2(partial(answering, spelt(replaced({"sequence": 1}, 0, value))), Ticking()), None)
