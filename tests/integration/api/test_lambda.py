"""The handler, as API Gateway's HTTP API calls it."""

import asyncio
import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from api import handler as api_handler
from api.routes import lists
from battlescope.errors import SettingsError
from battlescope.runtime.context import Context
from tests.integration.api.rows import START, Kill, Pilot, Rows

EVENT = Path(__file__).resolve().parents[2] / "events" / "api_battles.json"
RESPONSE_BYTES_MAX = 6 * 1024 * 1024


@pytest.fixture
def environment(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DB_URL", url)
    api_handler.environment.cache_clear()
    asyncio.set_event_loop(asyncio.new_event_loop())  # Mangum takes the one that is there
    yield
    api_handler.environment().connection.close()
    api_handler.environment.cache_clear()
    asyncio.get_event_loop().close()  # Mangum's, which lives as long as a Lambda environment
    asyncio.set_event_loop(None)


def invoke(
    path: str = "/battles",
    query: str = "",
    method: str = "GET",
    source_ip: str = "203.0.113.7",
    **headers: str,
) -> dict[str, Any]:
    event = json.loads(EVENT.read_text())
    event |= {"rawPath": path, "rawQueryString": query, "queryStringParameters": {}}
    event["requestContext"]["http"] |= {"path": path, "method": method, "sourceIp": source_ip}
    event["headers"] |= headers
    return api_handler.handler(event, Context("api", 30, Event()))


@pytest.mark.usefixtures("environment")
def test_answers_an_event_of_api_gateway(rows: Rows) -> None:
    battle_id = rows.battle(revision=3)
    rows.battle(space="jspace")

    response = api_handler.handler(json.loads(EVENT.read_text()), Context("api", 30, Event()))

    assert response["statusCode"] == 200
    assert response["isBase64Encoded"] is False
    assert response["headers"]["content-type"] == "application/json"
    assert [battle["id"] for battle in json.loads(response["body"])["items"]] == [str(battle_id)]


@pytest.mark.usefixtures("environment")
def test_problems_redirects_and_304_have_their_shape(rows: Rows) -> None:
    rows.battle()
    alias = rows.alias(96_000_002)
    etag = invoke()["headers"]["etag"]

    problem, redirect, unchanged = (
        invoke(query="space=x"),
        invoke(f"/battles/{alias}"),
        invoke(**{"if-none-match": etag}),
    )

    assert (problem["statusCode"], problem["isBase64Encoded"]) == (422, False)
    assert problem["headers"]["content-type"] == "application/problem+json"
    assert json.loads(problem["body"])["errors"][0]["parameter"] == "space"
    assert redirect["statusCode"] == 308
    assert redirect["headers"]["location"].startswith("/battles/")
    assert (unchanged["statusCode"], unchanged["body"]) == (304, "")


@pytest.mark.usefixtures("environment")
def test_head_has_no_body() -> None:
    response = invoke(method="HEAD")

    assert (response["statusCode"], response["body"]) == (200, "")


@pytest.mark.usefixtures("environment")
def test_events_lead_to_the_feed() -> None:
    response = invoke("/events")

    assert response["statusCode"] == 501
    assert "/changes" in json.loads(response["body"])["detail"]


@pytest.mark.usefixtures("environment")
def test_the_largest_answer_fits_lambda(rows: Rows) -> None:
    alliances = range(99_000_000, 99_000_020)
    battle_id = rows.battle(
        kills=[Kill(victim=90_000_000 + n, attacker_alliances=alliances) for n in range(1000)],
        pilots=[Pilot(character=90_000_000 + n) for n in range(1000)],
    )
    rows.database.execute(
        "INSERT INTO names SELECT n, 'x', repeat('x', 50) FROM generate_series(99000000, 99000020) n"
    )
    rows.database.execute(
        "INSERT INTO names SELECT n, 'x', repeat('x', 37) FROM generate_series(90000000, 90001000) n"
    )

    plain = invoke(f"/battles/{battle_id}", **{"accept-encoding": "identity"})
    compressed = invoke(f"/battles/{battle_id}", **{"accept-encoding": "gzip"})

    assert plain["statusCode"] == 200
    assert len(json.loads(plain["body"])["killmails"]) == 1000
    assert len(json.dumps(plain)) < RESPONSE_BYTES_MAX * 3 / 4
    assert len(json.dumps(compressed)) < len(json.dumps(plain)) / 5


@pytest.mark.usefixtures("environment")
def test_large_answers_are_compressed_and_small_ones_are_plain(rows: Rows) -> None:
    for _ in range(5):
        rows.battle()

    plain, compressed = invoke(**{"accept-encoding": "br"}), invoke(**{"accept-encoding": "br, gzip"})
    small = invoke("/healthz", "live=1", **{"accept-encoding": "gzip"})

    assert compressed["isBase64Encoded"] is True
    assert compressed["headers"]["content-encoding"] == "gzip"
    assert compressed["headers"]["vary"] == "Accept, Accept-Encoding"
    assert gzip.decompress(base64.b64decode(compressed["body"])).decode() == plain["body"]
    assert compressed["headers"]["etag"] == plain["headers"]["etag"]
    assert plain["isBase64Encoded"] is False
    assert "content-encoding" not in plain["headers"]
    assert (small["isBase64Encoded"], "content-encoding" in small["headers"]) == (False, False)


@pytest.mark.usefixtures("environment")
def test_an_export_is_a_page_with_a_link_to_the_next(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "FILE_ROWS", 2)
    ids = [str(rows.battle(start=START - timedelta(hours=n))) for n in range(3)]

    first = invoke(query="format=jsonl", **{"accept-encoding": ""})
    link = first["headers"]["link"]
    second = invoke(query=link[link.index("?") + 1 : link.index(">")], **{"accept-encoding": ""})

    assert first["headers"]["content-type"] == "application/x-ndjson"
    assert first["isBase64Encoded"] is False
    lines = first["body"] + second["body"]
    assert [json.loads(line)["id"] for line in lines.splitlines()] == ids
    assert "link" not in second["headers"]


@pytest.mark.usefixtures("environment")
def test_a_client_is_who_api_gateway_says_it_is(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("RATE_PER_MINUTE", "2")

    codes = [
        invoke(source_ip=source_ip, **{"x-forwarded-for": f"198.51.100.{n}"})["statusCode"]
        for n, source_ip in enumerate(["203.0.113.7", "203.0.113.7", "203.0.113.7", "203.0.113.8"])
    ]

    assert codes == [200, 200, 429, 200]


def test_a_missing_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_URL", raising=False)
    api_handler.environment.cache_clear()

    with pytest.raises(SettingsError, match="DB_URL is not set"):
        invoke()


def test_what_a_cold_start_does_not_need_is_not_imported() -> None:
    unwanted = (
        "boto3",
        "psycopg",
        "uvicorn",
        "psycopg_pool",
        "api.openapi",
        "api.events",
        "redis",
        "limits",
        "api.tables",
    )
    script = f"import sys, api.handler; print([name for name in {unwanted!r} if name in sys.modules])"

    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "[]"


@pytest.mark.usefixtures("environment")
def test_serves_pages_and_pictures(rows: Rows) -> None:
    battle_id = rows.battle()

    page = invoke("/", **{"accept-encoding": "identity"})
    card = invoke(f"/b/{battle_id}/card.png")

    assert page["isBase64Encoded"] is False
    assert f'href="/b/{battle_id}"' in page["body"]
    assert "data-events" not in page["body"]  # nothing can stream here
    assert card["isBase64Encoded"] is True
    assert base64.b64decode(card["body"]).startswith(b"\x89PNG")
