from concurrent.futures import ThreadPoolExecutor

import pytest

from battlescope.database import connect
from battlescope.errors import MigrationError
from battlescope.migrate import current_version, migrate, newest_version, shipped
from battlescope_local.embedded_postgres import EmbeddedPostgres


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> str:
    with connect(postgres.url("postgres")) as admin:
        admin.execute("DROP DATABASE IF EXISTS empty WITH (FORCE)")
        admin.execute("CREATE DATABASE empty")
    return postgres.url("empty")


def test_migrates_from_nothing_and_then_finds_nothing_to_do(empty_url: str) -> None:
    with connect(empty_url) as database:
        assert current_version(database) == 0
        assert migrate(database) == [migration.name for migration in shipped()]
        assert migrate(database) == []
        assert current_version(database) == newest_version()


def test_parallel_migrations_apply_each_file_once(empty_url: str) -> None:
    def run(_: int) -> list[str]:
        with connect(empty_url) as database:
            return migrate(database)

    with ThreadPoolExecutor(4) as threads:
        applied = [name for names in threads.map(run, range(4)) for name in names]
    assert sorted(applied) == [migration.name for migration in shipped()]


def test_refuses_a_database_of_a_newer_version(empty_url: str) -> None:
    with connect(empty_url) as database:
        migrate(database)
        database.execute("INSERT INTO schema_migrations (version, name, digest) VALUES (9999, 'later', 'x')")
        with pytest.raises(MigrationError, match="schema version 9999"):
            migrate(database)


def test_refuses_a_file_that_changed_after_it_was_applied(empty_url: str) -> None:
    with connect(empty_url) as database:
        migrate(database)
        database.execute("UPDATE schema_migrations SET digest = 'x' WHERE version = 1")
        with pytest.raises(MigrationError, match="0001_battles was changed"):
            migrate(database)
