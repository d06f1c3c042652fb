"""The cluster handler as Lambda calls it: SQS events in, partial batch responses out (moto for the dead letters)."""

import json
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

import boto3
import psycopg
import pytest

from battlescope.database import Database
from battlescope.errors import SettingsError
from battlescope.killmail import Killmail
from battlescope.message import pack
from battlescope.runtime.context import Context
from cluster import handler as module
from cluster.clusterer import Outcome, cluster
from cluster.engine.rules import Rules
from tests.support.dump import stored_digest
from tests.support.killmails import kill, pilot

ALICE, BOB, CAROL = pilot(1), pilot(2), pilot(3)
TAMA, JITA = 30_002_813, 30_000_142


@pytest.fixture
def dead_letters(in_process_sqs: None) -> str:  # noqa: ARG001 - the queue is made in it
    return boto3.client("sqs").create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})[
        "QueueUrl"
    ]


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch, db_url: str, dead_letters: str) -> Iterator[Any]:
    monkeypatch.setenv("DB_URL", db_url)
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", dead_letters)
    monkeypatch.setenv("MAX_RECEIVES", "3")
    module.environment.cache_clear()
    yield module.handler
    module.environment().connection.close()
    module.environment.cache_clear()


def event(*bodies: tuple[int, str], receives: int = 1) -> dict[str, Any]:
    """An SQS event; each body with its group."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "MessageGroupId": str(group),
                    "SentTimestamp": "1640000400000",
                    "ApproximateFirstReceiveTimestamp": "1640000400000",
                    "SenderId": "x",
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:battlescope.fifo",
                "awsRegion": "eu-west-1",
            }
            for number, (group, body) in enumerate(bodies)
        ]
    }


def invoke(handler: Any, sqs_event: dict[str, Any]) -> list[str]:
    """Ids of the messages that must come again."""
    answer = handler(sqs_event, Context("cluster", 30, Event()))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def letters(url: str) -> list[tuple[str, str]]:
    """Dead letters as `(body, reason)`."""
    answer = boto3.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return [(m["Body"], m["MessageAttributes"]["reason"]["StringValue"]) for m in answer.get("Messages", [])]


def body(*killmails: Any) -> str:
    [(_, packed)] = pack(killmails)
    return packed


def test_messages_become_battles(handler: Any, database: Database) -> None:
    first, second = kill(1, 0, BOB, ALICE), kill(2, 60, CAROL, ALICE)
    assert invoke(handler, event((TAMA, body(first)), (TAMA, body(second)))) == []
    row = database.execute(
        "SELECT total_kills, losses, pilots, total_isk_destroyed, revision FROM battles"
    ).fetchone()
    assert row == (2, 2, 3, 2000, 1)


def test_a_message_that_cannot_be_read_is_dead_lettered_at_once_and_stops_nobody(
    handler: Any, database: Database, dead_letters: str
) -> None:
    good = body(kill(1, 0, BOB, ALICE), kill(2, 60, CAROL, ALICE))
    assert invoke(handler, event((TAMA, "not json"), (TAMA, good), (JITA, json.dumps({"v": 2})))) == []
    assert database.execute("SELECT count(*) FROM battles").fetchone() == (1,)
    found = dict(letters(dead_letters))
    assert set(found) == {"not json", '{"v": 2}'}
    assert "not a message of references" in found["not json"]


def test_a_failure_holds_back_its_group_only(
    handler: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:

    def fails_in_tama(connection: Database, killmails: Sequence[Killmail], rules: Rules) -> Outcome:
        if any(killmail.solar_system_id == TAMA for killmail in killmails):
            raise ZeroDivisionError("a bug")
        return cluster(connection, killmails, rules)

    monkeypatch.setattr(module, "cluster", fails_in_tama)
    tama = (TAMA, body(kill(1, 0, BOB, ALICE))), (TAMA, body(kill(2, 60, CAROL, ALICE)))
    jita = (JITA, body(kill(3, 0, BOB, ALICE, system=JITA), kill(4, 60, CAROL, ALICE, system=JITA)))
    assert invoke(handler, event(tama[0], jita, tama[1])) == ["m0", "m2"]
    assert database.execute("SELECT DISTINCT system_id FROM battles").fetchall() == [(JITA,)]


def test_a_system_that_the_database_gives_up_on_holds_back_nobody_else(
    handler: Any, database: Database, monkeypatch: pytest.MonkeyPatch, dead_letters: str
) -> None:
    def gives_up_on_tama(connection: Database, killmails: Sequence[Killmail], rules: Rules) -> Outcome:
        if any(killmail.solar_system_id == TAMA for killmail in killmails):
            raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
        return cluster(connection, killmails, rules)

    monkeypatch.setattr(module, "cluster", gives_up_on_tama)
    tama = (TAMA, body(kill(1, 0, BOB, ALICE)))
    jita = (JITA, body(kill(3, 0, BOB, ALICE, system=JITA), kill(4, 60, CAROL, ALICE, system=JITA)))
    assert invoke(handler, event(tama, jita, receives=9)) == ["m0"]
    assert database.execute("SELECT DISTINCT system_id FROM battles").fetchall() == [(JITA,)]
    assert letters(dead_letters) == []


def test_an_unknown_failure_is_dead_lettered_after_the_last_attempt(
    handler: Any, monkeypatch: pytest.MonkeyPatch, dead_letters: str
) -> None:
    def fails(*_: Any) -> Outcome:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(module, "cluster", fails)
    poison = (TAMA, body(kill(1, 0, BOB, ALICE)))
    assert invoke(handler, event(poison, receives=2)) == ["m0"]
    assert letters(dead_letters) == []
    assert invoke(handler, event(poison, receives=3)) == []
    assert letters(dead_letters) == [(poison[1], "ZeroDivisionError: a bug")]


def test_while_the_database_is_away_nothing_is_dead_lettered(
    handler: Any, monkeypatch: pytest.MonkeyPatch, dead_letters: str
) -> None:
    monkeypatch.setattr(module.environment().connection, "_db_url", "postgresql://nobody@127.0.0.1:1/nothing")
    assert invoke(handler, event((TAMA, body(kill(1, 0, BOB, ALICE))), receives=99)) == ["m0"]
    assert letters(dead_letters) == []


def test_a_broken_connection_is_opened_again(handler: Any, database: Database) -> None:
    assert invoke(handler, event((TAMA, body(kill(1, 0, BOB, ALICE))))) == []
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert invoke(handler, event((TAMA, body(kill(2, 60, CAROL, ALICE))))) == []
    assert database.execute("SELECT total_kills FROM battles").fetchone() == (2,)


def test_a_killmail_that_contradicts_what_is_stored_is_kept_with_its_reason(
    handler: Any, database: Database
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    known, other = (
        kill(1, 0, BOB, ALICE),
        replace(kill(1, 60, CAROL, ALICE, system=JITA), killmail_hash="f" * 40),
    )
    assert invoke(handler, event((TAMA, body(known)), (JITA, body(other)))) == []
    rows = database.execute("SELECT killmail_id, reason FROM rejected_killmails").fetchall()
    assert rows[0][0] == 1
    assert "known with hash" in rows[0][1]
    assert database.execute("SELECT system_id FROM killmails").fetchall() == [(TAMA,)]


def test_a_newer_upload_brings_its_value(handler: Any, database: Database) -> None:
    old = kill(1, 0, BOB, ALICE, isk=10, valued_at=1)
    new = kill(1, 0, BOB, ALICE, isk=99, valued_at=2)
    invoke(handler, event((TAMA, body(old, kill(2, 60, CAROL, ALICE, isk=1)))))
    invoke(handler, event((TAMA, body(new))))
    invoke(handler, event((TAMA, body(old))))
    assert database.execute("SELECT total_isk_destroyed, revision FROM battles").fetchone() == (100, 2)
    assert database.execute("SELECT isk_value FROM battle_killmails ORDER BY killmail_id").fetchall() == [
        (99,),
        (1,),
    ]


def test_a_delivery_that_comes_twice_changes_nothing(handler: Any, database: Database) -> None:
    message = (TAMA, body(kill(1, 0, BOB, ALICE), kill(2, 60, CAROL, ALICE)))
    invoke(handler, event(message))
    before = stored_digest(database)
    invoke(handler, event(message, receives=2))
    assert stored_digest(database) == before
    assert database.execute("SELECT revision FROM battles").fetchone() == (1,)


def test_a_wrong_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, db_url: str) -> None:
    monkeypatch.setenv("DB_URL", db_url)
    monkeypatch.setenv("MIN_KILLS", "many")
    module.environment.cache_clear()
    with pytest.raises(SettingsError, match=r"MIN_KILLS .*integer.*'many'"):
        module.handler(event(), Context("cluster", 30, Event()))
