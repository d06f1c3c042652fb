"""The migrate handler, invoked by hand and as CloudFormation invokes a custom resource."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any

import pytest

from battlescope.database import connect
from battlescope.errors import DatabaseError
from battlescope.migrate import current_version, newest_version
from battlescope.runtime.context import Context
from battlescope_local.embedded_postgres import EmbeddedPostgres
from migrate.handler import handler


class AnswersServer(ThreadingHTTPServer):
    """Where CloudFormation wants its answers."""

    def __init__(self) -> None:
        self.answers: list[tuple[str | None, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _Put)


class _Put(BaseHTTPRequestHandler):
    server: AnswersServer

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.answers.append((self.headers["Content-Type"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Answers are kept in `AnswersServer.answers`."""


@pytest.fixture
def cloudformation() -> Iterator[AnswersServer]:
    with AnswersServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def empty_db_url(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "test_migrate_handler"
    with connect(postgres.url("postgres")) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    monkeypatch.setenv("DB_URL", postgres.url(name))
    yield postgres.url(name)
    with connect(postgres.url("postgres")) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    return handler(event, Context("migrate", 60, Event()))


def custom_resource(server: AnswersServer, kind: str) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": f"http://127.0.0.1:{server.server_address[1]}/answer",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/battlescope/1",
        "RequestId": "5ab3",
        "LogicalResourceId": "Schema",
        "ResourceType": "Custom::Schema",
        "ResourceProperties": {"Layer": "arn:aws:lambda:eu-west-1:123456789012:layer:common:7"},
    }


def version(db_url: str) -> int:
    with connect(db_url) as connection:
        return current_version(connection)


def test_by_hand_and_again(empty_db_url: str) -> None:
    first = invoke({})
    assert len(first["applied"]) == newest_version()
    assert sorted(first["loaded"]) == ["regions", "ship_types", "solar_systems"]
    assert version(empty_db_url) == newest_version()
    assert invoke({}) == {"applied": [], "loaded": []}


def test_cloudformation_is_answered(empty_db_url: str, cloudformation: AnswersServer) -> None:
    for kind in ("Create", "Update"):
        invoke(custom_resource(cloudformation, kind))
    assert version(empty_db_url) == newest_version()
    assert (
        cloudformation.answers
        == [
            (
                "",
                {
                    "Status": "SUCCESS",
                    "Reason": "",
                    "PhysicalResourceId": "battlescope-schema",
                    "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/battlescope/1",
                    "RequestId": "5ab3",
                    "LogicalResourceId": "Schema",
                },
            )
        ]
        * 2
    )


def test_deleting_the_resource_leaves_the_database_alone(
    empty_db_url: str, cloudformation: AnswersServer
) -> None:
    invoke(custom_resource(cloudformation, "Delete"))
    assert cloudformation.answers[0][1]["Status"] == "SUCCESS"
    assert version(empty_db_url) == 0


def test_a_failure_is_answered_with_its_reason_and_fails_the_invocation(
    cloudformation: AnswersServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_URL", "postgresql://battlescope:hunter2@127.0.0.1:1/none")
    with pytest.raises(DatabaseError):
        invoke(custom_resource(cloudformation, "Update"))
    answer = cloudformation.answers[0][1]
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("no connection to the database DB_URL names")
    assert "hunter2" not in answer["Reason"]
