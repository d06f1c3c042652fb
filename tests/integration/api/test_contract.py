"""What holds on every path: one shape of errors, one shape of lists, and all of it described."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.openapi import document, rendered
from api.problems import Problem
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import Pilot, Rows

OPENAPI_JSON = Path(__file__).resolve().parents[3] / "openapi.json"
OPERATIONS: dict[str, dict[str, Any]] = {path: item["get"] for path, item in document()["paths"].items()}
PATHS = sorted(OPERATIONS)
ANSWERED = [path for path in PATHS if path != "/events"]
"""Streams are tested where there is a server, in `test_events`."""
LISTS = [path for path in PATHS if OPERATIONS[path]["operationId"].startswith("list_")]


NEEDED = {"/search": "?q=tama"}
"""What a path cannot do without."""


@pytest.fixture
def addresses(rows: Rows) -> dict[str, str]:
    """An address that exists, for every path of the document."""
    battle_id = rows.battle(
        entities=[99_000_001, 98_000_001], pilots=[Pilot(character=90_000_001), Pilot(character=90_000_002)]
    )
    rows.battle(entities=[99_000_001, 98_000_001], pilots=[Pilot(character=90_000_001)])
    rows.day("2021-11-27", expected=17862, held=17862)
    rows.day("2021-11-28", expected=17047, held=17046)
    ids = {
        "/battles/{id}": battle_id,
        "/battles/{id}/killmails": battle_id,
        "/battles/{id}/participants": battle_id,
        "/battles/{id}/timeline": battle_id,
        "/battles/{id}/composition": battle_id,
        "/battles/{id}/top": battle_id,
        "/systems/{id}": 30002813,
        "/alliances/{id}": 99_000_001,
        "/corporations/{id}": 98_000_001,
        "/characters/{id}": 90_000_001,
        "/characters/{id}/battles": 90_000_001,
        "/corporations/{id}/battles": 98_000_001,
        "/alliances/{id}/battles": 99_000_001,
        "/systems/{id}/battles": 30002813,
        "/killmails/{id}": 96_000_001,
    }
    return {path: path.replace("{id}", str(ids.get(path))) + NEEDED.get(path, "") for path in ANSWERED}


def assert_is_problem(response: Any, status: int) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem = Problem.model_validate_json(response.content)
    assert problem.status == status
    assert problem.type.startswith("urn:battlescope:problem:")
    assert problem.detail


def test_the_committed_description_is_the_app_s() -> None:
    assert OPENAPI_JSON.read_text() == rendered(), "run `make openapi`"


def test_every_path_answers(api: ApiClient, addresses: dict[str, str]) -> None:
    for address in addresses.values():
        response = api.get(address)
        assert response.status_code == 200, address
        assert response.headers["content-type"] == "application/json"


def test_every_path_refuses_an_unknown_parameter(api: ApiClient, addresses: dict[str, str]) -> None:
    for address in addresses.values():
        response = api.get(f"{address}{'&' if '?' in address else '?'}nonsense=1")
        assert_is_problem(response, 422)
        assert response.json()["errors"][0]["parameter"] == "nonsense"


def test_every_path_only_reads(api: ApiClient, addresses: dict[str, str]) -> None:
    for address in addresses.values():
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"):
            response = api.request(method, address)
            assert_is_problem(response, 405)
            assert response.headers["allow"] == "GET, HEAD"


def test_every_path_has_a_head_without_a_body(api: ApiClient, addresses: dict[str, str]) -> None:
    for address in addresses.values():
        head, get = api.request("HEAD", address), api.get(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
        assert "etag" not in get.headers or head.headers["etag"] == get.headers["etag"]


def test_every_path_with_an_id_refuses_what_is_none(api: ApiClient) -> None:
    for path in PATHS:
        if "{id}" in path:
            assert_is_problem(api.get(path.replace("{id}", "x")), 422)


def test_every_list_has_one_shape(api: ApiClient, addresses: dict[str, str]) -> None:
    for path in LISTS:
        response = api.get(addresses[path], params={"limit": 1})
        answer = response.json()
        assert set(answer) == {"items", "next"}, path
        assert len(answer["items"]) == 1
        assert isinstance(answer["next"], str)
        assert 'rel="next"' in response.headers["link"]
        last = api.get(addresses[path], params={"limit": 100}).json()
        assert last["next"] is None


def test_every_answer_can_be_read_by_pages_of_other_origins(
    api: ApiClient, addresses: dict[str, str]
) -> None:
    for address in (*addresses.values(), "/nothing"):
        response = api.get(address, headers={"Origin": "https://example.org"})
        assert response.headers["access-control-allow-origin"] == "*"
        preflight = api.request(
            "OPTIONS",
            address,
            headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"},
        )
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-methods"] == "GET, HEAD"


def test_every_operation_is_described_with_its_problems() -> None:
    for path, operation in OPERATIONS.items():
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path
        expected = {"200", "422", "500"} | ({"503"} if path != "/openapi.json" else set())
        expected |= {"410"} if path.startswith("/battles/") else set()
        expected |= {"404"} if path.startswith(("/battles/", "/killmails/")) else set()
        assert expected <= set(operation["responses"]), path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter["name"])


def test_every_answer_is_described_with_an_example() -> None:
    for path, operation in OPERATIONS.items():
        if path in ANSWERED and path != "/openapi.json":
            content = operation["responses"]["200"]["content"]["application/json"]
            assert content["example"], path
            assert "$ref" in content["schema"], path


def test_every_field_is_described() -> None:
    for name, schema in document()["components"]["schemas"].items():
        assert schema["description"], name
        for field, about in schema["properties"].items():
            assert about.get("description") or field == "items", (name, field)


def test_the_app_serves_its_description(api: ApiClient) -> None:
    assert api.get("/openapi.json").json() == json.loads(rendered())
