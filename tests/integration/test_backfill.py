"""`battlescope backfill`, as its command runs it: from the sources on loopback and from folders, good and bad."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from battlescope.database import Database, LazyConnection
from battlescope.killmail import Killmail
from battlescope.message import pack, unpack
from battlescope_local.backfill import EXIT_COMPLAINTS, EXIT_OK, EXIT_STOPPED, backfill
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.history.days import Span
from ingest.history.download import HistoryUnavailableError
from ingest.history.folder import Folder
from ingest.history.importing import Importer
from ingest.history.source import DayFile
from ingest.payload import parse_killmail
from tests.support.clock import FakeClock
from tests.support.dump import empty, fingerprint, stored_digest
from tests.support.feeds_server import CUT_OFF, SERVER_ERROR, Answer, FeedsServer, refused
from tests.support.history_files import listing, raw_day, tar_bz2
from tests.support.payloads import Json, archive_line, esi_killmail, r2z2_file, zkb

FIRST = datetime(2026, 3, 28, tzinfo=UTC).timestamp()
SPAN = "2026-03-28..2026-03-30"
DAYS = ("2026-03-28", "2026-03-29", "2026-03-30")
KILLMAILS = [
    esi_killmail(1000 + number, at=FIRST + number * 600, system=30_000_001 + number // 6 % 4)
    for number in range(3 * 144)
]

type Run = Callable[..., tuple[int, str]]


@pytest.fixture
def server() -> Iterator[FeedsServer]:
    with FeedsServer() as running:
        for killmail in KILLMAILS:
            running.archive(killmail)
        yield running


@pytest.fixture
def run(db_url: str, server: FeedsServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command; its exit code and what it printed."""
    for name, value in {
        "DB_URL": db_url,
        "ZKB_USERAGENT": "battlescope-tests/1 (contact: nobody@example.org)",
        "EVEREF_URL": server.url,
        "R2Z2_URL": server.url,
        "ESI_URL": server.url,
        "HISTORY_REQUESTS_PER_SECOND": "10",
        "HISTORY_WAIT_MAX_S": "2",
        "HISTORY_RECHECK_HOURS": "0",
    }.items():
        monkeypatch.setenv(name, value)

    def command(span: str = SPAN, *, stop: Event | None = None, **options: object) -> tuple[int, str]:
        printed = io.StringIO()
        chosen = {"folder": None, "force": False} | options
        code = backfill(
            Span.parse(span),
            stop=stop or Event(),
            console=Console(file=printed),
            **chosen,  # type: ignore[arg-type]
        )
        return code, printed.getvalue()

    return command


def counted(database: Database) -> int:
    row = database.execute("SELECT count(*) FROM killmails").fetchone()
    assert row is not None
    return int(row[0])


def rejections(database: Database) -> list[tuple[int | None, str]]:
    rows = database.execute("SELECT killmail_id, reason FROM rejected_killmails ORDER BY reason").fetchall()
    return [(row[0], row[1]) for row in rows]


def of_day(number: int) -> list[Json]:
    return KILLMAILS[144 * number : 144 * (number + 1)]


def lines(folder: Path, day: str, killmails: list[Json]) -> Path:
    path = folder / f"killmails-{day}.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in killmails).encode()))
    return path


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


def test_a_stop_ends_the_run_in_good_order(run: Run, database: Database) -> None:
    stop = Event()
    stop.set()
    code, printed = run(stop=stop)
    assert code == EXIT_STOPPED
    assert printed.endswith("stopped: the same command goes on from here\n")
    assert counted(database) == 0


def test_a_source_that_fails_is_asked_again_and_one_that_refuses_is_not(
    run: Run, server: FeedsServer, database: Database
) -> None:
    server.script("/killmails/2026/", SERVER_ERROR, CUT_OFF)
    assert run(DAYS[0])[0] == EXIT_OK
    assert counted(database) == 144

    server.script("/killmails/2026/killmails-2026-03-29", refused(429, "3600"))
    with pytest.raises(HistoryUnavailableError, match=r"answered 429: ask again in 3600 s"):
        run(f"{DAYS[1]}..{DAYS[2]}")
    assert not server.asked("/killmails/2026/killmails-2026-03-30")


