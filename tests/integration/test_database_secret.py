"""DB_URL as the ARN of a secret (moto), and a real PostgreSQL behind it."""

import json
from collections.abc import Iterator

import boto3
import pytest
from psycopg.conninfo import conninfo_to_dict

from battlescope import database_secret
from battlescope.database import connect
from battlescope.errors import DatabaseError
from battlescope.settings import HandlerSettings, load

PASSWORD = "p@ss/w:rd?"  # noqa: S105 - no one's
pytestmark = pytest.mark.usefixtures("in_process_sqs")


@pytest.fixture(autouse=True)
def _nothing_read() -> Iterator[None]:
    database_secret._read.clear()
    yield
    database_secret._read.clear()


def secret(text: str) -> str:
    client = boto3.client("secretsmanager", region_name="eu-west-1")
    return str(client.create_secret(Name="battlescope", SecretString=text)["ARN"])


def as_rds_writes_it(db_url: str, **changes: object) -> str:
    parts = conninfo_to_dict(db_url)
    return json.dumps(
        {
            "engine": "postgres",
            "dbInstanceIdentifier": "battlescope",
            "username": parts["user"],
            "password": PASSWORD,
            "host": parts["host"],
            "port": int(str(parts["port"])),
            "dbname": parts["dbname"],
            **changes,
        }
    )


def name_of_database(db_url: str) -> object:
    with connect(db_url) as connection:
        row = connection.execute("SELECT current_database()").fetchone()
        return row[0] if row else None


def test_a_secret_that_holds_a_url(db_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_URL", secret(db_url))
    assert name_of_database(load(HandlerSettings).db_url) == db_url.rpartition("/")[2]


def test_a_secret_that_was_typed_ends_a_line(db_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_URL", secret(f"{db_url}\n"))
    assert name_of_database(load(HandlerSettings).db_url) == db_url.rpartition("/")[2]


def test_a_secret_as_rds_writes_it_and_what_the_arn_overrules(db_url: str) -> None:
    arn = secret(as_rds_writes_it(db_url, host="192.0.2.1"))
    # the embedded server has no TLS
    assert name_of_database(f"{arn}?host=127.0.0.1&sslmode=disable") == db_url.rpartition("/")[2]


def test_rds_is_not_spoken_to_without_tls(db_url: str) -> None:
    resolved = database_secret.resolve(secret(as_rds_writes_it(db_url)))
    assert conninfo_to_dict(resolved)["sslmode"] == "require"
    assert conninfo_to_dict(resolved)["password"] == PASSWORD


def test_a_secret_that_was_rotated_is_read_again(db_url: str) -> None:
    arn = secret(db_url)
    assert name_of_database(arn)
    stale = db_url.rpartition("/")[0] + "/gone"
    database_secret._read[arn] = stale
    assert name_of_database(arn) == db_url.rpartition("/")[2]


def test_a_database_that_is_away_is_an_error_and_tells_no_password(db_url: str) -> None:
    arn = secret(as_rds_writes_it(db_url, port=1, password="hunter2"))  # noqa: S106 - no one's
    with pytest.raises(DatabaseError, match="no connection to the database DB_URL names") as caught:
        connect(arn)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["hunter2", '{"username": "me", "password": "hunter2"}', "[]"])
def test_a_secret_that_holds_something_else(text: str) -> None:
    with pytest.raises(DatabaseError, match="must hold a postgresql:// URL, or JSON with username") as caught:
        connect(secret(text))
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_not_there() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:absent-AbCdEf"
    with pytest.raises(DatabaseError, match=r"secret:absent-AbCdEf that DB_URL names cannot be read"):
        connect(arn)
