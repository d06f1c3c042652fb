"""Lambda's runtime without Docker: the runtime interface emulator that SAM's CLI ships, and AWS' own runtime client.

A function sees what it sees in Lambda: the layer, its code, boto3 from the runtime, and nothing else.
"""

import json
import os
import platform
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from battlescope_local.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
"""This machine's, in Lambda's words."""

_RAPID = ROOT / ".tools/sam/lib/python3.13/site-packages/samcli/local/rapid"
_PYTHON = ROOT / ".tools/runtime/bin/python"
_START_TIMEOUT_S = 10.0


class Package(NamedTuple):
    """What a deployment uploads."""

    layer: Path
    code: Path


def build(target: Path) -> Package:
    """The layer and the functions' code for this machine's processor, by the recipes of SAM and CDK."""
    package = Package(target / "layer", target / "functions")
    for recipe, directory in (("layers/common", package.layer), ("functions", package.code)):
        subprocess.run(
            [
                "make", "--silent", "-C", recipe, "build-CommonLayer" if recipe.startswith("layers") else "build-All",
                f"ARTIFACTS_DIR={directory}", f"ARCHITECTURE={ARCHITECTURE}", f"PYTHON={_PYTHON}",
            ],
            cwd=ROOT,
            check=True,
        )  # fmt: skip
    return package


class LambdaRuntime:
    """One function in one environment, as Lambda keeps it between invocations."""

    def __init__(
        self, handler: str, package: Package, environment: Mapping[str, str], *, timeout_s: int, log: Path
    ) -> None:
        self._port = free_port()
        self._log = log
        command = [
            str(_RAPID / f"aws-lambda-rie-{ARCHITECTURE}"),
            "--runtime-interface-emulator-address", f"127.0.0.1:{self._port}",
            "--runtime-api-address", f"127.0.0.1:{free_port()}",
            str(_PYTHON), "-m", "awslambdaric", handler,
        ]  # fmt: skip
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": f"{package.code}:{package.layer / 'python'}",
                    "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only
                    "LAMBDA_TASK_ROOT": str(package.code),
                    "AWS_LAMBDA_FUNCTION_NAME": handler.split(".", maxsplit=1)[0],
                    "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                    "TZ": ":UTC",
                    **environment,
                },
                cwd=package.code,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)  # the emulator answers no gentler signal in time
        self._process.wait()

    def invoke(self, event: object) -> Any:
        """The handler's answer; an error it raised is `{"errorType": ..., "errorMessage": ...}`, as Lambda's."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/2015-03-31/functions/function/invocations",
            data=json.dumps(event).encode(),
        )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - on loopback
                    return json.load(answer)
            except urllib.error.URLError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)

    def printed(self) -> list[dict[str, Any]]:
        """The lines of JSON among what the function printed: logs and metrics."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    @property
    def peak_memory_mb(self) -> float:
        """The most memory that the runtime's process had at a time."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob(
            "*/children"
        )  # whichever thread of it started the child
        (child,) = [child for task in tasks for child in task.read_text().split()]
        status = Path(f"/proc/{child}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) / 1024
