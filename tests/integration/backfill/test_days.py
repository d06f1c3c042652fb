"""`battlescope backfill`: whole days, from whichever source, beside whatever else runs."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from battlescope.database import Database, LazyConnection
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from battlescope_local.backfill import EXIT_OK, EXIT_STOPPED
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.history.days import Span
from ingest.history.folder import Folder
from ingest.history.importing import Importer
from ingest.history.source import DayFile
from ingest.payload import parse_killmail
from tests.integration.backfill.days import DAYS, FIRST, KILLMAILS, SPAN, Run, counted, lines, of_day
from tests.support.answers import SERVER_ERROR
from tests.support.clock import FakeClock
from tests.support.dump import empty, fingerprint, stored_digest
from tests.support.feeds_server import FeedsServer
from tests.support.history_files import listing, raw_day
from tests.support.payloads import archive_line, esi_killmail, r2z2_file, zkb


@pytest.mark.parametrize("source", ["everef", "r2z2"])
def test_whole_days_from_their_sources(
    run: Run, server: FeedsServer, database: Database, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("HISTORY_SOURCE", source)
    code, printed = run()
    assert (code, counted(database)) == (EXIT_OK, len(KILLMAILS))
    assert "days: 3 imported; killmails: 432; complaints: 0" in printed
    assert server.connections <= 2  # one to the source, one to ESI

    before = fingerprint(database)
    asked = len(server.requests)
    assert "days: 3 unchanged" in run()[1]
    files = [one for one in server.requests[asked:] if one.path.endswith(("bz2", "/raw/20260328.json"))]
    assert {one.status for one in files} == {304}
    assert "days: 3 imported" in run(force=True)[1]
    assert fingerprint(database) == before


def test_all_sources_make_the_same_battles(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = []
    for source in ("everef", "r2z2", "lines", "raw"):
        database.execute(
            "TRUNCATE killmails, battles, battle_killmails, battle_participants, battle_entities"
        )
        if source in {"everef", "r2z2"}:
            monkeypatch.setenv("HISTORY_SOURCE", source)
            run()
        else:
            folder = tmp_path / source
            (folder / "raw").mkdir(parents=True)
            for number, day in enumerate(DAYS):
                compact = day.replace("-", "")
                if source == "lines":
                    lines(folder, day, [archive_line(one) for one in of_day(number)])
                else:
                    (folder / "raw" / f"{compact}.json").write_bytes(raw_day(of_day(number)))
                    (folder / f"{compact}.json").write_bytes(listing(of_day(number)))
            run(folder=folder, force=True)
        digests.append((counted(database), stored_digest(database)))
    assert len(set(digests)) == 1
    assert digests[0][0] == len(KILLMAILS)


def test_a_day_that_changed_is_read_again_and_one_asked_for_lately_is_not(
    run: Run, server: FeedsServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    server.archive(esi_killmail(9000, at=FIRST + 90_000))
    assert "days: 1 imported, 2 unchanged" in run()[1]
    assert counted(database) == len(KILLMAILS) + 1

    monkeypatch.setenv("HISTORY_RECHECK_HOURS", "24")
    asked = len(server.requests)
    run()
    assert [one.path for one in server.requests[asked:]] == ["/killmails/totals.json", "/markets/prices"]


def test_values_are_estimated_and_told_ones_kept(
    run: Run, server: FeedsServer, database: Database, tmp_path: Path
) -> None:
    server.prices = [{"type_id": 11129, "average_price": 250}, {"type_id": 1405, "average_price": 4.5}]
    told = r2z2_file(KILLMAILS[0], sequence=1, uploaded_at=FIRST + 60, value=16107.17)
    lines(tmp_path, DAYS[0], [archive_line(KILLMAILS[1]), told])

    assert run(DAYS[0], folder=tmp_path)[0] == EXIT_OK
    run(DAYS[0])  # estimates do not replace what was told

    rows = database.execute(
        "SELECT killmail_id, isk_value, valued_at FROM killmails ORDER BY killmail_id LIMIT 3"
    ).fetchall()
    assert rows == [(1000, 16107, int(FIRST) + 60), (1001, 255, 0), (1002, 255, 0)]


def test_without_prices_there_are_no_estimates(run: Run, server: FeedsServer, database: Database) -> None:
    server.always("/markets/", SERVER_ERROR)
    code, printed = run()
    assert code == EXIT_OK
    assert "no fresh market prices" in printed
    assert "no market prices at all" in printed
    assert database.execute("SELECT max(isk_value) FROM killmails").fetchone() == (None,)


@pytest.mark.parametrize("live_first", [True, False])
def test_half_live_and_half_by_backfill_is_as_all_of_it_live(
    run: Run, server: FeedsServer, database: Database, live_first: bool
) -> None:
    server.prices = [{"type_id": 11129, "average_price": 250}]
    uploads = [
        parse_killmail(archive_line(one), zkb=zkb(one["killmail_id"]), uploaded_at=int(FIRST))
        for one in KILLMAILS
    ]

    def live(uploaded: list[Killmail]) -> None:
        for _, body in pack(uploaded):
            cluster(database, unpack(body).killmails, Rules())

    live(uploads)
    expected = fingerprint(database)
    database.execute("TRUNCATE killmails, battles, battle_killmails, battle_participants, battle_entities")

    for step in (lambda: live(uploads[::2]), run) if live_first else (run, lambda: live(uploads[::2])):
        step()

    estimated = database.execute(
        "SELECT count(*) FROM killmails WHERE valued_at = 0 AND isk_value = 250"
    ).fetchone()
    assert estimated == (len(KILLMAILS) // 2,)
    live(uploads)  # the other values arrive
    assert fingerprint(database) == expected


def test_a_run_that_is_stopped_goes_on_where_it_was(run: Run, database: Database) -> None:
    whole = run()
    expected = fingerprint(database)
    database.execute(
        "TRUNCATE killmails, battles, battle_killmails, battle_participants, battle_entities, history_days"
    )
    stop = Event()
    stop.set()
    assert run(stop=stop)[0] == EXIT_STOPPED
    assert run("2026-03-28")[0] == EXIT_OK

    again = run()

    assert (whole[0], again[0]) == (EXIT_OK, EXIT_OK)
    assert "days: 2 imported, 1 unchanged" in again[1]
    assert fingerprint(database) == expected


def test_a_day_broken_off_in_the_middle_does_not_count_as_imported(
    db_url: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a day in chunks of one solar system, and a stop that comes after the second
    monkeypatch.setattr("ingest.history.importing.CHUNK_KILLMAILS", 1)
    lines(tmp_path, DAYS[0], [archive_line(one) for one in of_day(0)])
    day = Span.parse(DAYS[0]).first
    file = Folder(tmp_path).fetch(day, None, tmp_path)
    assert isinstance(file, DayFile)
    stored: list[int] = []
    with closing(LazyConnection(db_url)) as connection:
        importer = Importer(
            connection=connection,
            source="folder",
            store=lambda database, killmails: cluster(database, killmails, Rules()),
            prices={},
            stored=stored.append,
            is_stopped=lambda: len(stored) == 2,
            now=FakeClock().time,
        )
        # when
        assert importer.run(day, file) is None
        # then: what was stored stays, and the day is read again
        assert 0 < counted(database) == sum(stored) < 144
        assert database.execute("SELECT count(*) FROM history_days").fetchone() == (0,)
        stored.append(0)
        done = importer.run(day, file)
    assert (done and done.killmails, counted(database)) == (144, 144)
    assert database.execute("SELECT killmails FROM history_days").fetchall() == [(144,)]


def test_parts_imported_beside_each_other_are_as_the_whole(
    run: Run, server: FeedsServer, database: Database
) -> None:
    for seconds in (-60, 60):  # a battle over midnight
        server.archive(esi_killmail(5000 + (seconds > 0), at=FIRST + 86_400 + seconds))
    assert run()[0] == EXIT_OK
    expected = fingerprint(database)
    empty(database)
    database.execute("DELETE FROM history_days")
    parts = [Span.parse(SPAN).part(number, 2) for number in range(2)]
    with ThreadPoolExecutor(2) as machines:
        codes = list(machines.map(lambda part: run(f"{part.first}..{part.last}")[0], parts))
    assert codes == [EXIT_OK, EXIT_OK]
    assert fingerprint(database) == expected


def test_spans_imported_beside_each_other_are_as_one_after_the_other(
    run: Run, server: FeedsServer, database: Database
) -> None:
    # given: battles over both midnights, and all of it imported by one command
    for number, midnight in enumerate((FIRST + 86_400, FIRST + 2 * 86_400)):
        for seconds in (-60, 60):
            server.archive(esi_killmail(5000 + 2 * number + (seconds > 0), at=midnight + seconds))
    assert run()[0] == EXIT_OK
    expected = fingerprint(database)
    empty(database)
    database.execute("DELETE FROM history_days")
    # when: two at once, of which both have the middle day
    with ThreadPoolExecutor(2) as machines:
        codes = list(
            machines.map(lambda span: run(span)[0], [f"{DAYS[0]}..{DAYS[1]}", f"{DAYS[1]}..{DAYS[2]}"])
        )
    # then
    assert codes == [EXIT_OK, EXIT_OK]
    assert fingerprint(database) == expected
    lasting = database.execute("SELECT count(*) FROM battles WHERE start_time::date <> end_time::date")
    assert lasting.fetchone() != (0,)


@pytest.mark.real_days
def test_real_days(run: Run, database: Database, real_data: Path) -> None:
    code, printed = run("2021-11-27..2021-12-01", folder=real_data)
    assert (code, counted(database)) == (EXIT_OK, 45_580)
    assert "days: 3 imported, 2 absent" in printed
    assert stored_digest(database) == "0136e8661e18996db3d38b15a4798fec09cff4d2d7992553d2594cfe7eb65b4a"
