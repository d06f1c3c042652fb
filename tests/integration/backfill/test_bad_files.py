"""`battlescope backfill` where sources fail and files are broken."""

from pathlib import Path
from threading import Event

import pytest

from battlescope.database import Database
from battlescope_local.backfill import EXIT_COMPLAINTS, EXIT_OK, EXIT_STOPPED
from battlescope_local.cli import EXIT_STAY_AWAY
from ingest.history.download import HistoryUnavailableError
from tests.integration.backfill.days import DAYS, FIRST, Run, counted, lines, of_day, rejections
from tests.support import laptop
from tests.support.answers import CUT_OFF, SERVER_ERROR, Answer, refused
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer
from tests.support.history_files import raw_day, tar_bz2
from tests.support.payloads import Json, archive_line, esi_killmail, r2z2_file


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
    assert run("2027-01-01", lenient=True)[0] == EXIT_OK
    code, printed = run("2026-03-30..2026-03-31")
    assert (code, "days: 1 imported, 1 absent" in printed) == (EXIT_OK, True)
    server.script("/killmails/2026/", Answer(404, body=b""))
    code, printed = run(DAYS[0])
    assert code == EXIT_COMPLAINTS
    assert "144 killmails are listed, but there is no file" in printed
    server.script("/killmails/2026/", Answer(404, body=b""))
    assert run(DAYS[0], lenient=True)[0] == EXIT_OK
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


def test_a_day_that_failed_is_worth_another_try_whatever_else_is_overlooked(run: Run, tmp_path: Path) -> None:
    lines(tmp_path, DAYS[0], [*map(archive_line, of_day(0)), {"killmail_id": 1}])
    whole = lines(tmp_path, DAYS[1], [archive_line(one) for one in of_day(1)])
    assert run(f"{DAYS[0]}..{DAYS[1]}", folder=tmp_path)[0] == EXIT_COMPLAINTS
    assert run(f"{DAYS[0]}..{DAYS[1]}", folder=tmp_path, force=True, lenient=True)[0] == EXIT_OK
    whole.write_bytes(whole.read_bytes()[:-500])
    assert run(DAYS[1], folder=tmp_path, force=True, lenient=True)[0] == EXIT_COMPLAINTS


def test_a_source_that_wants_us_away_has_an_exit_code_of_its_own(db_url: str, server: FeedsServer) -> None:
    server.always("/killmails/2026/", refused(429, "3600"))
    done = laptop.run(
        "backfill",
        DAYS[0],
        env={
            "DB_URL": db_url,
            "EVEREF_URL": server.url,
            "ESI_URL": server.url,
            "ZKB_USERAGENT": "battlescope-tests/1 (contact: nobody@example.org)",
        },
    )
    assert done.returncode == EXIT_STAY_AWAY
    assert "battlescope: " in done.stderr
    assert "ask again in 3600 s" in done.stderr
