"""An evening of the simulated New Eden, as an archive."""

import gzip
import io
from pathlib import Path

import pytest

from battlescope_local.simulate import write


@pytest.fixture(scope="session")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 simulated killmails, re-uploads and late arrivals included."""
    path = tmp_path_factory.mktemp("archive") / "evening.jsonl.gz"
    lines = io.StringIO()
    write(lines, seed=11, killmails=1500)
    path.write_bytes(gzip.compress(lines.getvalue().encode(), mtime=0))
    return path
