"""An SQS server on loopback (ministack), with the two queues that BattleScope needs.

It keeps what it holds in memory only. `battlescope up` therefore notes up to where the feed was seen to leave the
queue, and reads again from there at its next start.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from battlescope import queue
from battlescope.errors import LaptopError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
REGION = "eu-west-1"

RETENTION_S = str(14 * 24 * 3600)
"""How long the queues keep a message: as long as SQS can."""

MAX_RECEIVES = 1000
"""A backstop only: the clusterer itself dead-letters poison, with its reason; an outage must never."""


class EmbeddedQueue:
    """A ministack process with `battlescope.fifo` and its dead-letter queue.

    Args:
        directory: where its log goes.
        port: on loopback.
        visibility_timeout_s: how long a message stays with a worker that died. Short, since workers here die seldom
            and people are waiting.
    """

    def __init__(self, directory: Path, *, port: int, visibility_timeout_s: int = 30) -> None:
        self._visibility_timeout_s = visibility_timeout_s
        self._directory = directory
        self._port = port
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the server process lives."""
        return self._server is not None and self._server.poll() is None

    @property
    def endpoint_url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def queue_url(self) -> str:
        """The queue of references."""
        return f"{self.endpoint_url}/000000000000/battlescope.fifo"

    @property
    def dead_letter_queue_url(self) -> str:
        """Where poison goes."""
        return f"{self.endpoint_url}/000000000000/battlescope-dead-letters.fifo"

    def environment(self) -> dict[str, str]:
        """What a process needs to talk to this queue."""
        return {
            "AWS_ENDPOINT_URL_SQS": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "QUEUE_URL": self.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.dead_letter_queue_url,
        }

    def start(self) -> None:
        """Start the server, wait until it answers, and make the queues. Also points this process at it.

        Raises:
            LaptopError: says what stands in the way.
        """
        self._end_orphan()
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "ministack.app"],
                env={
                    **os.environ,
                    "GATEWAY_PORT": str(self._port),
                    "BIND_HOST": "127.0.0.1",
                    "SERVICES": "sqs",
                    "MINISTACK_REGION": REGION,
                    "LOG_LEVEL": "WARNING",
                    "PYTHONWARNINGS": "ignore",
                },
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_path.write_text(str(self._server.pid))
        os.environ.update(self.environment())
        queue.client.cache_clear()
        self._make_queues()

    def stop(self) -> None:
        """Stop the server; what the queue holds is gone."""
        if self._server is None:
            return
        self._server.terminate()
        try:
            self._server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None
        self._pid_path.unlink(missing_ok=True)

    @property
    def _log_path(self) -> Path:
        return self._directory / "queue.log"

    @property
    def _pid_path(self) -> Path:
        return self._directory / "queue.pid"

    def _end_orphan(self) -> None:
        """End the server that a killed BattleScope left behind in this directory."""
        if not self._pid_path.exists():
            return
        with contextlib.suppress(ValueError, OSError):  # an empty file, a process that is gone
            pid = int(self._pid_path.read_text())
            if b"ministack.app" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
        self._pid_path.unlink()

    def _make_queues(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                _make_queues(self._visibility_timeout_s)
            except Exception as error:
                if (self._server is None or self._server.poll() is None) and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                self.stop()
                raise LaptopError(
                    f"the queue server did not start: {error} (what it printed is in {self._log_path})"
                ) from error
            return


def _make_queues(visibility_timeout_s: int) -> None:
    dead_letters = queue.client().create_queue(
        QueueName="battlescope-dead-letters.fifo",
        Attributes={"FifoQueue": "true", "MessageRetentionPeriod": RETENTION_S},
    )["QueueUrl"]
    arn = queue.client().get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])
    queue.client().create_queue(
        QueueName="battlescope.fifo",
        Attributes={
            "FifoQueue": "true",
            "VisibilityTimeout": str(visibility_timeout_s),
            "MessageRetentionPeriod": RETENTION_S,
            "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": str(MAX_RECEIVES)}
            ),
        },
    )
