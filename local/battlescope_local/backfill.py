"""`battlescope backfill`: whole days into the database, with a progress bar."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date, timedelta
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
from battlescope.prices import load_prices, refresh_prices
from battlescope.settings import ClusterRules, HandlerSettings, HistorySettings
from battlescope_local.day_workers import DayWorkers, Work
from cluster.engine.rules import Rules
from ingest.history.backfill import Backfill
from ingest.history.days import Span
from ingest.history.importing import Day, State
from ingest.history.sources import open_source

COMPLAINTS_SHOWN = 20
"""Of each day; all of them are in `rejected_killmails`."""

EXIT_OK = 0
EXIT_COMPLAINTS = 1
EXIT_STOPPED = 130


def backfill(
    span: Span, *, folder: Path | None, force: bool, stop: Event, console: Console, lenient: bool = False
) -> int:
    """Import these days.

    The exit code: 1 where something was no killmail, a listed day has no file, no day has one, or a day failed; 130
    where stopped.

    Args:
        span: the days.
        folder: where the days' files lie; None for the source that the settings name.
        force: import days again although their files did not change.
        lenient: of all these only a day that failed makes it 1: what another try could mend.
        stop: ends the run in good order.
        console: for the progress and the summary.

    Raises:
        SettingsError: a setting is missing or wrong.
        HistoryUnavailableError: the source cannot be had at all now, or asks us to stay away.
        DatabaseError: the database is away.
    """
    chosen = settings.load(HistorySettings)
    db_url = settings.load(HandlerSettings).db_url
    rules = Rules.of(settings.load(ClusterRules))
    source = open_source(chosen, folder)
    work = Work(db_url=db_url, source=source.name, rules=rules)
    totals = source.totals()
    with closing(LazyConnection(work.db_url)) as connection:
        _refresh_prices(connection, chosen, console)
        with (
            _Bar(span, totals, console) as bar,
            DayWorkers(work, chosen.history_workers, stored=bar.stored, is_stopped=stop.is_set) as workers,
        ):
            job = Backfill(
                connection,
                source,
                workers.submit,
                ahead=chosen.history_workers,
                recheck_after=timedelta(hours=chosen.history_recheck_hours),
            )
            days = job.run(span, force=force, is_stopped=stop.is_set, wait=workers.wait)
            complaints, summary = _import(days, bar, totals, console)
    if stop.is_set():
        console.print("stopped: the same command goes on from here")
        return EXIT_STOPPED
    if lenient:
        return EXIT_COMPLAINTS if summary[State.FAILED] else EXIT_OK
    return EXIT_COMPLAINTS if complaints or not summary.total() - summary[State.ABSENT] else EXIT_OK


def _import(
    days: Iterable[Day], bar: "_Bar", totals: Mapping[date, int], console: Console
) -> tuple[int, Counter[State]]:
    """Import the days and tell of it; the number of complaints, and the days by what became of them."""
    summary: Counter[State] = Counter()
    killmails = complaints = 0
    for done in days:
        bar.day(done)
        summary[done.state] += 1
        killmails += done.killmails
        complaints += len(done.complaints)
        if done.state is State.ABSENT and totals.get(done.day):
            complaints += 1
            console.print(f"{done.day}: {totals[done.day]:,} killmails are listed, but there is no file")
    told = ", ".join(f"{summary[state]} {state}" for state in State if summary[state]) or "none"
    console.print(f"days: {told}; killmails: {killmails:,}; complaints: {complaints:,}", highlight=False)
    return complaints, summary


def _refresh_prices(connection: LazyConnection, chosen: HistorySettings, console: Console) -> None:
    """Market prices, fresh where ESI has them for us now; else those held, and without any no estimates."""

    def refresh(database: Database) -> int:
        with closing(HttpClient(chosen.zkb_useragent)) as http:
            return refresh_prices(
                database, Esi(http, chosen.esi_url), timedelta(hours=chosen.prices_max_age_hours)
            )

    try:
        connection.run(refresh)
    except FeedError as error:
        console.print(f"no fresh market prices: {error}", markup=False, highlight=False, soft_wrap=True)
    if not connection.run(load_prices):
        console.print("no market prices at all: killmails without a value stay without an estimate")


class _Bar:
    """Killmails stored, their rate, and the time left; by days where the source does not count killmails."""

    def __init__(self, span: Span, totals: Mapping[date, int], console: Console) -> None:
        self._console = console
        self._totals = totals
        self._by_day = not any(totals.get(day, 0) for day in span.days())
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("days" if self._by_day else "killmails"),
            TextColumn("{task.fields[rate]:,.0f} killmails/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        total = sum(1 if self._by_day else totals.get(day, 0) for day in span.days())
        self._task = self._progress.add_task(str(span.first), total=total, rate=0.0)
        self._stored = 0

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def stored(self, killmails: int) -> None:
        """So many more killmails are in the database."""
        self._stored += killmails
        elapsed_s = self._progress.tasks[self._task].elapsed or 0.0
        self._progress.update(self._task, rate=self._stored / max(elapsed_s, 0.001))
        if not self._by_day:
            self._progress.advance(self._task, killmails)

    def day(self, done: Day) -> None:
        """A day is done."""
        self._progress.update(self._task, description=str(done.day))
        if self._by_day:
            self._progress.advance(self._task)
        elif done.state is not State.IMPORTED:
            self._progress.advance(self._task, self._totals.get(done.day, 0) - done.killmails)
        for complaint in done.complaints[:COMPLAINTS_SHOWN]:
            self._console.print(f"{done.day}: {complaint}", markup=False, highlight=False, soft_wrap=True)
        if (more := len(done.complaints) - COMPLAINTS_SHOWN) > 0:
            self._console.print(f"{done.day}: and {more:,} more, all kept in rejected_killmails")
        if not self._console.is_terminal:
            self._console.print(f"{done.day}: {done.state}, {done.killmails:,} killmails", highlight=False)
