"""`battlescope up`: everything on one machine.

Starts what DB_URL and QUEUE_URL do not name, migrates, runs the parts as child processes (the commands that pods
run), watches them, and stops them in order: the poller first, the workers when they have finished what they hold,
and the database last.
"""

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from threading import Event

import psycopg
from rich.console import Console

from battlescope import __version__, settings
from battlescope.database import LazyConnection, one_line
from battlescope.errors import BattleScopeError, LaptopError, SettingsError
from battlescope.migrate import migrate
from battlescope.reader_role import let_read
from battlescope.settings import IngestSettings, MigrateSettings
from battlescope.static import load_into
from battlescope_local.data_directory import DataDirectory
from battlescope_local.display import Display
from battlescope_local.embedded_postgres import READER, EmbeddedPostgres
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.new_eden.naming import Naming
from battlescope_local.parts import STOP_TIMEOUT_S, Part, Schedule
from battlescope_local.ports import becomes_free, free_port
from battlescope_local.status import Gauge, Readings, Status, free_lease, is_leased, rewind_to_drained
from ingest.handler import open_feed

LIVE_FEEDS = frozenset({"r2z2", "redisq"})

PROBE_TIMEOUT_S = 3.0
PORT_PATIENCE_S = 8.0
"""Parts whose `up` was killed need some seconds to notice, and to finish what they hold."""

READING_EVERY_S = 1.0

READING_TIMEOUT_S = 5.0
"""A database that says nothing must not keep `up` from hearing a stop."""

LOG_BYTES_MAX = 10 * 1024 * 1024

MAINTAIN_EVERY_S = 600.0
REPAIR_EVERY_S = 24 * 3600.0

EXIT_LEFTOVERS = 3
"""The exit code of a run with an end that left something unprocessed."""

