"""SQS in this process, for handlers that are called in it; and connections as handlers keep them."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from battlescope import queue
from battlescope.database import LazyConnection


@pytest.fixture
def in_process_sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQS as moto has it; whoever makes queues in it makes them with boto3."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_SQS", raising=False)
    with mock_aws():
        queue.client.cache_clear()
        yield
        queue.client.cache_clear()


@pytest.fixture
def connection(db_url: str) -> Iterator[LazyConnection]:
    """To the test's own database."""
    opened = LazyConnection(db_url)
    yield opened
    opened.close()
