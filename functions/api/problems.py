"""Every error as an RFC 9457 problem: one shape, one place that makes it.

A problem says which kind of error it is (`type`, for programs), what it means in general (`title`) and what was the
matter with this request (`detail`). An error nobody foresaw is logged once, and tells the caller nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from battlescope.errors import BattleScopeError, DatabaseError, MigrationError
from battlescope.telemetry import logger

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""When to come again after a 503: a connection is tried anew at every request, so soon."""

_INPUT_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URI that names the kind."""
        return f"urn:battlescope:problem:{self.name}"


NOT_FOUND = Kind("not-found", 404, "There is nothing here")
GONE = Kind("gone", 410, "What was here is not kept any more")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This API only reads")
NOT_ACCEPTABLE = Kind("not-acceptable", 406, "This is not served in a format that is accepted")
INVALID_PARAMETER = Kind("invalid-parameter", 422, "A parameter is wrong")
TOO_MANY_REQUESTS = Kind("too-many-requests", 429, "There were too many requests")
NO_STREAMS = Kind("no-streams", 501, "This API cannot stream here")
TOO_MANY_STREAMS = Kind("too-many-streams", 503, "Too many streams are open")
INTERNAL_ERROR = Kind("internal-error", 500, "Something went wrong here")
DATABASE_AWAY = Kind("database-away", 503, "The database is away")
QUERY_TIMEOUT = Kind("query-timeout", 503, "The database took too long")
OVERLOADED = Kind("overloaded", 503, "There is more to do than can be done")
SCHEMA_BEHIND = Kind("schema-behind", 503, "The database has to be migrated")

KINDS = (
    NOT_FOUND,
    GONE,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    INVALID_PARAMETER,
    TOO_MANY_REQUESTS,
    NO_STREAMS,
    TOO_MANY_STREAMS,
    INTERNAL_ERROR,
    DATABASE_AWAY,
    QUERY_TIMEOUT,
    OVERLOADED,
    SCHEMA_BEHIND,
)


class ParameterProblem(BaseModel):
    """One parameter that is wrong."""

    parameter: str = Field(description="Its name.", examples=["until"])
    location: str = Field(description="Where it stands: `query` or `path`.", examples=["query"])
    detail: str = Field(description="What is wrong with it.", examples=["must be later than `since`"])


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": NOT_FOUND.type,
                "title": NOT_FOUND.title,
                "status": NOT_FOUND.status,
                "detail": "no battle has the id 6f0f6f0e-3b1c-5d0c-9d57-4a7a0e1f2b3c",
            }
        }
    )

    type: str = Field(
        description=f"Names the kind of problem: one of {', '.join(f'`{kind.type}`' for kind in KINDS)}."
    )
    title: str = Field(description="What the kind of problem means.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was the matter with this request.")
    errors: list[ParameterProblem] | None = Field(
        default=None, description="With status 422: each parameter that is wrong, and why."
    )
    zkb_url: str | None = Field(
        default=None, description="With status 410: the page of the battle's first killmail at zKillboard."
    )


class ProblemError(BattleScopeError):
    """A request that ends in a problem."""

    def __init__(
        self, kind: Kind, detail: str, errors: Iterable[ParameterProblem] = (), zkb_url: str | None = None
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.zkb_url = zkb_url


class QueryTimeoutError(DatabaseError):
    """A statement took longer than QUERY_TIMEOUT_S."""


class ConnectionsBusyError(DatabaseError):
    """Every connection served others for as long as a request waits."""


def not_found(detail: str) -> ProblemError:
    """What the path names does not exist."""
    return ProblemError(NOT_FOUND, detail)


def gone(detail: str, zkb_url: str) -> ProblemError:
    """What the path names was here, and is to be had at zKillboard only."""
    return ProblemError(GONE, detail, zkb_url=zkb_url)


def invalid_parameter(parameter: str, detail: str, location: str = "query") -> ProblemError:
    """One parameter is wrong."""
    return _invalid([ParameterProblem(parameter=parameter, location=location, detail=detail)])


def problem_response(
    kind: Kind,
    detail: str,
    *,
    errors: list[ParameterProblem] | None = None,
    zkb_url: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response."""
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=errors or None,
        zkb_url=zkb_url,
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=kind.status,
        headers={
            "Cache-Control": "no-store",
            **({"Retry-After": str(RETRY_AFTER_S)} if kind.status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
            **(headers or {}),
        },
        media_type=MEDIA_TYPE,
    )


def unexpected(request_path: str) -> Response:
    """The answer to an error nobody foresaw, logged with its traceback; call it while handling the exception."""
    logger.exception("a request failed", extra={"path": request_path})
    return problem_response(INTERNAL_ERROR, "the error was logged; it is not the fault of the request")


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every error it foresees with a problem; `middleware.UnexpectedErrors` does the rest."""
    # Async although they wait for nothing: Starlette runs other handlers in a thread.
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(DatabaseError, _on_database_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - Starlette dispatches by type
    return problem_response(error.kind, error.detail, errors=error.errors, zkb_url=error.zkb_url)


async def _on_database_error(request: Request, error: Exception) -> Response:
    logger.warning("the database failed", extra={"path": request.scope["path"], "reason": str(error)})
    if isinstance(error, MigrationError):
        return problem_response(SCHEMA_BEHIND, "the database is not migrated to what this version needs")
    if isinstance(error, QueryTimeoutError):
        return problem_response(
            QUERY_TIMEOUT, "the answer took too long to find; narrow the filters or try later"
        )
    if isinstance(error, ConnectionsBusyError):
        return problem_response(OVERLOADED, "the database is busy with other requests; try again soon")
    return problem_response(DATABASE_AWAY, "the database does not answer; try again soon")


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette dispatches by type
    invalid = _invalid([_parameter_problem(each) for each in error.errors()])
    return problem_response(invalid.kind, invalid.detail, errors=invalid.errors)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette dispatches by type
    if error.status_code == NOT_FOUND.status:
        return problem_response(
            NOT_FOUND, f"there is no {request.scope['path'][:_INPUT_SHOWN]}; see /openapi.json"
        )
    if error.status_code == METHOD_NOT_ALLOWED.status:
        return problem_response(
            METHOD_NOT_ALLOWED,
            f"{request.method[:_INPUT_SHOWN]} is not possible here",
            headers={"Allow": "GET, HEAD"},
        )
    status = HTTPStatus(error.status_code)
    kind = Kind(status.phrase.lower().replace(" ", "-"), status, status.phrase)
    return problem_response(kind, error.detail, headers=error.headers)


def _invalid(errors: list[ParameterProblem]) -> ProblemError:
    return ProblemError(
        INVALID_PARAMETER, "; ".join(f"{error.parameter}: {error.detail}" for error in errors), errors
    )


def _parameter_problem(error: Mapping[str, Any]) -> ParameterProblem:
    location, *path = map(str, error["loc"])
    if error["type"] == "extra_forbidden":
        detail = "there is no such parameter here"
    else:
        shown = repr(error["input"])[:_INPUT_SHOWN]
        detail = f"{error['msg'].removeprefix('Value error, ')}; it was {shown}"
    return ParameterProblem(parameter=".".join(path)[:_INPUT_SHOWN], location=location, detail=detail)
