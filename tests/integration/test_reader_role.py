"""The API's own login: made by a migration, able to read, and unable to do anything else."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import boto3
import psycopg
import pytest

from battlescope import database_secret
from battlescope.database import Database, connect
from battlescope.errors import DatabaseError, MigrationError
from battlescope.migrate import migrate
from battlescope.reader_role import let_read
from battlescope.runtime.context import Context
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.ports import free_port
from migrate.handler import handler
from tests.conftest import as_reader


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server that asks everybody but the owner for a password."""
    folder = tmp_path_factory.mktemp("guarded")
    rules = folder / "pg_hba.conf"
    rules.write_text(
        "host all battlescope 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        "host all all ::1/128 scram-sha-256\nlocal all all trust\n"
    )
    server = EmbeddedPostgres(
        folder / "data", port=free_port(), settings={"fsync": "off", "hba_file": str(rules)}
    )
    server.start()
    with connect(server.url()) as owner:
        migrate(owner)
    yield server
    server.stop()


@pytest.fixture
def owner(guarded: EmbeddedPostgres) -> Iterator[Database]:
    with connect(guarded.url()) as connection:
        yield connection
        for (role,) in connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'reader%'"
        ).fetchall():
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def login(server: EmbeddedPostgres, password: str, role: str = "reader") -> str:
    return server.url(user=f"{role}:{password}")


def test_the_role_is_made_and_may_read_and_nothing_else(owner: Database, guarded: EmbeddedPostgres) -> None:
    url = login(guarded, "p%40ss'word")
    let_read(owner, url)
    let_read(owner, url)
    with connect(url) as reader:
        tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > 15
        for (table,) in tables:
            reader.execute(f"SELECT FROM {table} LIMIT 1")
            for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
                granted = reader.execute("SELECT has_table_privilege(%s, %s)", (table, privilege)).fetchone()
                assert granted == (False,), (table, privilege)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("CREATE TABLE mine ()")
    attributes = owner.execute(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'reader'"
    ).fetchone()
    assert attributes == (False,) * 5


def test_it_may_read_the_tables_of_later_migrations(owner: Database, guarded: EmbeddedPostgres) -> None:
    let_read(owner, login(guarded, "one"))
    owner.execute("CREATE TABLE later (id bigint)")
    try:
        with connect(login(guarded, "one")) as reader:
            reader.execute("SELECT FROM later")
    finally:
        owner.execute("DROP TABLE later")


def test_a_password_is_set_where_the_login_is_refused_and_only_there(
    owner: Database, guarded: EmbeddedPostgres
) -> None:
    def stored() -> object:
        return owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'reader'").fetchone()

    let_read(owner, login(guarded, "one"))
    first = stored()
    let_read(owner, login(guarded, "one"))
    assert stored() == first
    let_read(owner, login(guarded, "two"))
    with pytest.raises(DatabaseError):
        connect(login(guarded, "one"))
    connect(login(guarded, "two")).close()


def test_a_password_is_in_no_statement(owner: Database, guarded: EmbeddedPostgres) -> None:
    owner.execute("SET log_statement = 'all'")
    let_read(owner, login(guarded, "hunter2"))
    told = guarded.log_path.read_text()
    assert "ALTER ROLE" in told
    assert "hunter2" not in told


def test_who_may_write_is_refused_and_keeps_what_it_may(owner: Database, guarded: EmbeddedPostgres) -> None:
    with pytest.raises(MigrationError, match="names battlescope, which may write"):
        let_read(owner, guarded.url())
    owner.execute("CREATE ROLE reader_writing LOGIN; GRANT INSERT ON killmails TO reader_writing")
    with pytest.raises(MigrationError, match="names reader_writing, which may write"):
        let_read(owner, login(guarded, "x", "reader_writing"))
    super_ = owner.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'battlescope'").fetchone()
    assert super_ == (True,)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://127.0.0.1/battlescope", "names no user"),
        ("postgresql://reader:x@127.0.0.1:1/battlescope", "cannot log in: no connection"),
    ],
)
def test_what_is_wrong_is_told_without_a_password(owner: Database, url: str, said: str) -> None:
    with pytest.raises(MigrationError, match=said) as caught:
        let_read(owner, url.replace(":x@", ":hunter2@"))
    assert "hunter2" not in str(caught.value)


def test_an_owner_who_may_make_no_roles_is_told(owner: Database, guarded: EmbeddedPostgres) -> None:
    owner.execute("CREATE ROLE reader_weak LOGIN PASSWORD 'x'")
    with (
        connect(login(guarded, "x", "reader_weak")) as weak,
        pytest.raises(MigrationError, match="does the role that DB_URL names have CREATEROLE"),
    ):
        let_read(weak, login(guarded, "x", "reader_two"))


@pytest.mark.usefixtures("owner")
def test_migrations_beside_each_other_make_one_role(guarded: EmbeddedPostgres) -> None:
    def run(_: int) -> None:
        with connect(guarded.url()) as connection:
            let_read(connection, login(guarded, "one"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run, range(4)))
    connect(login(guarded, "one")).close()


@pytest.mark.usefixtures("in_process_sqs", "owner")
def test_the_handler_makes_the_role_that_a_secret_names(
    guarded: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_secret._read.clear()
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    text = json.dumps(
        {
            "username": "reader_rds",
            "password": "p@ss",
            "host": "127.0.0.1",
            "port": guarded.port,
            "dbname": "battlescope",
        }
    )
    arn = f"{client.create_secret(Name='reader', SecretString=text)['ARN']}?sslmode=disable"
    monkeypatch.setenv("DB_URL", guarded.url())
    monkeypatch.setenv("READER_DB_URL", arn)
    handler({}, Context("migrate", 60, Event()))
    with connect(arn) as reader:
        assert reader.execute("SELECT current_user").fetchone() == ("reader_rds",)
    database_secret._read.clear()


def test_the_tests_own_api_logs_in_as_the_reader(db_url: str) -> None:
    with connect(as_reader(db_url)) as reader:
        assert reader.execute("SELECT current_user").fetchone() == ("battlescope_reader",)
