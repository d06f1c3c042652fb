"""In which format an answer goes out."""

import pytest

from tests.integration.api.client import ApiClient
from tests.integration.api.rows import Rows
from tests.integration.api.test_contract import assert_is_problem

JSON, CSV, NDJSON, JSONL = (
    "application/json",
    "text/csv; charset=utf-8",
    "application/x-ndjson",
    "application/jsonl",
)


@pytest.mark.parametrize(
    ("accept", "query", "media_type"),
    [
        ("*/*", "", JSON),
        ("", "", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", JSON),
        ("application/json", "", JSON),
        ("text/csv", "", CSV),
        ("TEXT/CSV", "", CSV),
        ("text/csv; header=present", "", CSV),
        ("text/*", "", CSV),
        ("application/x-ndjson", "", NDJSON),
        ("application/jsonl", "", JSONL),
        ("application/*", "", JSON),
        ("application/json;q=0.5, text/csv", "", CSV),
        ("application/json;q=0.5, text/csv;q=0.4", "", JSON),
        ("*/*, application/json;q=0", "", CSV),
        ("image/png, application/jsonl;q=0.1", "", JSONL),
        ("application/json", "?format=csv", CSV),
        ("image/png", "?format=json", JSON),
        ("*/*", "?format=jsonl", NDJSON),
    ],
)
def test_the_parameter_counts_before_what_accept_likes_best(
    shared_api: ApiClient, accept: str, query: str, media_type: str
) -> None:
    response = shared_api.get(f"/battles{query}", headers={"Accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert "Accept" in response.headers["vary"]


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "application/json;q=0",
        "text/csv;q=2",
        "text/csv;q=nan",
        "json",
        ";,/",
        "text/csv;q=0, x/*",
    ],
)
def test_what_is_not_served_is_a_problem_that_says_what_is(shared_api: ApiClient, accept: str) -> None:
    response = shared_api.get("/battles", headers={"Accept": accept})

    assert_is_problem(response, 406)
    assert "application/json, text/csv, application/x-ndjson, application/jsonl" in response.json()["detail"]


def test_several_accept_headers_count_as_one(shared_api: ApiClient) -> None:
    response = shared_api.get("/battles", headers=[("Accept", "image/png"), ("Accept", "text/csv")])

    assert response.headers["content-type"] == CSV


def test_a_format_that_is_none_is_a_wrong_parameter(shared_api: ApiClient) -> None:
    response = shared_api.get("/battles?format=xml")

    assert_is_problem(response, 422)
    assert response.json()["errors"][0]["parameter"] == "format"
    assert "'json', 'csv' or 'jsonl'" in response.json()["detail"]


@pytest.mark.parametrize("part", ["/killmails", "/participants"])
def test_an_answer_is_known_in_one_format_only(api: ApiClient, rows: Rows, part: str) -> None:
    path = f"/battles/{rows.battle()}{part}"
    for name in (99_000_001, 99_000_002, 98_000_001, 90_000_001):
        rows.name(name, "x")
    rows.ship_type(587, "Rifter")
    etags = {
        format_: api.get(path, params={"format": format_}).headers["etag"]
        for format_ in ("json", "csv", "jsonl")
    }

    assert len(set(etags.values())) == 3
    for format_ in etags:
        for named, etag in etags.items():
            again = api.get(path, params={"format": format_}, headers={"If-None-Match": etag})
            assert again.status_code == (304 if named == format_ else 200)
            assert again.headers["vary"] == "Accept"
