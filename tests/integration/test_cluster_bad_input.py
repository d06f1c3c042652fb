"""The cluster handler among messages that are not what they should be: the bad ones go, and nobody waits for them."""

import json
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import boto3
import pytest

from battlescope.database import Database, connect
from battlescope.errors import MessageError
from battlescope.killmail import Attacker, Killmail, Pilot, canonical_attackers
from battlescope.message import pack, unpack
from battlescope.queue import REASON_LENGTH_MAX
from battlescope_local.new_eden import START, hours
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds.upload import read_upload
from tests.conftest import made_database
from tests.integration import test_cluster_handler
from tests.integration.test_cluster_handler import ALICE, BOB, CAROL, JITA, TAMA, body, event, invoke, letters
from tests.support.dump import stored_digest
from tests.support.killmails import kill
from tests.support.mutations import mutant_of, spelt

dead_letters, handler = test_cluster_handler.dead_letters, test_cluster_handler.handler

BATCHES, OF = 40, 10


@pytest.fixture
def other_database(postgres: Any) -> Iterator[Database]:
    """Another database, for what the first must equal."""
    with made_database(postgres) as url, connect(url) as connection:
        yield connection


def simulated() -> list[Killmail]:
    some = islice((one for hour in hours(5, START // 3600) for one in hour), 150)
    read = [read_upload(spelt(one)).item for one in some]
    return [item for item in read if isinstance(item, Killmail)]


def readable(text: str) -> list[Killmail] | None:
    try:
        return list(unpack(text).killmails)
    except MessageError:
        return None


def all_letters(url: str) -> Iterator[tuple[str, str]]:
    """Every dead letter; what was read is deleted, since a group's next letter waits for that."""
    sqs = boto3.client("sqs")
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        if not answer.get("Messages"):
            return
        for message in answer["Messages"]:
            yield message["Body"], message["MessageAttributes"]["reason"]["StringValue"]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_of_batches_with_mutants_the_bad_are_dead_lettered_and_all_others_processed(
    handler: Any, database: Database, other_database: Database, dead_letters: str
) -> None:
    chance = Random(8)
    killmails = simulated()
    good: list[Killmail] = []
    bad: set[str] = set()
    for number in range(BATCHES):
        messages: list[tuple[int, str]] = []
        for _ in range(OF):
            killmail = chance.choice(killmails)
            text = body(killmail)
            if chance.random() < 0.5:
                # As a queue can hold it: characters that SQS takes.
                mutant = mutant_of(json.loads(text), chance).decode(errors="replace")
                text = mutant.replace("\0", " ") or "?"
            messages.append((killmail.solar_system_id, text))
            if (held := readable(text)) is None:
                bad.add(text)
            else:
                good.extend(held)

        batch = event(*messages)
        for record in batch["Records"]:
            record["messageId"] += f"-{number}"  # or they would count as sent before
        assert invoke(handler, batch) == []

    found = dict(all_letters(dead_letters))
    assert set(found) == bad
    assert all("\n" not in reason for reason in found.values())
    cluster(other_database, good, Rules())
    assert stored_digest(database) == stored_digest(other_database)
    assert len(bad) > BATCHES
    assert len(good) > BATCHES


@pytest.mark.parametrize("key", ["\0", "\b", "\uffff", "x" * 5000])
def test_no_reason_keeps_a_message_in_the_queue(handler: Any, dead_letters: str, key: str) -> None:
    odd = json.dumps({**json.loads(body(kill(1, 0, BOB, ALICE))), key: 1})

    assert invoke(handler, event((TAMA, odd))) == []

    [(_, reason)] = letters(dead_letters)
    assert "\0" not in reason
    assert "\b" not in reason
    assert "\uffff" not in reason
    assert len(reason) <= REASON_LENGTH_MAX


@pytest.mark.parametrize(
    "change",
    [
        {"system_id": 2**63},
        {"killmail_time": 2**40},
        {"killmail_time": 0},
        {"damage": 2**31},
        {"damage": -1},
        {"character": 2**63},
        {"ship": 2**40},
        {"isk": 2**60 - 1},
    ],
    ids=str,
)
def test_what_the_database_has_no_room_for_is_dead_lettered_at_its_first_delivery(
    handler: Any, database: Database, dead_letters: str, change: dict[str, int]
) -> None:
    document = json.loads(body(kill(1, 0, BOB, ALICE)))
    row = document["killmails"][0]
    document["system_id"] = change.get("system_id", TAMA)
    row[2] = change.get("killmail_time", row[2])
    row[4][0][0] = change.get("character", row[4][0][0])
    row[4][0][3] = change.get("ship", row[4][0][3])
    row[4][0][4] = change.get("damage", row[4][0][4])
    row[5] = change.get("isk", row[5])
    behind = body(kill(2, 0, BOB, ALICE), kill(3, 60, CAROL, ALICE))
    jita = body(kill(4, 0, BOB, ALICE, system=JITA), kill(5, 60, CAROL, ALICE, system=JITA))

    assert invoke(handler, event((TAMA, json.dumps(document)), (TAMA, behind), (JITA, jita))) == []

    [(_, reason)] = letters(dead_letters)
    assert "not a message of references: " in reason
    assert database.execute("SELECT count(*) FROM battles").fetchone() == (2,)


def test_killmails_of_ten_thousand_attackers_and_the_widest_ids_are_battles_like_others(
    handler: Any, database: Database, dead_letters: str
) -> None:
    top = 2**53 - 1
    crowd = [
        Attacker(90_000_000 + n, 98_000_000 + n, 99_000_000 + n % 3000, 587, n, n == 0) for n in range(10_000)
    ]
    wide = [Attacker(top - n, top - 100 - n, top - 200 - n, 2**31 - 1, 2**31 - 1, False) for n in range(3)]
    killmails = [
        Killmail(
            killmail_id=killmail_id,
            killmail_hash=f"{killmail_id:040x}"[-40:],
            killmail_time=START,
            solar_system_id=2**31 - 1,
            victim=Pilot(top, top - 100, top - 200, 587),
            attackers=canonical_attackers(attackers),
            isk_value=10**14,
            valued_at=2**40 - 1,
        )
        for killmail_id, attackers in ((top, wide), (top - 1, [*crowd, *wide]))
    ]

    assert invoke(handler, event(*pack(killmails))) == []

    assert letters(dead_letters) == []
    row = database.execute(
        "SELECT system_id, space_type, total_kills, total_isk_destroyed, pilots FROM battles"
    ).fetchone()
    assert row == (2**31 - 1, "unknown", 2, 2 * 10**14, 10_003)
