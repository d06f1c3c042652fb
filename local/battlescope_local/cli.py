"""The `battlescope` command: each part alone (as in pods), everything at once (`up`), and tools."""

import json
import os
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battlescope import __version__, settings
from battlescope.errors import BattleScopeError

if TYPE_CHECKING:
    from threading import Event

    from battlescope.killmail import Killmail
    from cluster.engine.whole import Battle
    from ingest.history.days import Span

# Each command imports what it needs when it runs: a poller has no use for a web server.
# ruff: noqa: PLC0415

EXIT_ERROR = 1
EXIT_STAY_AWAY = 75
"""A source asked us to: EX_TEMPFAIL, as sysexits.h has it."""

app = typer.Typer(
    help="Reads EVE Online's killmail feed, finds the battles, and serves them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
static = typer.Typer(help="CCP's static data: solar systems, regions, ship types.", no_args_is_help=True)
app.add_typer(static, name="static")


def main() -> None:
    """Run the command; an error of BattleScope is one line, and exit code 1."""
    try:
        app()
    except BattleScopeError as error:
        print(f"battlescope: {error}", file=sys.stderr)  # noqa: T201 - this is what a command prints
        raise SystemExit(EXIT_ERROR) from None


@app.command()
def up(
    feed: Annotated[str, typer.Option(help="auto, r2z2, redisq, archive:PATH or simulated")] = "auto",
    speed: Annotated[
        float | None,
        typer.Option(min=0, help="archive, simulated: feed seconds per second; 0 is as fast as it goes"),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="of the API, on 127.0.0.1")] = 3000,
    data_dir: Annotated[Path, typer.Option(help="where data is kept")] = Path(".battlescope"),
    once: Annotated[
        bool, typer.Option("--once", help="stop when an archive or simulation is drained")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="cluster workers")] = 2,
) -> None:
    """Run everything on this machine."""
    from rich.console import Console

    from battlescope.runtime.signals import stop_on_signals
    from battlescope_local.up import Options
    from battlescope_local.up import up as run

    options = Options(feed=_feed(feed), speed=speed, port=port, data_dir=data_dir, once=once, workers=workers)
    raise typer.Exit(run(options, stop_on_signals(), Console()))


@app.command()
def migrate(
    wait: Annotated[
        bool, typer.Option("--wait", help="migrate nothing; return once somebody has, or with a signal")
    ] = False,
) -> None:
    """Bring the database that DB_URL names to this version's schema, and load the static data."""
    from battlescope.database import connect
    from battlescope.migrate import migrate as run
    from battlescope.reader_role import let_read
    from battlescope.settings import MigrateSettings
    from battlescope.static import load_into
    from battlescope_local.schema import wait_for_schema

    chosen = settings.load(MigrateSettings)
    if wait:
        raise typer.Exit(0 if wait_for_schema(chosen.db_url, _stop()) else EXIT_ERROR)
    with connect(chosen.db_url) as connection:
        applied = run(connection)
        loaded = load_into(connection)
        if chosen.reader_db_url is not None:
            let_read(connection, chosen.reader_db_url)
    typer.echo(f"applied {', '.join(applied) or 'nothing'}; loaded {', '.join(loaded) or 'nothing'}")


@app.command()
def ingest(
    once: Annotated[bool, typer.Option("--once", help="stop when the feed is drained")] = False,
) -> None:
    """Read the feed into the queue, as the ingest Lambda does."""
    from battlescope.runtime.schedule import run_on_schedule
    from battlescope_local import measured
    from ingest.handler import environment, handler

    stop = _stop()
    environment()
    run_on_schedule(
        handler,
        "ingest",
        stop,
        until=lambda answer: once and answer["drained"],
        tick_s=1.0 if once else 60.0,
        beat=measured.ingest(),
    )


