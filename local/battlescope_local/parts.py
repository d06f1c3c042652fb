"""The parts of a running BattleScope as child processes: the very commands that pods run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

STOP_TIMEOUT_S = 40.0
"""A part finishes what it has in hand; then it is killed."""

PAUSE_MAX_S = 30.0

PARENT_VARIABLE = "BATTLESCOPE_PARENT_PID"
"""Tells a part whose child it is, so that it ends when that process is gone."""


class Part:
    """One child process, started again where it dies; `environment` is its own beside this process's."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log_path: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", "battlescope_local.cli", *arguments]
        self._environment = {**os.environ, **(environment or {}), PARENT_VARIABLE: str(os.getpid())}
        self._log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None
        self._pause_s = 1.0
        self._due = 0.0

    @property
    def process_id(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """How the process ended, if it did."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the process; its output goes to its log."""
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def revive(self) -> str | None:
        """Start the process again where it died, pausing longer each time; says what happened, if anything did."""
        if self._process is None or self._process.poll() is None:
            return None
        now = time.monotonic()
        if self._due == 0.0:
            self._due = now + self._pause_s
            return f"{self.name} ended with {self._process.returncode}: {self.last_words()}"
        if now >= self._due:
            self._due = 0.0
            self._pause_s = min(self._pause_s * 2, PAUSE_MAX_S)
            self.start()
        return None

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Wait for the process to end; kill it where it takes too long."""
        if self._process is None:
            return
        try:
            self._process.wait(max(timeout_s, 0.1))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The last line of its log."""
        try:
            lines = self._log_path.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:300] if lines else ""


class Schedule(Part):
    """A part that does its work and ends, and is started again after a while, as a schedule in the cloud would.

    Args:
        name: what it is called.
        arguments: of the command.
        log_path: where its output goes.
        first_after_s: how long after the start of everything it runs first.
        every_s: from the start of one run to that of the next.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], log_path: Path, *, first_after_s: float, every_s: float
    ) -> None:
        super().__init__(name, arguments, log_path)
        self._every_s = every_s
        self._next = time.monotonic() + first_after_s
        self._told: int | None = None

    def start(self) -> None:
        """Run it where it is due."""
        if self.process_id is None and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every_s
            self._told = None
            super().start()

    def revive(self) -> str | None:
        """Run it where it is due; says, once, that a run did not go well."""
        self.start()
        if not self.exit_code or self._told == self.exit_code:
            return None
        self._told = self.exit_code
        return f"{self.name} ended with {self.exit_code}: {self.last_words()}"


def wait_for_parent(stop: Event, parent_process_id: int) -> None:
    """Set `stop` when the process that started this one is gone."""
    while os.getppid() == parent_process_id:
        time.sleep(1.0)
    stop.set()
