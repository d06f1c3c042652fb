"""The change feed as server-sent events: over real HTTP, and refused where nothing can stream."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.api.client import ApiClient
from tests.integration.api.rows import Rows
from tests.integration.api.test_contract import assert_is_problem
from tests.integration.api.test_server import eventually, served


def events(response: httpx.Response) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each event's id and changes; the first has the cursor that the stream begins at, and none."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "id" in fields:
                yield fields["id"], json.loads(fields.get("data", "[]"))
            fields = {}


def test_a_stream_tells_changes_as_they_come_and_goes_on_where_it_broke_off(url: str, rows: Rows) -> None:
    rows.battle()
    with served(url) as api:
        with api.stream("GET", "/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            stream = events(response)
            begin, nothing = next(stream)
            newer = rows.battle()
            seen, changes = next(stream)
        missed = rows.battle()
        with api.stream("GET", "/events", headers={"Last-Event-ID": seen}) as response:
            stream = events(response)
            next(stream)
            _, rest = next(stream)
        polled = api.get("/changes", params={"after": begin}).json()["items"]

    assert nothing == []
    assert [change["id"] for change in changes] == [str(newer)]
    assert [change["id"] for change in rest] == [str(missed)]
    assert polled == [*changes, *rest]


def test_streams_beyond_the_limit_are_refused_and_one_that_ends_makes_room(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.events.STREAMS_MAX", 1)
    with served(url) as api:
        with api.stream("GET", "/events") as response:
            stream = events(response)  # which closes the response when it is thrown away
            next(stream)
            refused = api.get("/events")
        api.get("/events?after=x")  # a problem takes no room
        api.head("/events")

        def is_let_in() -> bool:
            with api.stream("GET", "/events") as response:
                return response.is_success

        assert eventually(is_let_in)

    assert_is_problem(refused, 503)


def test_a_stop_ends_streams_in_good_order(url: str) -> None:
    with served(url) as api, api.stream("GET", "/events") as response:
        next(events(response))
    # `served` waits for the server's end, and would fail.


def test_a_head_of_the_stream_ends(url: str) -> None:
    with served(url) as api:
        head = api.head("/events")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


def test_wrong_cursors_are_problems_before_the_stream_begins(url: str) -> None:
    with served(url) as api:
        assert_is_problem(api.get("/events?after=x"), 422)
        assert_is_problem(api.get("/events", headers={"Last-Event-ID": "x"}), 422)
        assert_is_problem(api.get("/events?limit=1"), 422)
        eventually(lambda: api.get("/healthz?live=1").is_success)


def test_where_nothing_can_stream_it_leads_to_the_feed(api: ApiClient) -> None:
    problem = api.get("/events")

    assert_is_problem(problem, 501)
    assert "/changes" in problem.json()["detail"]