@app.command()
def cluster(
    archive: Annotated[
        list[Path] | None, typer.Option(help="run the engine alone over these archives")
    ] = None,
    digest: Annotated[
        bool, typer.Option("--digest", help="print counts and the digest of the battles")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one battle a line")] = False,
) -> None:
    """Find battles: from the queue into the database, or (--archive) from archives to the terminal."""
    if archive:
        _cluster_archives(archive, digest=digest, as_json=as_json)
        return
    if digest or as_json:
        raise typer.BadParameter("--digest and --json go with --archive")
    from battlescope.runtime.event_source import run_from_queue
    from battlescope.settings import WorkerSettings
    from battlescope_local import measured
    from cluster.handler import environment, handler

    stop = _stop()
    dead_letter_queue_url = environment().settings.dead_letter_queue_url
    queue_url = settings.load(WorkerSettings).queue_url
    run_from_queue(
        handler, "cluster", queue_url, stop, beat=measured.cluster(queue_url, dead_letter_queue_url)
    )


@app.command()
def backfill(
    days: Annotated[str, typer.Argument(help="2021-11-27..2021-12-01, or one day")],
    from_folder: Annotated[
        Path | None, typer.Option(help="a folder with the days' files, in the place of HISTORY_SOURCE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="import days again although their files did not change")
    ] = False,
    part: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="only this one of N parts of the days, from 0/N, for many machines"),
    ] = None,
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient",
            help="exit with 0 unless a day failed, whatever else was complained of: for schedulers",
        ),
    ] = False,
) -> None:
    """Import whole days of history into the database; run again, it goes on where it ended.

    Exits with 1 where there was a complaint or no day at all, with 75 where the source asked us to stay away.
    """
    from rich.console import Console

    from battlescope.runtime.signals import stop_on_signals
    from battlescope_local.backfill import backfill as run
    from ingest.history.download import HistoryUnavailableError

    span = _span(days) if part is None else _part_of(_span(days), part)
    _name_ourselves()
    stop = stop_on_signals()
    try:
        code = run(span, folder=from_folder, force=force, lenient=lenient, stop=stop, console=Console())
    except HistoryUnavailableError as error:
        if not error.was_asked_for:
            raise
        typer.echo(f"battlescope: {error}", err=True)
        code = EXIT_STAY_AWAY
    raise typer.Exit(code)


@app.command()
def repair(
    days: Annotated[
        str | None, typer.Argument(help="2021-11-27..2021-12-01, or one day; else the last REPAIR_DAYS days")
    ] = None,
) -> None:
    """Find what the feed left out and send it through the queue, as the repair Lambda does."""
    from rich.console import Console

    from battlescope.runtime.signals import stop_on_signals
    from battlescope_local.repair import repair as run

    span = None if days is None else _span(days)
    _name_ourselves()
    raise typer.Exit(run(span, stop=stop_on_signals(), console=Console()))


@app.command()
def maintain(
    recluster: Annotated[
        str | None,
        typer.Option(
            metavar="DAYS", help="make battles anew: everything, 2021-11-27..2021-12-01, or one day"
        ),
    ] = None,
) -> None:
    """Do the upkeep that is due, as the maintenance Lambda does; or make battles anew from their killmails."""
    from rich.console import Console

    from battlescope.runtime.signals import stop_on_signals
    from battlescope_local.maintain import maintain as run
    from cluster.maintenance.reclustering import Window

    everything = recluster == "everything"
    window = None if recluster is None or everything else Window(*_span(recluster))
    _name_ourselves()
    raise typer.Exit(run(window, everything=everything, stop=stop_on_signals(), console=Console()))


@app.command()
def score(
    labels: Annotated[
        Path, typer.Option(help="killmail, battle and perhaps side: JSON lines, CSV, or a kill_dump")
    ],
    archive: Annotated[list[Path], typer.Option(help="the killmails that the labels are about")],
) -> None:
    """Compare our battles and sides with labelled ones: adjusted Rand index, pairwise precision, recall and F1."""
    from battlescope.settings import ClusterRules
    from cluster.engine.rules import Rules
    from cluster.engine.whole import find_battles
    from cluster.labels import read_labels
    from cluster.score import score as compare
    from ingest.feeds import Rejected
    from ingest.feeds.archive import read_archive

    known = read_labels(labels)
    killmails = [one for path in archive for one in read_archive(path) if not isinstance(one, Rejected)]
    battles = find_battles(killmails, Rules.of(settings.load(ClusterRules)))
    sides = {battle.id: battle.sides.side_ids for battle in battles}
    members = {battle.id: [killmail.killmail_id for killmail in battle.killmails] for battle in battles}
    typer.echo(str(compare(known, members, sides, known={killmail.killmail_id for killmail in killmails})))


@app.command()
def api(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
) -> None:
    """Serve the API."""
    from api.server import serve
    from battlescope.settings import ApiSettings, PartSettings

    metrics_port = settings.load(PartSettings).metrics_port
    serve(settings.load(ApiSettings), host, port, _stop(), metrics_port=metrics_port, is_own_process=True)