READINGS_AT_REST = 2
"""So many readings in a row must find the queue empty before it counts as drained: its depth is approximate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    feed: str = "auto"
    speed: float | None = None
    port: int = 3000
    data_dir: Path = Path(".battlescope")
    once: bool = False
    workers: int = 2


@dataclass(slots=True)
class _Run:
    """What is running."""

    feed: str
    connection: LazyConnection
    gauge: Gauge
    postgres: EmbeddedPostgres | None
    queue: EmbeddedQueue | None
    ingest: Part
    others: list[Part]

    @property
    def parts(self) -> list[Part]:
        return [self.ingest, *self.others]


def up(options: Options, stop: Event, console: Console) -> int:
    """Run until `stop` is set, or with `once` until the feed is drained; the exit code.

    Raises:
        BattleScopeError: something stands in the way; its message says what, and what to do.
    """
    if not becomes_free(options.port, PORT_PATIENCE_S):
        raise LaptopError(f"port {options.port} is in use: stop what uses it, or name another with --port")
    since = datetime.now(UTC)
    with ExitStack() as stack:
        data = stack.enter_context(DataDirectory(options.data_dir))
        os.environ.update(_feed_environment(options, console))
        postgres = _database(stack, data)
        queue = _queue(stack, data)
        chosen = settings.load(IngestSettings)
        feed = open_feed(chosen).name
        connection = LazyConnection(chosen.db_url)
        stack.callback(connection.close)
        migrate(connection.get())
        load_into(connection.get())
        reader_db_url = settings.load(MigrateSettings).reader_db_url
        if reader_db_url is not None:
            let_read(connection.get(), reader_db_url)
        if postgres is None and is_leased(connection.get(), feed):
            raise LaptopError(
                f"another poller is reading {feed} into the database that DB_URL names: stop it "
                "(or, where it was killed, wait two minutes)"
            )
        free_lease(connection.get(), feed)
        if queue is not None:
            rewind_to_drained(connection.get(), feed)
        own_connection = LazyConnection(chosen.db_url)  # readings have a thread of their own
        stack.callback(own_connection.close)
        gauge = Gauge(
            own_connection,
            feed,
            chosen.queue_url,
            os.environ.get("DEAD_LETTER_QUEUE_URL"),
            since,
            is_live=chosen.feed in LIVE_FEEDS or chosen.simulated_live,
        )
        run = _Run(feed, connection, gauge, postgres, queue, *_parts(options, data, reader_db_url))
        stack.callback(_stop_parts, run)
        for part in run.parts:
            part.start()
        _tell_where_to_look(options, data, feed, console)
        return _watch(run, options, stop, console)


def _feed_environment(options: Options, console: Console) -> dict[str, str]:
    """The settings of the feed, with what a laptop may leave out."""
    environment = {"POWERTOOLS_METRICS_DISABLED": "true"}
    if not os.environ.get("ZKB_USERAGENT"):
        environment["ZKB_USERAGENT"] = f"battlescope/{__version__} (local)"
    kind = options.feed
    if kind == "auto":
        kind = (
            "r2z2"
            if _r2z2_answers(os.environ.get("ZKB_USERAGENT") or environment["ZKB_USERAGENT"])
            else "simulated"
        )
        if kind == "simulated":
            console.print(
                "[bold yellow]zKillboard's feed does not answer, so this is a SIMULATED New Eden: "
                "none of these battles ever happened.[/]"
            )
    elif kind == "simulated":
        console.print("[bold yellow]This is a SIMULATED New Eden: none of these battles ever happened.[/]")
    if kind in LIVE_FEEDS:
        if options.once:
            raise SettingsError(
                f"--once needs a feed with an end, and {kind} has none: use archive:PATH or simulated"
            )
        if "ZKB_USERAGENT" in environment:
            console.print(
                f"Asking {kind} as '{environment['ZKB_USERAGENT']}'. "
                "Set ZKB_USERAGENT to something with a contact, as its operators ask."
            )
    environment["FEED"] = f"archive:{Path(kind[8:]).resolve()}" if kind.startswith("archive:") else kind
    live = kind == "simulated" and not options.once
    environment["SIMULATED_LIVE"] = str(live).lower()
    environment["SPEED"] = str(options.speed if options.speed is not None else (1 if live else 0))
    return environment


def _r2z2_answers(user_agent: str) -> bool:
    from battlescope.http import HttpClient, HttpError  # noqa: PLC0415

    base_url = os.environ.get("R2Z2_URL") or IngestSettings.model_fields["r2z2_url"].default
    http = HttpClient(user_agent, connect_timeout_s=PROBE_TIMEOUT_S, timeout_s=PROBE_TIMEOUT_S)
    try:
        return http.get(f"{base_url}/ephemeral/sequence.json").status == HTTPStatus.OK
    except HttpError:
        return False
    finally:
        http.close()


def _database(stack: ExitStack, data: DataDirectory) -> EmbeddedPostgres | None:
    if os.environ.get("DB_URL"):
        return None
    postgres = EmbeddedPostgres(data.path / "postgres", port=free_port())
    postgres.start()
    stack.callback(postgres.stop)
    os.environ["DB_URL"] = postgres.url()
    os.environ["READER_DB_URL"] = postgres.url(user=READER)
    return postgres


def _queue(stack: ExitStack, data: DataDirectory) -> EmbeddedQueue | None:
    if os.environ.get("QUEUE_URL"):
        return None
    embedded = EmbeddedQueue(data.path / "queue", port=free_port())
    embedded.start()
    stack.callback(embedded.stop)
    return embedded


def _parts(options: Options, data: DataDirectory, reader_db_url: str | None) -> tuple[Part, list[Part]]:
    def part(name: str, *arguments: str, **environment: str) -> Part:
        return Part(name, arguments, _log_path(data, name), environment)

    workers = [part(f"cluster-{number}", "cluster") for number in range(1, options.workers + 1)]
    api = part("api", "api", "--port", str(options.port), DB_URL=reader_db_url or os.environ["DB_URL"])
    upkeep = _upkeep(data) if os.environ["FEED"] in LIVE_FEEDS else []
    return part("ingest", "ingest", *(["--once"] if options.once else [])), [*workers, api, *upkeep]


def _upkeep(data: DataDirectory) -> list[Part]:
    """What a schedule does in the cloud; both ask the services that a live feed belongs to."""
    return [
        Schedule(
            "maintain", ["maintain"], _log_path(data, "maintain"), first_after_s=60, every_s=MAINTAIN_EVERY_S
        ),
        # Not at once: whoever only wants to have a look should not ask zKillboard for a week of history.
        Schedule("repair", ["repair"], _log_path(data, "repair"), first_after_s=3600, every_s=REPAIR_EVERY_S),
    ]


def _log_path(data: DataDirectory, name: str) -> Path:
    """Where a part's output goes; a log that has grown long is put aside."""
    log_path = data.logs / f"{name}.log"
    if log_path.exists() and log_path.stat().st_size > LOG_BYTES_MAX:
        log_path.replace(log_path.with_suffix(".log.1"))
    return log_path


