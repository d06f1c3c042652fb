"""A part waits for its schema: `battlescope migrate --wait`."""

import uuid
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from battlescope.database import connect
from battlescope.migrate import migrate
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.schema import wait_for_schema


@pytest.fixture
def unmigrated_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"unmigrated_{uuid.uuid4().hex}"
    yield postgres.url(name)
    with connect(postgres.url("postgres")) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def waiting(url: str, stop: Event) -> tuple[Thread, list[bool]]:
    answers: list[bool] = []
    thread = Thread(target=lambda: answers.append(wait_for_schema(url, stop)))
    thread.start()
    return thread, answers


def test_a_database_that_is_not_there_yet_is_waited_for_and_so_is_its_schema(
    unmigrated_url: str, postgres: EmbeddedPostgres
) -> None:
    thread, answers = waiting(unmigrated_url, Event())
    thread.join(1.5)
    assert thread.is_alive()
    with connect(postgres.url("postgres")) as admin:
        admin.execute(f'CREATE DATABASE "{unmigrated_url.rpartition("/")[2]}"')
    thread.join(1.5)
    assert thread.is_alive()
    with connect(unmigrated_url) as database:
        migrate(database)
    thread.join(10)
    assert answers == [True]


def test_a_newer_schema_is_fine(db_url: str) -> None:
    with connect(db_url) as database:
        database.execute("INSERT INTO schema_migrations (version, name, digest) VALUES (9999, 'later', 'x')")
    assert wait_for_schema(db_url, Event()) is True


def test_a_stop_ends_the_wait(unmigrated_url: str) -> None:
    stop = Event()
    thread, answers = waiting(unmigrated_url, stop)
    stop.set()
    thread.join(10)
    assert answers == [False]
