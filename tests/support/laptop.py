"""`battlescope` as a person runs it: a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from battlescope.database import connect
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.ports import free_port
from tests.support.dump import fingerprint, stored_digest

OURS = (
    "DB_URL",
    "READER_DB_URL",
    "QUEUE_URL",
    "DEAD_LETTER_QUEUE_URL",
    "FEED",
    "ZKB_USERAGENT",
    "AWS_ENDPOINT_URL_SQS",
    "R2Z2_URL",
)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings that would reach through."""
    return {name: value for name, value in os.environ.items() if name not in OURS} | dict(extra or {})


def run(
    *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 120, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "battlescope_local.cli", *arguments],
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        input=stdin,
    )


@contextmanager
def running(
    *arguments: str, env: Mapping[str, str] | None = None, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs until the block ends; then it is stopped as Ctrl-C would."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "battlescope_local.cli", *arguments],
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def opened(data_dir: Path) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The database that `up` left in its data directory."""
    postgres = EmbeddedPostgres(data_dir / "postgres", port=free_port())
    postgres.start()
    try:
        with connect(postgres.url()) as connection:
            yield connection
    finally:
        postgres.stop()


def digest_of(data_dir: Path) -> str:
    """The digest of the battles in a data directory."""
    with opened(data_dir) as connection:
        return stored_digest(connection)


def fingerprint_of(data_dir: Path) -> dict[str, str]:
    """The fingerprint of a data directory's database."""
    with opened(data_dir) as connection:
        return fingerprint(connection)


def engine_digest(archives: Sequence[Path], env: Mapping[str, str] | None = None) -> str:
    """What the engine alone says of these archives."""
    arguments = [part for path in archives for part in ("--archive", str(path))]
    done = run("cluster", *arguments, "--digest", env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1].rpartition("digest=")[2]
