"""Databases of many battles, made from simulated killmails by the bulk path, and kept for one benchmark after the other."""

import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from battlescope.database import Database, connect
from battlescope.killmail import Killmail
from battlescope.migrate import migrate
from battlescope.static import load_into
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.new_eden import START, hours
from battlescope_local.ports import free_port
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds.simulated import killmail_of
from ingest.history.importing import chunks

FIRST_HOUR = START // 3600
HOURS_A_PIECE = 24


class Built(NamedTuple):
    """A database of battles.

    Attributes:
        url: of the database.
        battles: how many it holds.
        files: where its tables and indexes lie.
    """

    url: str
    battles: int
    files: Path


@contextmanager
def built(battles: int, folder: Path | None = None, workers: int = 2) -> Iterator[Built]:
    """A migrated database of at least so many battles: in `folder`, where what was built before goes on; else a new one.

    PostgreSQL runs with its defaults (fsync and all).
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        server = EmbeddedPostgres(place / "postgres", port=free_port())
        server.start()
        try:
            url = server.url()
            with connect(url) as connection:
                migrate(connection)
                load_into(connection)
            held = _build(url, battles, place / "next_hour.json", workers)
            yield Built(url, held, place / "postgres" / "base")
        finally:
            server.stop()


def simulated(first: int, hours_count: int) -> Iterator[list[Killmail]]:
    """The killmails of some hours, an hour at a time; hours since 1970."""
    for _, uploads in zip(range(hours_count), hours(1, first), strict=False):
        yield list(map(killmail_of, uploads))


def count(connection: Database, table: str) -> int:
    """The rows of one of our tables."""
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 - our own tables
    assert row is not None
    return int(row[0])


def _build(url: str, battles: int, noted: Path, workers: int) -> int:
    """Simulate days until there are so many battles; how many there are."""
    hour = json.loads(noted.read_text()) if noted.exists() else FIRST_HOUR
    stored = 0
    started = time.perf_counter()
    with (
        connect(url) as connection,
        multiprocessing.get_context("spawn").Pool(workers) as pool,
    ):
        while (held := count(connection, "battles")) < battles:
            pieces = [(url, hour + HOURS_A_PIECE * number) for number in range(2 * workers)]
            stored += sum(pool.starmap(_store, pieces, chunksize=1))
            hour += HOURS_A_PIECE * len(pieces)
            noted.write_text(json.dumps(hour))
        if stored:
            took_s = time.perf_counter() - started
            print(
                f"built: {held:,} battles, {stored / took_s:,.0f} killmails/s, simulation included",
                flush=True,
            )
    return held


def _store(url: str, hour: int) -> int:
    """Simulate a piece and store it."""
    killmails = {one.killmail_id: one for some in simulated(hour, HOURS_A_PIECE) for one in some}
    with connect(url) as connection:
        for chunk in chunks(killmails.values()):
            cluster(connection, chunk, Rules())
    return len(killmails)
