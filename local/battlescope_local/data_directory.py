"""The directory where a laptop keeps its data, `.battlescope/` by default."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Self

from battlescope.errors import LaptopError

LAYOUT_VERSION = 1
"""Of what lies in the directory; a newer BattleScope may lay it out anew."""

FREE_BYTES_MIN = 256 * 1024 * 1024
"""PostgreSQL needs about 60 MB for an empty cluster and its log, and must never meet a full disk."""


class DataDirectory:
    """The data directory, held by one BattleScope at a time (as a context manager)."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        """What the parts print."""
        return self.path / "logs"

    def __enter__(self) -> Self:
        """Make the directory where there is none, and hold it.

        Raises:
            LaptopError: another BattleScope holds it, a newer one made it, or the disk is full.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._check_space()
            self._check_version()
        except BlockingIOError:
            raise LaptopError(
                f"another BattleScope is using {self.path}: stop it, or name another --data-dir"
            ) from None
        except OSError as error:
            raise LaptopError(
                f"the data directory {self.path} cannot be used ({error.strerror}): name another --data-dir"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _check_version(self) -> None:
        version_path = self.path / "version"
        held = version_path.read_text().strip() if version_path.exists() else ""
        if not held:  # a disk that was full leaves an empty file
            fresh_path = version_path.with_suffix(".new")
            fresh_path.write_text(f"{LAYOUT_VERSION}\n")
            fresh_path.replace(version_path)
        elif held != str(LAYOUT_VERSION):
            raise LaptopError(
                f"{self.path} has layout {held}, this BattleScope knows {LAYOUT_VERSION}: "
                "use the newer BattleScope that made it, or name another --data-dir"
            )

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < FREE_BYTES_MIN:
            raise LaptopError(
                f"only {free // 2**20} MB are free where {self.path} lies, and {FREE_BYTES_MIN // 2**20} MB are needed: "
                "free some, or name another --data-dir"
            )
