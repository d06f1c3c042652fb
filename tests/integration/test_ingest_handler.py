"""The ingest handler as Lambda calls it: an archive into a queue (moto)."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import boto3
import pytest

from battlescope.database import Database
from battlescope.errors import SettingsError
from battlescope.message import unpack
from battlescope.runtime.context import Context
from ingest import handler as module
from tests.support.payloads import archive_line, esi_killmail

SCHEDULED = {"source": "aws.scheduler"}


@pytest.fixture
def queue_url(in_process_sqs: None) -> str:  # noqa: ARG001 - the queue is made in it
    return boto3.client("sqs").create_queue(QueueName="b.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]


@pytest.fixture
def configured(
    monkeypatch: pytest.MonkeyPatch, db_url: str, queue_url: str, tmp_path: Path
) -> Iterator[pytest.MonkeyPatch]:
    archive = tmp_path / "day.jsonl.gz"
    lines = [
        json.dumps(archive_line(esi_killmail(number, system=30_000_000 + number % 5)))
        for number in range(1, 31)
    ]
    archive.write_bytes(gzip.compress("\n".join([*lines, "not json"]).encode()))
    monkeypatch.setenv("DB_URL", db_url)
    monkeypatch.setenv("QUEUE_URL", queue_url)
    monkeypatch.setenv("ZKB_USERAGENT", "battlescope tests (nobody@example.invalid)")
    monkeypatch.setenv("FEED", f"archive:{archive}")
    module.environment.cache_clear()
    yield monkeypatch
    if module.environment.cache_info().currsize:
        module.environment().connection.close()
    module.environment.cache_clear()


@pytest.mark.usefixtures("configured")
def test_an_archive_goes_into_the_queue(database: Database, queue_url: str) -> None:
    answer = module.handler(SCHEDULED, Context("ingest", 30, Event()))
    assert answer == {"ingested": 30, "rejected": 1, "drained": True}
    messages = boto3.client("sqs").receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )["Messages"]
    found = {int(m["Attributes"]["MessageGroupId"]): unpack(m["Body"]) for m in messages}
    assert {group: message.system_id for group, message in found.items()} == {n: n for n in found}
    assert sorted(k.killmail_id for m in found.values() for k in m.killmails) == list(range(1, 31))
    assert database.execute("SELECT count(*) FROM rejected_killmails").fetchone() == (1,)
    # a second invocation finds nothing to do
    assert module.handler(SCHEDULED, Context("ingest", 30, Event()))["ingested"] == 0


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("ZKB_USERAGENT", "", "ZKB_USERAGENT is not set"),
        ("QUEUE_URL", "https://sqs.example/standard", r"QUEUE_URL .*'https://sqs.example/standard'"),
        ("DB_URL", "", "DB_URL is not set"),
        ("FEED", "carrier pigeon", r"FEED \(r2z2, redisq, simulated or archive:PATH\).*'carrier pigeon'"),
        ("REQUESTS_PER_SECOND", "50", "REQUESTS_PER_SECOND .*less than or equal to 10.*'50'"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    configured: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    configured.setenv(name, value)
    with pytest.raises(SettingsError, match=complaint):
        module.handler(SCHEDULED, Context("ingest", 30, Event()))
