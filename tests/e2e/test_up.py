"""`battlescope up`: real queue, real PostgreSQL, real processes."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from battlescope_local.data_directory import LAYOUT_VERSION
from battlescope_local.ports import free_port
from tests.support.feeds_server import FeedsServer
from tests.support.killmails import DAYS
from tests.support.laptop import digest_of, engine_digest, fingerprint_of, run, running
from tests.support.payloads import esi_killmail
from tests.support.waiting import wait_until


def up(archive: Path, data_dir: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run(
        "up",
        "--feed",
        f"archive:{archive}",
        "--once",
        "--data-dir",
        str(data_dir),
        "--port",
        str(free_port()),
        *more,
    )


def get(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, {}


def test_an_archive_through_queue_and_database_gives_the_engines_battles(
    evening: Path, tmp_path: Path
) -> None:
    done = up(evening, tmp_path / "data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing left over" in done.stdout
    assert digest_of(tmp_path / "data") == engine_digest([evening])


@pytest.mark.real_days
@pytest.mark.parametrize("day", DAYS[2:])
def test_a_real_day_through_queue_and_database(real_data: Path, tmp_path: Path, day: str) -> None:
    archive = real_data / f"killmails-{day}.jsonl.gz"
    done = up(archive, tmp_path / "data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert digest_of(tmp_path / "data") == engine_digest([archive])


def test_a_run_that_is_stopped_goes_on_where_it_was(evening: Path, tmp_path: Path) -> None:
    data_dir, quiet_dir = tmp_path / "data", tmp_path / "quiet"
    assert up(evening, quiet_dir).returncode == 0
    arguments = [
        "up",
        "--feed",
        f"archive:{evening}",
        "--once",
        "--data-dir",
        str(data_dir),
        "--port",
        str(free_port()),
    ]
    # stopped as Ctrl-C does, then killed outright, children left behind
    for ask, after_s in ((signal.SIGTERM, 4.0), (signal.SIGKILL, 4.0)):
        with running(*arguments, "--speed", "2000", log=tmp_path / "log") as process:
            time.sleep(after_s)
            assert process.poll() is None, (tmp_path / "log").read_text()
            process.send_signal(ask)
            process.wait(60)
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert fingerprint_of(data_dir) == fingerprint_of(quiet_dir)


def test_the_first_battle_of_a_simulated_evening_is_there_within_30_seconds(tmp_path: Path) -> None:
    port = free_port()
    started = time.monotonic()
    with running(
        "up",
        "--feed",
        "simulated",
        "--data-dir",
        str(tmp_path / "data"),
        "--port",
        str(port),
        log=tmp_path / "log",
    ):
        wait_until(lambda: get(port, "/battles?limit=1")[1].get("items"), 60)
        assert time.monotonic() - started < 30
        wait_until(lambda: get(port, "/healthz")[1].get("status") == "ok", 10)
    assert "SIMULATED" in (tmp_path / "log").read_text()


def test_the_live_feed_is_read_where_it_answers(tmp_path: Path) -> None:
    killmails = [esi_killmail(number, at=time.time() - 60) for number in range(1, 41)]
    port = free_port()
    with (
        FeedsServer(killmails) as server,
        running(
            "up", "--feed", "auto", "--data-dir", str(tmp_path / "data"), "--port", str(port),
            env={"R2Z2_URL": server.url}, log=tmp_path / "log",
        ),
    ):  # fmt: skip
        wait_until(lambda: get(port, "/battles?limit=1")[1].get("items"), 60)
    printed = (tmp_path / "log").read_text()
    assert "SIMULATED" not in printed
    assert "Set ZKB_USERAGENT" in printed


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("up", "--feed", "simulated", "--port", str(port), "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert (
        done.stderr == f"battlescope: port {port} is in use: stop what uses it, or name another with --port\n"
    )


def test_a_data_directory_of_a_newer_version(evening: Path, tmp_path: Path) -> None:
    (tmp_path / "version").write_text(f"{LAYOUT_VERSION + 1}\n")
    done = up(evening, tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"has layout {LAYOUT_VERSION + 1}, this BattleScope knows {LAYOUT_VERSION}" in done.stderr


def test_a_version_file_that_a_full_disk_left_empty_is_written_again(evening: Path, tmp_path: Path) -> None:
    (tmp_path / "version").write_text("")
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "queue.pid").write_text("")
    assert up(evening, tmp_path).returncode == 0
    assert (tmp_path / "version").read_text() == f"{LAYOUT_VERSION}\n"


def test_a_cursor_of_another_simulation_ends_the_run_and_says_why(tmp_path: Path) -> None:
    arguments = [
        "up",
        "--feed",
        "simulated",
        "--once",
        "--data-dir",
        str(tmp_path),
        "--port",
        str(free_port()),
    ]
    assert run(*arguments, env={"SIMULATED_HOURS": "0.5"}).returncode == 0
    done = run(*arguments, env={"SIMULATED_HOURS": "0.5", "SIMULATED_SEED": "2"})
    assert done.returncode == 3
    assert "could not be read to its end" in done.stdout
    assert "SIMULATED_SEED" in done.stdout


def test_no_disk_space(evening: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=False)
    if os.geteuid() != 0 or mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        done = up(evening, small / "data")
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert done.returncode == 1
    assert "are free where" in done.stderr
    assert "256 MB are needed" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("absent.jsonl", None, "absent.jsonl"),
        ("odd.zip", b"PK", "odd.zip"),
        ("broken.jsonl.gz", b"no gzip", "broken"),
    ],
)
def test_an_unreadable_archive(tmp_path: Path, name: str, content: bytes | None, complaint: str) -> None:
    archive = tmp_path / name
    if content is not None:
        archive.write_bytes(content)
    done = up(archive, tmp_path / "data")
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1
    assert complaint in done.stderr


def test_a_line_that_is_no_killmail_is_kept_and_reported(tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    archive.write_text('{"killmail_id": 5}\n')
    done = up(archive, tmp_path / "data")
    assert done.returncode == 3
    assert "1 rejected killmails left over" in done.stdout


def test_once_needs_a_feed_with_an_end(tmp_path: Path) -> None:
    done = run("up", "--feed", "r2z2", "--once", "--data-dir", str(tmp_path), "--port", str(free_port()))
    assert done.returncode == 1
    assert "--once needs a feed with an end" in done.stderr
