import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from api.app import create_app
from api.snapshots import OneConnection, Snapshots
from battlescope.database import Database, connect
from battlescope.telemetry import logger
from tests.conftest import as_reader
from tests.integration.api.client import ApiClient
from tests.integration.api.conftest import FailingReader, api_settings
from tests.integration.api.rows import Rows

UUID = "6f0f6f0e-3b1c-5d0c-9d57-4a7a0e1f2b3c"


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    handler = Records()
    underlying = logging.getLogger(logger.service)
    underlying.addHandler(handler)
    yield handler.records
    underlying.removeHandler(handler)


@pytest.mark.parametrize(
    ("path", "parameter", "location", "reason"),
    [
        ("/battles?since=yesterday", "since", "query", "must be ISO 8601"),
        ("/battles?since=2021-11-28T10:00:00", "since", "query", "must be ISO 8601"),
        ("/battles?since=2021-11-28T10:00:00+00:00", "since", "query", "a + in it is written %2B"),
        ("/battles?since=0001-01-01T00:00:00%2B14:00", "since", "query", "must be ISO 8601"),
        ("/battles?until=9999-12-31", "until", "query", "must be ISO 8601"),
        ("/battles?since=2021-11-29&until=2021-11-28", "until", "query", "later than `since`"),
        ("/battles?space=hyperspace", "space", "query", "'jspace'"),
        ("/battles?limit=0", "limit", "query", "greater than or equal to 1"),
        ("/battles?limit=101", "limit", "query", "less than or equal to 100"),
        ("/battles?limit=1_0", "limit", "query", "decimal digits"),
        ("/battles?min_kills=-1", "min_kills", "query", "decimal digits"),
        (
            "/battles?alliance=9223372036854775808",
            "alliance",
            "query",
            "less than or equal to 9223372036854775807",
        ),
        ("/battles?aliance=1", "aliance", "query", "no such parameter"),
        ("/battles?alliance=1&alliance=2", "alliance", "query", "given 2 times"),
        ("/battles?against=1", "against", "query", "needs the other opponent"),
        ("/battles?against=1&alliance=1", "against", "query", "another than `alliance`"),
        ("/alliances/1/battles?against=1", "against", "query", "another than `alliance`"),
        ("/battles?security=midsec", "security", "query", "'lowsec'"),
        ("/battles?region=0", "region", "query", "greater than or equal to 1"),
        ("/battles?min_pilots=2147483648", "min_pilots", "query", "less than or equal to 2147483647"),
        ("/battles?min_isk=1e9", "min_isk", "query", "decimal digits"),
        ("/battles?live=perhaps", "live", "query", "valid boolean"),
        ("/battles?order=value", "order", "query", "'isk'"),
        ("/battles?cursor=abc", "cursor", "query", "not one that this API gave out"),
        ("/battles?cursor=", "cursor", "query", "at least 1 character"),
        ("/battles/42", "id", "path", "valid UUID"),
        (f"/battles/{UUID}?limit=3", "limit", "query", "no such parameter"),
        (f"/battles/{UUID}/killmails?limit=1001", "limit", "query", "less than or equal to 1000"),
        ("/characters/0/battles", "id", "path", "greater than or equal to 1"),
        ("/systems/Tama/battles", "id", "path", "decimal digits"),
        ("/killmails/1e3", "id", "path", "decimal digits"),
        ("/healthz?live=perhaps", "live", "query", "valid boolean"),
    ],
)
def test_a_wrong_parameter_is_named_with_the_reason(
    api: ApiClient, path: str, parameter: str, location: str, reason: str
) -> None:
    response = api.get(path)

    problem = response.json()
    (error,) = problem["errors"]
    assert response.status_code == problem["status"] == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert (error["parameter"], error["location"]) == (parameter, location)
    assert reason in error["detail"]
    assert problem["detail"] == f"{parameter}: {error['detail']}"


