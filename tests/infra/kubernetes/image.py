"""The image without Docker: the Dockerfile's steps, run on this machine below another root."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.infra.kubernetes.manifests import ROOT

MOVED = re.compile(r"(?<![\w.])(/opt/battlescope|/build)\b")
"""Folders of the image that lie below `root` here."""


@dataclass(frozen=True)
class Image:
    """What a container would be started from.

    Attributes:
        root: stands for `/`.
        environment: of every process.
        entrypoint: begins every command.
        command: where a container names none.
    """

    root: Path
    environment: dict[str, str]
    entrypoint: list[str]
    command: list[str]

    def here(self, text: str) -> str:
        """A path or a command of the image, as it is on this machine."""
        return MOVED.sub(lambda found: f"{self.root}{found[0]}", text)


def build(root: Path) -> Image:
    """Run the build stage; the last stage says what a process is given."""
    image = Image(root, {}, [], [])
    stage = 0
    entrypoint: list[str] = []
    command: list[str] = []
    for instruction, words in _instructions((ROOT / "Dockerfile").read_text()):
        if instruction == "FROM":
            stage += 1
        elif stage == 1 and instruction == "COPY":
            _copy(root / "build", shlex.split(words))
        elif stage == 1 and instruction == "RUN":
            _run(image, words)
        elif stage == 2 and instruction == "ENV":
            for assignment in shlex.split(words):
                name, _, value = assignment.partition("=")
                image.environment[name] = image.here(value).replace("$PATH", "/usr/bin:/bin")
        elif instruction == "ENTRYPOINT":
            entrypoint = _words(words)
        elif instruction == "CMD":
            command = _words(words)
    return Image(root, image.environment, entrypoint, command)


def _instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in dockerfile.splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, words = line.partition(" ")
        if instruction:
            yield instruction, words


def _copy(workdir: Path, arguments: list[str]) -> None:
    *sources, target = arguments
    for name in sources:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, workdir / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place = workdir / target / source.name if target.endswith("/") else workdir / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


def _run(image: Image, command: str) -> None:
    base = image.root / "usr" / "local" / "bin"  # where the base image has its Python
    if not base.exists():
        base.mkdir(parents=True)
        (base / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    # The machine's own settings of pip stay: they say where packages come from here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        ["bash", "-euc", image.here(command)],
        cwd=image.root / "build",
        env={**environment, "PATH": f"{base}:/usr/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _words(exec_form: str) -> list[str]:
    return [word.strip(' "') for word in exec_form.strip("[] ").split(",")]
