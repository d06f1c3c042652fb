"""What every test can ask for: real PostgreSQL, real killmails."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from battlescope.database import Database, connect
from battlescope.migrate import migrate
from battlescope.reader_role import let_read
from battlescope_local.embedded_postgres import OWNER, READER, EmbeddedPostgres
from battlescope_local.ports import free_port

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server for this process's tests; `TEST_POSTGRES_BIN` names another version's programs."""
    bin_dir = os.environ.get("TEST_POSTGRES_BIN")
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres") / "data",
        port=free_port(),
        settings={
            "fsync": "off",
            "autovacuum": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        },
        bin_dir=Path(bin_dir) if bin_dir else None,
    )
    server.start()
    with connect(server.url("postgres")) as admin:
        admin.execute("CREATE DATABASE template_battlescope")
    with connect(server.url("template_battlescope")) as template:
        migrate(template)
        let_read(template, server.url("template_battlescope", user=READER))
    yield server
    server.stop()


@contextmanager
def made_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A migrated database, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template_battlescope')
    yield postgres.url(name)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def db_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A migrated database of the test's own."""
    with made_database(postgres) as url:
        yield url


@pytest.fixture
def database(db_url: str) -> Iterator[Database]:
    """A connection to the test's own database."""
    with connect(db_url) as connection:
        yield connection


def as_reader(db_url: str) -> str:
    """The same database, as the API logs in to it."""
    return db_url.replace(f"//{OWNER}@", f"//{READER}@")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real killmails; tests that need it are skipped where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real killmails of ../shared/data are not here")
    return REAL_DATA
