"""What holds on every path: one shape of errors, one shape of lists, and all of it described."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api import tables
from api.app import create_app
from api.openapi import document, rendered
from api.problems import KINDS, Problem
from battlescope_local.ports import free_port
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import FailingReader, api_over, api_settings
from tests.integration.api.rows import Pilot, Rows

ROOT = Path(__file__).resolve().parents[3]
OPENAPI_JSON = ROOT / "openapi.json"
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


def wrong_values(schema: dict[str, Any]) -> Iterator[str]:
    """Texts that this schema has no room for."""
    kinds = schema.get("anyOf", [schema])
    if "enum" in schema:
        yield from ("nonsense", schema["enum"][0].upper())
    elif kinds[0]["type"] == "integer":
        yield from ("x", "1.5", "1e3", "0x1", " 1", str(schema["minimum"] - 1), str(schema["maximum"] + 1))
    elif kinds[0]["type"] == "boolean":
        yield "perhaps"
    elif "format" in kinds[0]:
        yield from ("yesterday", "2021-13-01", "2021-11-28T10:00:00", "0", "20211128")
    else:
        yield from ("", "x" * (schema["maxLength"] + 1), "a\x00")


def test_every_parameter_of_every_path_is_refused_by_name_where_it_is_wrong(
    api: ApiClient, addresses: dict[str, str]
) -> None:
    for path, address in addresses.items():
        for parameter in OPERATIONS[path].get("parameters", []):
            if parameter["in"] != "query":
                continue
            for value in wrong_values(parameter["schema"]):
                response = api.get(address.partition("?")[0], params={parameter["name"]: value})

                assert_is_problem(response, 422)
                named = {error["parameter"]: error for error in response.json()["errors"]}
                assert parameter["name"] in named, (path, parameter["name"], value)
                assert named[parameter["name"]]["location"] == "query"
                assert named[parameter["name"]]["detail"]


def test_no_parameter_of_any_path_may_be_given_twice(api: ApiClient, addresses: dict[str, str]) -> None:
    for path, address in addresses.items():
        for parameter in OPERATIONS[path].get("parameters", []):
            if parameter["in"] == "query":
                name = parameter["name"]
                response = api.get(f"{address.partition('?')[0]}?{name}=1&{name}=1")
                assert_is_problem(response, 422)
                assert name in response.json()["detail"], (path, name)


def test_a_range_turned_round_is_refused_by_every_list_of_battles(
    api: ApiClient, addresses: dict[str, str]
) -> None:
    lists = [path for path in LISTS if path.endswith("battles")]
    assert len(lists) == 5
    for path in lists:
        for until in ("2021-11-27", "2021-11-28T00:00:00Z"):
            response = api.get(addresses[path], params={"since": "2021-11-28", "until": until})
            assert_is_problem(response, 422)
            assert "until: must be later than `since`" in response.json()["detail"]


def test_a_list_s_cursor_is_refused_by_every_other_list(api: ApiClient, addresses: dict[str, str]) -> None:
    cursors = {
        path: api.get(addresses[path], params={"limit": 1}).json()["next"] for path in (*LISTS, "/changes")
    }
    assert None not in cursors.values()
    for path in cursors:
        name = "after" if path == "/changes" else "cursor"
        for other, cursor in cursors.items():
            response = api.get(addresses[path], params={name: cursor})
            if path == other:
                assert response.status_code == 200
            else:
                assert_is_problem(response, 422)
                assert response.json()["errors"][0]["parameter"] == name, (path, other)


def test_every_path_refuses_to_answer_in_a_format_that_it_has_not(
    api: ApiClient, addresses: dict[str, str]
) -> None:
    for path, address in (*addresses.items(), ("/events", "/events")):
        response = api.get(address, headers={"Accept": "image/png, application/json;q=0"})
        assert_is_problem(response, 406)
        for served in OPERATIONS[path]["responses"]["200"]["content"]:
            assert served in response.json()["detail"], path


def test_every_path_says_where_the_database_is_away(addresses: dict[str, str]) -> None:
    with api_over(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing") as api:
        for path, address in addresses.items():
            response = api.get(address)
            if path == "/openapi.json":
                assert response.status_code == 200
            else:
                assert_is_problem(response, 503)
                assert response.headers["retry-after"] == "5"


def test_every_path_hides_an_error_nobody_foresaw(url: str, addresses: dict[str, str]) -> None:
    with ApiClient(create_app(FailingReader(), api_settings(url))) as api:
        for path, address in addresses.items():
            if path != "/openapi.json":
                response = api.get(address)
                assert_is_problem(response, 500)
                assert "hunter2" not in response.text


def test_every_answer_that_can_be_known_has_an_etag_and_a_lifetime(
    api: ApiClient, addresses: dict[str, str]
) -> None:
    for path, address in addresses.items():
        response = api.get(address)
        assert response.headers["cache-control"]
        if "304" in OPERATIONS[path]["responses"]:
            known = api.get(address, headers={"If-None-Match": response.headers["etag"]})
            assert (known.status_code, known.content) == (304, b""), path
            assert known.headers["cache-control"] == response.headers["cache-control"]


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
        assert response.headers["x-content-type-options"] == "nosniff"
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
        expected = {"200", "406", "422", "500"} | ({"503"} if path != "/openapi.json" else set())
        expected |= {"429"} if path != "/healthz" else set()
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


def test_every_reference_of_the_description_leads_somewhere() -> None:
    described = document()
    references = set(re.findall(r'"#/components/(\w+)/([\w-]+)"', json.dumps(described)))
    assert references
    for kind, name in references:
        assert name in described["components"][kind]


def test_every_path_and_problem_is_in_the_documents() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert set(re.findall(r"^\| `(/[^`]*)`", text, re.MULTILINE)) == set(PATHS)
    assert set(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", text, re.MULTILINE)) == {
        (kind.name, str(kind.status)) for kind in KINDS
    }


def test_every_column_of_a_file_is_in_the_documents() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    for table in (tables.BATTLES, tables.KILLMAILS, tables.PARTICIPANTS):
        assert f"`{','.join(table.columns)}`" in text


def test_the_app_serves_its_description(api: ApiClient) -> None:
    assert api.get("/openapi.json").json() == json.loads(rendered())
