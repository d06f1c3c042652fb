"""The API's description: what FastAPI knows of the endpoints, with problems, headers and examples on each.

`openapi.json` in the repository is `rendered()`; a test compares the two.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from api.app import ROUTERS
from api.examples import ANSWERS, TABLES
from api.formats import EVENT_STREAM, EXPORTED, JSON
from api.problems import (
    DATABASE_AWAY,
    GONE,
    INTERNAL_ERROR,
    INVALID_PARAMETER,
    MEDIA_TYPE,
    NO_STREAMS,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    RETRY_AFTER_S,
    TOO_MANY_REQUESTS,
    Kind,
    Problem,
)
from api.tables import Table, written
from battlescope import __version__

_DESCRIPTION = """\
Battles in EVE Online, found in the public killmail feed.

- **Times** are UTC, ISO 8601 with a `Z`. **ISK** is whole ISK. Every id has its name beside it; while a name is not
  known, its number stands in its place.
- **Affiliations** are those on the killmails, whatever became of a character since.
- **Lists** answer `{"items": [...], "next": ...}` and, where they go on, a `Link` header with `rel="next"`. A cursor
  belongs to its filters and can be kept as long as you like. What was never seen has an empty list.
- **Ids of battles resolve for ever**: when battles merge, the old id redirects (308) to the battle that has its first
  kill now; where that kill is in no battle any more, to the kill (307); where it is older than is kept, a problem
  (410) names its page at zKillboard.
- **Errors** are RFC 9457 problems (`application/problem+json`); a parameter that is unknown, wrong or given twice is
  one (422). Only GET and HEAD are possible, everything else is a 405.
- **Files**: lists of battles, and a battle's killmails and participants, are CSV or JSON lines where `format` or `Accept`
  says so: whole, and streamed where they are long; a page with a `Link` to the next where `limit` is set or the API runs
  in AWS Lambda. A stream that breaks off has no proper end. In CSV a name that a spreadsheet would take for a formula has
  an apostrophe before it.
- **Rates**: where a client asks too often, a problem (429) says in `Retry-After` when to come again.
- **Conditional requests**: send an answer's `ETag` as `If-None-Match`, and 304 says that nothing has changed.
"""

_TAGS = [
    {"name": "battles", "description": "Battles, and who and what was in them."},
    {"name": "killmails", "description": "References to killmails."},
    {"name": "entities", "description": "Alliances, corporations, characters and solar systems."},
    {"name": "changes", "description": "What became of battles, so that nothing is missed."},
    {"name": "service", "description": "The API itself."},
]

_HEADERS = {
    "ETag": {"description": "Names this answer; for `If-None-Match`.", "schema": {"type": "string"}},
    "Cache-Control": {
        "description": "How long the answer may be kept: longer, the less likely a change is.",
        "schema": {"type": "string"},
    },
    "Link": {"description": 'The next page, as `rel="next"`.', "schema": {"type": "string"}},
    "Content-Disposition": {"description": "The file's name.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is now.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds until another try makes sense.", "schema": {"type": "integer"}},
}

_PROBLEM_RESPONSES = {
    "NotFound": (
        NOT_FOUND,
        "What the path names does not exist.",
        "no battle has the id 6f0f6f0e-3b1c-5d0c-9d57-…",
    ),
    "Gone": (
        GONE,
        "The battle is older than is kept here; `zkb_url` is its first killmail's page at zKillboard.",
        "it is older than is kept here; its first killmail is at https://zkillboard.com/kill/96000001/",
    ),
    "NotAcceptable": (
        NOT_ACCEPTABLE,
        "Nothing that `Accept` names is served here.",
        "Accept: image/png names nothing that is served here; that is application/json",
    ),
    "InvalidParameter": (
        INVALID_PARAMETER,
        "A parameter is wrong, unknown or given twice; `errors` says which and why.",
        "until: must be later than `since`; it was '2021-11-27'",
    ),
    "TooManyRequests": (
        TOO_MANY_REQUESTS,
        "This client asks too often; `Retry-After` says when to come again.",
        "this client asks too often; come again in 12 s",
    ),
    "InternalError": (
        INTERNAL_ERROR,
        "A fault of the API.",
        "the error was logged; it is not the fault of the request",
    ),
    "Unavailable": (
        DATABASE_AWAY,
        "The database is away, too slow or not migrated.",
        "the database does not answer; try again soon",
    ),
}

_ALWAYS = ("InvalidParameter", "InternalError", "NotAcceptable")
_NOT_LIMITED = ("get_health",)
_READS_DATABASE = ("Unavailable",)
_NAMES_ONE_THING = (
    "get_alliance",
    "get_battle",
    "get_battle_composition",
    "get_battle_timeline",
    "get_battle_top",
    "get_character",
    "get_corporation",
    "get_killmail",
    "get_system",
    "list_battle_killmails",
    "list_battle_participants",
)
_IS_KEPT_SO_LONG = tuple(
    operation for operation in _NAMES_ONE_THING if operation.startswith(("get_battle", "list_battle_"))
)
_NEEDS_NO_DATABASE = ("get_openapi",)
_NOT_CONDITIONAL = ("get_events", "get_health", "get_openapi")


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    routes = [route for router in ROUTERS for route in router.routes]
    described = get_openapi(
        title="BattleScope",
        version=__version__,
        description=_DESCRIPTION,
        routes=routes,
        tags=_TAGS,
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    shapes, schemas = _schemas()
    names = {route.path_format: route.name for route in routes if isinstance(route, APIRoute)}
    for path, item in described["paths"].items():
        for operation in item.values():
            _complete(operation, names[path], shapes)
    described["components"] = {
        "schemas": schemas,
        "headers": _HEADERS,
        "responses": {
            name: _problem_response(kind, description, detail)
            for name, (kind, description, detail) in _PROBLEM_RESPONSES.items()
        },
    }
    return described


@cache
def rendered() -> str:
    """The document as the text of `openapi.json`."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _schemas() -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The schema of each operation's answer, and the schemas that those refer to."""
    shapes: dict[str, TypeAdapter[Any]] = {name: shape for name, (shape, _) in ANSWERS.items()}
    shapes["problem"] = TypeAdapter(Problem)
    by_shape, definitions = TypeAdapter.json_schemas(
        [(name, "serialization", shape) for name, shape in shapes.items()],
        ref_template="#/components/schemas/{model}",
    )
    return {name: schema for (name, _), schema in by_shape.items()}, definitions["$defs"]


