"""What Lambda would run, built for this machine."""

from pathlib import Path

import pytest

from tests.support.lambda_runtime import Package, build


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The layer and the functions' code."""
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def placeholder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that stands for the real one where only templates are looked at."""
    root = tmp_path_factory.mktemp("placeholder")
    for part in ("layer", "functions"):
        (root / part).mkdir()
        (root / part / "placeholder.py").write_text("")
    return root