@app.command()
def simulate(
    hours: Annotated[float | None, typer.Option(min=0, help="how long an evening")] = None,
    killmails: Annotated[int | None, typer.Option(min=1, help="how many killmails")] = None,
    seed: Annotated[int, typer.Option(min=0, help="the same seed, the same New Eden")] = 1,
) -> None:
    """Write simulated killmails to standard output, one a line, in the live feed's shape."""
    from battlescope_local.simulate import write

    evening = 6.0 if hours is None and killmails is None else hours
    write(sys.stdout, seed=seed, hours_long=evening, killmails=killmails)


@app.command()
def openapi() -> None:
    """Write the API's OpenAPI document to standard output."""
    from api.openapi import document

    typer.echo(json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False))


@static.command("update")
def static_update() -> None:
    """Refresh solar systems, regions and ship types in the database that DB_URL names, from CCP's export."""
    from battlescope.database import connect
    from battlescope.settings import HandlerSettings
    from battlescope_local.static_update import update

    with connect(settings.load(HandlerSettings).db_url) as connection:
        changed = update(connection)
    typer.echo(f"refreshed {', '.join(changed) or 'nothing: all of it was current'}")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _feed(feed: str) -> str:
    if feed in {"auto", "r2z2", "redisq", "simulated"} or (
        feed.startswith("archive:") and feed != "archive:"
    ):
        return feed
    raise typer.BadParameter(f"--feed must be auto, r2z2, redisq, archive:PATH or simulated; it was {feed!r}")


def _span(days: str) -> "Span":
    from ingest.history.days import Span

    try:
        return Span.parse(days)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _part_of(span: "Span", part: str) -> "Span":
    from ingest.history.days import read_part

    try:
        return span.part(*read_part(part))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _name_ourselves() -> None:
    os.environ.setdefault("ZKB_USERAGENT", f"battlescope/{__version__} (local)")


def _stop() -> "Event":
    """The event that ends this part: a signal, or the end of the process that started it."""
    from battlescope.runtime.signals import stop_on_signals
    from battlescope_local.parts import PARENT_VARIABLE, wait_for_parent

    stop = stop_on_signals()
    parent = os.environ.get(PARENT_VARIABLE)
    if parent:
        Thread(target=wait_for_parent, args=(stop, int(parent)), daemon=True).start()
    return stop


def _cluster_archives(paths: list[Path], *, digest: bool, as_json: bool) -> None:
    """Print what the engine finds; exit code 1 where something in the archives was no killmail."""
    from battlescope.settings import ClusterRules
    from cluster.engine.rules import Rules
    from cluster.engine.whole import digest as digest_of
    from cluster.engine.whole import find_battles
    from ingest.feeds import Rejected
    from ingest.feeds.archive import read_archive

    killmails: list[Killmail] = []
    rejected = 0
    for one in (one for path in paths for one in read_archive(path)):
        if isinstance(one, Rejected):
            rejected += 1
            typer.echo(f"battlescope: {one.reason}", err=True)
        else:
            killmails.append(one)
    battles = find_battles(killmails, Rules.of(settings.load(ClusterRules)))
    members = [[killmail.killmail_id for killmail in battle.killmails] for battle in battles]
    if as_json:
        for battle in battles:
            typer.echo(json.dumps(_shown(battle)))
    if digest or not as_json:
        typer.echo(
            f"killmails={len({killmail.killmail_id for killmail in killmails})} battles={len(battles)} "
            f"members={sum(map(len, members))} digest={digest_of(members)}"
        )
    if rejected:
        raise typer.Exit(EXIT_ERROR)


def _shown(battle: "Battle") -> dict[str, Any]:
    from datetime import UTC, datetime

    from cluster.engine.sides import assign

    totals = battle.totals
    ledger = battle.ledger
    affiliations = ledger.affiliations
    sides = assign(ledger.evidence, ledger.pilots)
    return {
        "id": str(battle.id),
        "system_id": battle.system_id,
        "start_time": f"{datetime.fromtimestamp(totals.start_time, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "end_time": f"{datetime.fromtimestamp(totals.end_time, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "killmail_ids": [killmail.killmail_id for killmail in battle.killmails],
        "total_kills": totals.total_kills,
        "losses": totals.losses,
        "pilots": totals.pilots,
        "total_isk_destroyed": totals.total_isk_destroyed,
        "sides": [
            {
                "side_id": side_id,
                "affiliations": [
                    {
                        "kind": affiliations[id_].kind,
                        "id": id_,
                        "confidence": round(sides.confidences[id_], 3),
                    }
                    for id_ in sorted(affiliations)
                    if sides.side_ids[id_] == side_id
                ],
            }
            for side_id in range(sides.count + 1)
        ],
    }


if __name__ == "__main__":
    main()