def _complete(operation: dict[str, Any], name: str, shapes: dict[str, dict[str, Any]]) -> None:
    operation["operationId"] = name
    operation["summary"] = operation["description"].partition("\n")[0].rstrip(".")
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])
    responses = operation["responses"]
    responses["200"]["description"] = "The answer."
    content: dict[str, Any] = {"schema": {"type": "object"}}
    if name in ANSWERS:
        shape, example = ANSWERS[name]
        content = {"schema": shapes[name], "example": shape.dump_python(example, mode="json")}
    responses["200"]["content"] = {JSON: content}
    if name in TABLES:
        responses["200"]["content"] |= _files(*TABLES[name])
        responses["200"]["headers"] = {"Content-Disposition": _reference("headers", "Content-Disposition")}
    if name == "get_events":
        responses["200"]["content"] = {EVENT_STREAM: {"schema": {"type": "string"}}}
        responses["501"] = _problem_response(
            NO_STREAMS, "The API runs where it cannot stream.", "this API cannot stream; ask /changes instead"
        )
    if name not in _NOT_CONDITIONAL:
        responses["304"] = {"description": "The client has this answer already (`If-None-Match`)."}
        headers = [
            "ETag",
            "Cache-Control",
            *(["Link"] if name.startswith("list_") or name == "get_changes" else []),
        ]
        responses["200"].setdefault("headers", {}).update(
            {header: _reference("headers", header) for header in headers}
        )
    for redirect in ("307", "308"):
        if redirect in responses:
            responses[redirect]["headers"] = {"Location": _reference("headers", "Location")}
    for problem in _problems_of(name):
        responses[str(_PROBLEM_RESPONSES[problem][0].status)] = _reference("responses", problem)


def _files(table: Table[Any], example: Any) -> dict[str, Any]:
    """A list as CSV and as JSON lines."""
    return {
        served.media_type: {
            "schema": {"type": "string"},
            "example": written(table, served.format, [example], with_header=True).decode(),
        }
        for served in EXPORTED
        if served.format != "json"
    }


def _problems_of(name: str) -> Iterator[str]:
    yield from _ALWAYS
    if name not in _NOT_LIMITED:
        yield "TooManyRequests"
    if name not in _NEEDS_NO_DATABASE:
        yield from _READS_DATABASE
    if name in _NAMES_ONE_THING:
        yield "NotFound"
    if name in _IS_KEPT_SO_LONG:
        yield "Gone"


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """An optional parameter is absent or has a value; it is never null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **rest}


def _problem_response(kind: Kind, description: str, detail: str) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }
    response: dict[str, Any] = {"description": description}
    if kind is INVALID_PARAMETER:
        parameter, _, reason = detail.partition(": ")
        example["errors"] = [{"parameter": parameter, "location": "query", "detail": reason}]
    if kind is GONE:
        example["zkb_url"] = detail.rpartition(" ")[2]
    if kind in {DATABASE_AWAY, TOO_MANY_REQUESTS}:
        response["headers"] = {"Retry-After": _reference("headers", "Retry-After")}
    if kind is DATABASE_AWAY:
        response["description"] += f" `Retry-After` is {RETRY_AFTER_S} s."
    response["content"] = {MEDIA_TYPE: {"schema": _reference("schemas", "Problem"), "example": example}}
    return response


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
