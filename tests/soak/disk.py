"""A small file system that can be full."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK = bytes(1 << 16)


@contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[Path]:
    """A file system in memory at `directory`, as long as the block lasts. Needs root."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(directory)], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def can_mount(directory: Path) -> bool:
    """Whether this process may."""
    if os.geteuid() != 0:
        return False
    try:
        with small_disk(directory / "probe", 1):
            return True
    except subprocess.CalledProcessError:
        return False


def fill(file: Path) -> int:
    """Write into `file` until nothing more fits; how many bytes did."""
    written = 0
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                written += out.write(CHUNK)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return written
