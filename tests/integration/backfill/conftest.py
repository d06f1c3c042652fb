"""Sources of whole days, and the command."""

import io
from collections.abc import Iterator
from threading import Event

import pytest
from rich.console import Console

from battlescope_local.backfill import backfill
from ingest.history.days import Span
from tests.integration.backfill.days import KILLMAILS, SPAN, Run
from tests.support.feeds_server import FeedsServer


@pytest.fixture
def server() -> Iterator[FeedsServer]:
    with FeedsServer() as running:
        for killmail in KILLMAILS:
            running.archive(killmail)
        yield running


@pytest.fixture
def run(db_url: str, server: FeedsServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command; its exit code and what it printed."""
    for name, value in {
        "DB_URL": db_url,
        "ZKB_USERAGENT": "battlescope-tests/1 (contact: nobody@example.org)",
        "EVEREF_URL": server.url,
        "R2Z2_URL": server.url,
        "ESI_URL": server.url,
        "HISTORY_REQUESTS_PER_SECOND": "10",
        "HISTORY_WAIT_MAX_S": "2",
        "HISTORY_RECHECK_HOURS": "0",
    }.items():
        monkeypatch.setenv(name, value)

    def command(span: str = SPAN, *, stop: Event | None = None, **options: object) -> tuple[int, str]:
        printed = io.StringIO()
        chosen = {"folder": None, "force": False} | options
        code = backfill(
            Span.parse(span),
            stop=stop or Event(),
            console=Console(file=printed),
            **chosen,  # type: ignore[arg-type]
        )
        return code, printed.getvalue()

    return command
