"""Parts that run on a schedule: started when they are due, and heard when they fail."""

import time
from pathlib import Path

from battlescope_local.parts import Schedule

PATIENCE_S = 20.0
WORKS = ["simulate", "--killmails", "1"]
FAILS = ["score", "--labels", "nowhere.csv", "--archive", "nowhere.jsonl"]


def schedule(folder: Path, arguments: list[str], *, first_after_s: float = 0, every_s: float) -> Schedule:
    return Schedule("work", arguments, folder / "work.log", first_after_s=first_after_s, every_s=every_s)


def ended(work: Schedule) -> Schedule:
    deadline = time.monotonic() + PATIENCE_S
    while work.process_id is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert work.process_id is None
    return work


def test_does_not_run_before_its_time(tmp_path: Path) -> None:
    work = schedule(tmp_path, WORKS, first_after_s=3600, every_s=3600)
    work.start()
    assert (work.process_id, work.exit_code) == (None, None)
    assert work.revive() is None
    work.ask_to_stop()
    work.wait()


def test_is_not_started_again_before_it_is_due(tmp_path: Path) -> None:
    work = schedule(tmp_path, WORKS, every_s=3600)
    work.start()
    assert ended(work).exit_code == 0
    assert work.revive() is None
    assert work.process_id is None


def test_is_started_again_when_it_is_due(tmp_path: Path) -> None:
    work = schedule(tmp_path, WORKS, every_s=0)
    work.start()
    first = work.process_id
    ended(work)
    assert work.revive() is None
    assert work.process_id not in {None, first}
    work.ask_to_stop()
    work.wait()


def test_a_run_that_failed_is_told_once(tmp_path: Path) -> None:
    work = schedule(tmp_path, FAILS, every_s=3600)
    work.start()
    ended(work)
    note = work.revive()
    assert note is not None
    assert note.startswith("work ended with ")
    assert "nowhere" in note
    assert work.revive() is None
