"""Somebody who does what the runbooks say, at a shell that is pointed at the emulator."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.emulator import Emulator
from tests.support.lambda_runtime import ARCHITECTURE, ROOT

PAGES = {path.name: path.read_text() for path in sorted((ROOT / "docs/runbooks").glob("*.md"))}

UNKNOWN_TO_THE_EMULATOR = (
    "restore-db-instance-to-point-in-time",
    "start-message-move-task",
    "list-message-move-tasks",
)
"""Their parameters are held against AWS' own model by its command line, which sends nothing."""

CALLS_MAX = 10
_MARK = "the context is now: "
_TELL_CONTEXT = f"printf '%s' '{_MARK}' \"$CONTEXT\""

_AWS = f"""
aws() {{
  case "$2" in
    {"|".join(UNKNOWN_TO_THE_EMULATOR)}) command aws "$@" --generate-cli-skeleton output >&2 ;;
    *) command aws "$@" --endpoint-url "$AWS_ENDPOINT_URL" ;;
  esac
}}
"""
"""The command line knows SQS and RDS by old addresses, whatever the environment names."""


def blocks(page: str) -> list[str]:
    """A page's blocks of commands, in their order."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", PAGES[page], re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def every_block() -> set[tuple[str, int]]:
    """All blocks, by page and place."""
    return {(page, place) for page in PAGES for place in range(len(blocks(page)))}


class Owner:
    """Somebody at a shell, who does what runbooks say; `CONTEXT` stays as a block left it.

    Attributes:
        done: the blocks that were run, by page and place.
    """

    def __init__(self, emulator: Emulator, context: str, **environment: str) -> None:
        self.done: set[tuple[str, int]] = set()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            **emulator.environment(),
            "PATH": f"{ROOT / '.tools/awscli/bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CDK_REQUIRE_APPROVAL": "never",  # nobody is there to approve
            "CDK_FORCE": "true",
            "ARCHITECTURE": ARCHITECTURE,
            "CONTEXT": context,
            **environment,
        }
        self._names = blocks("names.md")[0]
        self.done.add(("names.md", 0))

    def runs(self, page: str, place: int, *, typed: str = "", **changes: str) -> str:
        """Run a block; what it prints. `changes` replace names that the block leaves to its reader."""
        block = blocks(page)[place]
        for name, value in changes.items():
            assert name in block
            block = block.replace(name, value)
        self.done.add((page, place))
        return self.types(block, typed=typed)

    def types(self, commands: str, *, typed: str = "") -> str:
        """Run commands with the names set; what they print."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{_AWS}\n{self._names}\n{commands}\n{_TELL_CONTEXT}"],
            cwd=ROOT,
            env=self._environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        printed, _, self._environment["CONTEXT"] = done.stdout.rpartition(_MARK)
        return printed

    def runs_until_done(self, page: str, place: int) -> None:
        """Run a block that invokes a function until that answers that it is done."""
        for _ in range(CALLS_MAX):
            told = self.runs(page, place)
            assert "FunctionError" not in told, told
            if '"done": true' in told:
                return
        pytest.fail(f"{page}: not done after {CALLS_MAX} calls: {told}")