def _stop_parts(run: _Run) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for part in run.parts:
        part.ask_to_stop()
    for part in run.parts:
        part.wait(deadline - time.monotonic())
    Readings(run.gauge).latest(READING_TIMEOUT_S)  # a queue that is empty now need not be read into again


def _tell_where_to_look(options: Options, data: DataDirectory, feed: str, console: Console) -> None:
    console.print(
        f"BattleScope {__version__}, reading {feed}\n"
        f"  battles   http://127.0.0.1:{options.port}/\n"
        f"  API       http://127.0.0.1:{options.port}/battles (described in /openapi.json)\n"
        f"  health    http://127.0.0.1:{options.port}/healthz\n"
        f"  data      {data.path} (logs in {data.logs.name}/)\n"
        "Ctrl-C stops it; the next start goes on from there.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _watch(run: _Run, options: Options, stop: Event, console: Console) -> int:
    note = ""
    at_rest = 0
    naming = Naming() if run.feed.startswith("simulated") else None
    readings = Readings(run.gauge)
    status: Status | None = None
    with Display(console) as display:
        while not stop.wait(READING_EVERY_S):
            ended = options.once and (run.ingest.exit_code or 0) >= 0 and run.ingest.exit_code is not None
            try:
                note = _revive(run, but_ingest=ended) or note
                status, complaint = readings.latest(READING_TIMEOUT_S)
                note = complaint or note
                if naming is not None:
                    run.connection.run(naming.name_newcomers)
            except (BattleScopeError, psycopg.Error) as error:
                note = complaint = one_line(error)
            if status is None:
                continue
            display.show(status, note)
            at_rest = at_rest + 1 if ended and not complaint and not status.queue_depth else 0
            if at_rest >= READINGS_AT_REST:
                return _verdict(run, status, console)
    return EXIT_LEFTOVERS if options.once else 0


def _revive(run: _Run, *, but_ingest: bool) -> str | None:
    """Start again what died; says what happened, if anything did."""
    if run.postgres is not None and not run.postgres.is_running:
        run.postgres.start()
        return "PostgreSQL ended, and was started again"
    if run.queue is not None and not run.queue.is_running:
        # What the queue held is gone, so the poller goes back to where it was last seen empty; and that before a
        # new, empty queue can be taken for a drained one.
        run.ingest.ask_to_stop()
        run.ingest.wait()
        run.connection.run(lambda connection: rewind_to_drained(connection, run.feed))
        run.connection.run(lambda connection: free_lease(connection, run.feed))
        run.queue.start()
        run.ingest.start()
        return "the queue ended, and was started again"
    notes = [part.revive() for part in run.others]
    if not but_ingest and (note := run.ingest.revive()):
        run.connection.run(lambda connection: free_lease(connection, run.feed))
        notes.append(note)
    return next((note for note in notes if note), None)


def _verdict(run: _Run, status: Status, console: Console) -> int:
    if run.ingest.exit_code:
        console.print(f"The feed could not be read to its end: {run.ingest.last_words()}", markup=False)
        return EXIT_LEFTOVERS
    if status.leftovers:
        console.print(f"Drained, with {status.leftovers} left over.", markup=False)
        return EXIT_LEFTOVERS
    console.print(f"Drained: {status.killmails:,} killmails, {status.battles:,} battles, nothing left over.")
    return 0
