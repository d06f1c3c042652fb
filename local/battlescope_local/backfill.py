"""`battlescope backfill`: whole days into the database, with a progress bar."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from battlescope import settings
from battlescope.database import Database, LazyConnection
from battlescope.errors import FeedError
from battlescope.esi import Esi
from battlescope.http import HttpClient
from battlescope.prices import Prices, load_prices, refresh_prices
from battlescope.settings import ClusterRules, HandlerSettings, HistorySettings
from cluster.clusterer import cluster as store
from cluster.engine.rules import Rules
from ingest.history.backfill import Backfill, Day, State
from ingest.history.days import Span
from ingest.history.sources import open_source

COMPLAINTS_SHOWN = 20
"""Of each day; all of them are in `rejected_killmails`."""

EXIT_OK = 0
EXIT_COMPLAINTS = 1
EXIT_STOPPED = 130


def backfill(span: Span, *, folder: Path | None, force: bool, stop: Event, console: Console) -> int:
    """Import these days; the exit code: 1 where something was no killmail or a day failed, 130 where stopped.

    Args:
        span: the days.
        folder: where the days' files lie; None for the source that the settings name.
        force: import days again although their files did not change.
        stop: ends the run in good order.
        console: for the progress and the summary.

    Raises:
        SettingsError: a setting is missing or wrong.
        FeedError: the source cannot be had at all now, or asks us to stay away.
        DatabaseError: the database is away.
    """
    chosen = settings.load(HistorySettings)
    rules = Rules.of(settings.load(ClusterRules))
    connection = LazyConnection(settings.load(HandlerSettings).db_url)
    source = open_source(chosen, folder)
    totals = source.totals()
    job = Backfill(
        connection,
        source,
        lambda database, killmails: store(database, killmails, rules),
        _prices(connection, chosen, console),
        recheck_after=timedelta(hours=chosen.history_recheck_hours),
    )
    summary: Counter[State] = Counter()
    killmails = complaints = 0
    with _Bar(span, console) as bar:
        for done in job.run(span, force=force, stored=bar.stored, is_stopped=stop.is_set):
            bar.day(done)
            summary[done.state] += 1
            killmails += done.killmails
            complaints += len(done.complaints)
            if done.state is State.ABSENT and totals.get(done.day):
                complaints += 1
                console.print(
                    f"{done.day}: {source.name} lists {totals[done.day]} killmails, but has no file"
                )
    told = ", ".join(f"{summary[state]} {state}" for state in State if summary[state]) or "none"
    console.print(f"days: {told}; killmails: {killmails:,}; complaints: {complaints:,}", highlight=False)
    if stop.is_set():
        console.print("stopped: the same command goes on from here")
        return EXIT_STOPPED
    return EXIT_COMPLAINTS if complaints or not summary.total() - summary[State.ABSENT] else EXIT_OK


def _prices(connection: LazyConnection, chosen: HistorySettings, console: Console) -> Prices:
    """Market prices, fresh where ESI has them for us now; else those held, and without any no estimates."""

    def refresh(database: Database) -> int:
        http = HttpClient(chosen.zkb_useragent, requests_per_second=chosen.history_requests_per_second)
        return refresh_prices(
            database, Esi(http, chosen.esi_url), timedelta(hours=chosen.prices_max_age_hours)
        )

    try:
        connection.run(refresh)
    except FeedError as error:
        console.print(f"no fresh market prices: {error}", markup=False, highlight=False, soft_wrap=True)
    prices = connection.run(load_prices)
    if not prices:
        console.print("no market prices at all: killmails without a value stay without an estimate")
    return prices


class _Bar:
    """Days done, killmails and their rate, and the time left."""

    def __init__(self, span: Span, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("days  {task.fields[killmails]:,} killmails  {task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        days = sum(1 for _ in span.days())
        self._task = self._progress.add_task(str(span.first), total=days, killmails=0, rate=0.0)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def stored(self, killmails: int) -> None:
        """So many more killmails are in the database."""
        task = self._progress.tasks[self._task]
        total = task.fields["killmails"] + killmails
        self._progress.update(self._task, killmails=total, rate=total / max(task.elapsed or 0.0, 0.001))

    def day(self, done: Day) -> None:
        """A day is done."""
        self._progress.update(self._task, advance=1, description=str(done.day + timedelta(days=1)))
        for complaint in done.complaints[:COMPLAINTS_SHOWN]:
            self._console.print(f"{done.day}: {complaint}", markup=False, highlight=False, soft_wrap=True)
        if (more := len(done.complaints) - COMPLAINTS_SHOWN) > 0:
            self._console.print(f"{done.day}: and {more:,} more, all kept in rejected_killmails")
        if not self._console.is_terminal:
            self._console.print(f"{done.day}: {done.state}, {done.killmails:,} killmails", highlight=False)
