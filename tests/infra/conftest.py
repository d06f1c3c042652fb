"""What Lambda would run, built for this machine."""

import pytest

from tests.support.lambda_runtime import Package, build


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The layer and the functions' code."""
    return build(tmp_path_factory.mktemp("package"))