def test_every_wrong_parameter_is_named(api: ApiClient) -> None:
    errors = api.get("/battles?limit=0&space=x&foo=1").json()["errors"]

    assert {error["parameter"] for error in errors} == {"limit", "space", "foo"}


def test_a_path_that_is_none(api: ApiClient) -> None:
    for path in ("/battle", "/battles/", f"/battles/{UUID}/sides", "/docs"):
        response = api.get(path)
        assert response.status_code == 404
        assert response.json()["type"] == "urn:battlescope:problem:not-found"


@pytest.mark.parametrize("host", ["[", "", "a b", "x" * 300])
def test_no_host_header_breaks_anything(api: ApiClient, rows: Rows, host: str) -> None:
    rows.battle()
    rows.battle()

    page = api.get("/battles?limit=1", headers={"Host": host})

    assert page.headers["link"].startswith("</battles?limit=1&cursor=")
    assert api.get("/nothing", headers={"Host": host}).status_code == 404


def test_an_unforeseen_error_tells_nothing_and_is_logged_once(
    url: str, logged: list[logging.LogRecord]
) -> None:
    with ApiClient(create_app(FailingReader(), api_settings(url))) as api:
        response = api.get("/battles")

    assert response.status_code == 500
    assert response.json()["type"] == "urn:battlescope:problem:internal-error"
    assert "hunter2" not in response.text
    (record,) = logged
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
    assert "hunter2" in str(record.exc_info[1])


def test_a_query_that_takes_too_long_is_given_up(url: str, logged: list[logging.LogRecord]) -> None:
    connection = OneConnection(url)
    app = create_app(Snapshots(connection, query_timeout_s=0.05), api_settings(url))
    with ApiClient(app) as api, connect(url) as other, other.transaction():
        other.execute("LOCK TABLE battles IN ACCESS EXCLUSIVE MODE")
        response = api.get("/battles")
    connection.close()

    assert response.status_code == 503
    assert response.json()["type"] == "urn:battlescope:problem:query-timeout"
    assert response.headers["retry-after"] == "5"
    assert [record.levelname for record in logged] == ["WARNING"]


def test_the_time_limit_ends_with_the_request(url: str) -> None:
    connection = OneConnection(url)

    Snapshots(connection, query_timeout_s=0.05).read(lambda reading: reading.execute("SELECT 1"))

    # RDS Proxy hands the connection to somebody else after the transaction.
    assert connection.get().execute("SHOW statement_timeout").fetchone() == ("0",)
    connection.close()


def test_a_reader_cannot_write(url: str) -> None:
    connection = OneConnection(url)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        Snapshots(connection, query_timeout_s=5).read(lambda reading: reading.execute("DELETE FROM battles"))
    connection.close()


def test_the_apis_login_cannot_write_in_a_transaction_of_its_own_making(url: str) -> None:
    with connect(as_reader(url)) as reader:
        for statement in ("DELETE FROM battles", "CREATE TABLE mine ()", "SET ROLE battlescope"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"BEGIN READ WRITE; {statement}")
            reader.execute("ROLLBACK")


def test_a_connection_that_broke_is_replaced(url: str) -> None:
    connection = OneConnection(url)
    snapshots = Snapshots(connection, query_timeout_s=5)

    def own_process(reading: Database) -> Any:
        return reading.execute("SELECT pg_backend_pid()").fetchone()

    first = snapshots.read(own_process)
    with connect(url) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", first)
    second = snapshots.read(own_process)
    connection.close()

    assert first != second


def test_one_connection_serves_one_request_at_a_time(url: str) -> None:
    connection = OneConnection(url)
    snapshots = Snapshots(connection, query_timeout_s=5)

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda n: snapshots.read(lambda reading: reading.execute("SELECT %s", (n,)).fetchone()),
                range(40),
            )
        )
    connection.close()

    assert answers == [(n,) for n in range(40)]
