"""Errors as pages: the API's problems, in words for people."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from api import problems
from api.middleware import UnexpectedErrors, refusal
from api.pages.rendering import page
from battlescope.errors import DatabaseError

_KEPT_HEADERS = ("allow", "cache-control", "retry-after")


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every error with a page that has the problem's status."""
    problems.add_handlers(app)
    app.add_middleware(UnexpectedErrors, answer=_unexpected)
    for error in (problems.ProblemError, DatabaseError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, _as_page(app.exception_handlers[error]))


def error_page(request: Request, problem: Response) -> Response:
    """A problem as a page."""
    said = problems.Problem.model_validate_json(bytes(problem.body))
    headers = {name: problem.headers[name] for name in _KEPT_HEADERS if name in problem.headers}
    cache_control = headers.pop("cache-control")
    return page(
        request, "error.html", cache_control, status=problem.status_code, headers=headers, problem=said
    )


def refusal_page(scope: Scope, wait_s: int) -> Response:
    """What a browser is shown whose address asks too often."""
    return error_page(Request(scope), refusal(scope, wait_s))


def overload_page(scope: Scope) -> Response:
    """What a browser is shown for whose request there is no room."""
    from api.shedding import overloaded  # noqa: PLC0415 - Lambda sheds by itself

    return error_page(Request(scope), overloaded(scope))


def _unexpected(scope: Scope) -> Response:
    return error_page(Request(scope), problems.unexpected(scope["path"]))


def _as_page(handler: Any) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return error_page(request, await handler(request, error))

    return answer