def test_a_file_larger_than_can_be_is_not_read_to_its_end(
    run: Run, server: FeedsServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY_MEGABYTES_MAX", "1")
    monkeypatch.setenv("HISTORY_WAIT_MAX_S", "1.5")
    server.placed["/killmails/2026/killmails-2026-03-28.tar.bz2"] = bytes(2 * 1024 * 1024)
    with pytest.raises(HistoryUnavailableError, match="HISTORY_MEGABYTES_MAX"):
        run(DAYS[0])
    assert counted(database) == 0


def test_days_that_are_not_there(run: Run, server: FeedsServer, tmp_path: Path) -> None:
    assert run("2027-01-01")[0] == EXIT_COMPLAINTS  # nothing at all
    code, printed = run("2026-03-30..2026-03-31")
    assert (code, "days: 1 imported, 1 absent" in printed) == (EXIT_OK, True)
    server.script("/killmails/2026/", Answer(404, body=b""))
    code, printed = run(DAYS[0])
    assert code == EXIT_COMPLAINTS
    assert "144 killmails are listed, but there is no file" in printed
    with pytest.raises(Exception, match="no such folder"):
        run(folder=tmp_path / "nowhere")


def test_a_truncated_archive(run: Run, database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path, DAYS[0], [archive_line(one) for one in of_day(0)])
    path.write_bytes(path.read_bytes()[:-400])

    code, printed = run(DAYS[0], folder=tmp_path)

    assert code == EXIT_COMPLAINTS
    assert f"the archive {path} is cut off or damaged after record" in printed
    assert 0 < counted(database) < 144
    assert "days: 1 failed" in run(DAYS[0], folder=tmp_path)[1]  # it is not taken for imported
    lines(tmp_path, DAYS[0], [archive_line(one) for one in of_day(0)])
    assert run(DAYS[0], folder=tmp_path)[0] == EXIT_OK
    assert counted(database) == 144


def test_members_that_are_no_killmails_are_named_and_kept_and_the_rest_is_imported(
    run: Run, server: FeedsServer, database: Database, tmp_path: Path
) -> None:
    good = [archive_line(one) for one in of_day(0)[:10]]
    future = archive_line(esi_killmail(5005, at=FakeClock().now + 400 * 86_400 * 20))
    negative = esi_killmail(5006)
    negative["victim"]["items"][0]["quantity_dropped"] = -3
    server.prices = [{"type_id": 11129, "average_price": 1}]
    members: dict[str, Json | bytes] = {f"killmails/{one['killmail_id']}.json": one for one in good}
    members |= {
        "killmails/5001.json": b'{"killmail_id": 5001, "attackers',
        "killmails/5002.json": b"[1, 2]",
        "killmails/again/1000.json": good[0],
        "killmails/5003.json": archive_line(esi_killmail(5003)) | {"attackers": []},
        "killmails/5004.json": archive_line(esi_killmail(7777)),
        "killmails/5005.json": future,
        "killmails/5006.json": archive_line(negative),
        "killmails/5007.json": {
            name: field for name, field in archive_line(esi_killmail(5007)).items() if name != "killmail_time"
        },
        "killmails/5008.json": esi_killmail(5008),
        "killmails/5009.json": r2z2_file(esi_killmail(5009), sequence=1, uploaded_at=FIRST, value=-5.0),
    }
    (tmp_path / f"killmails-{DAYS[0]}.tar.bz2").write_bytes(tar_bz2(members))

    code, printed = run(DAYS[0], folder=tmp_path)

    assert (code, counted(database)) == (EXIT_COMPLAINTS, 10)
    assert "days: 1 imported; killmails: 10; complaints: 10" in printed
    file = f"killmails-{DAYS[0]}.tar.bz2"
    found = rejections(database)
    for (killmail_id, reason), (known_id, expected) in zip(
        found,
        [
            (5001, "5001.json: not JSON"),
            (5002, "5002.json: not a killmail, but other JSON"),
            (5003, "5003.json: attackers: List should have at least 1 item"),
            (5004, "5004.json: killmail_id: it is 7777"),
            (5005, "5005.json: killmail_time: lies in the future"),
            (5006, "5006.json: victim.items.quantity_dropped: must be a whole number from 0 on"),
            (5007, "5007.json: killmail_time: Field required"),
            (5008, "5008.json: killmail_hash: none is given"),
            (5009, "5009.json: totalValue: Input should be greater than or equal to 0"),
            (1000, "again/1000.json: killmail 1000 was there before, as killmails/1000.json"),
        ],
        strict=True,
    ):
        assert killmail_id == known_id
        assert reason.startswith(f"{file}, killmails/{expected}")
        assert reason in printed.replace("\n", "")
    # what was told once is no complaint of the next run, which finds the day imported
    assert run(DAYS[0], folder=tmp_path)[0] == EXIT_OK


def test_a_raw_day_without_its_hashes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "20260328.json").write_bytes(raw_day(of_day(0)))
    code, printed = run(DAYS[0], folder=tmp_path)
    assert code == EXIT_COMPLAINTS
    assert "has no hashes: put R2Z2's history/20260328.json at" in printed


@pytest.mark.real_days
def test_real_days(run: Run, database: Database, real_data: Path) -> None:
    code, printed = run("2021-11-27..2021-12-01", folder=real_data)
    assert (code, counted(database)) == (EXIT_OK, 45_580)
    assert "days: 3 imported, 2 absent" in printed
    assert stored_digest(database) == "0136e8661e18996db3d38b15a4798fec09cff4d2d7992553d2594cfe7eb65b4a"
