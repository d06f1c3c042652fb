"""The one place that talks to SQS: FIFO, a message group per solar system.

boto3 takes a third of a second to import, so it is imported when the first client is made.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from battlescope.errors import QueueError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH_ENTRIES_MAX = 10
BATCH_BYTES_MAX = 256 * 1024
SEND_ATTEMPTS = 4

REASON_LENGTH_MAX = 1000
"""Of a dead letter's reason, in characters."""

_NOT_TAKEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that SQS takes in no message, whose refusal would look as if the queue were away."""


@cache
def client() -> "SQSClient":
    """The SQS client; region, credentials and a local endpoint come from the usual AWS variables."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        "sqs",
        config=Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 5}),
    )


class Outgoing(NamedTuple):
    """A message on its way."""

    group: str
    body: str

    @property
    def deduplication_id(self) -> str:
        """Told from the content, so that a message sent twice within five minutes arrives once."""
        return hashlib.sha256(self.body.encode()).hexdigest()


def send(queue_url: str, messages: Iterable[Outgoing]) -> None:
    """Send messages; returns only when the queue has taken every one of them.

    Raises:
        QueueError: it did not, after bounded attempts. Some messages may have been taken.
    """
    for batch in _batches(messages):
        _send_batch(queue_url, batch)


def send_dead_letter(queue_url: str, record: dict[str, Any], reason: str) -> None:
    """Put a received message (a record of Lambda's SQS event) into a dead-letter queue, with the reason beside it."""
    try:
        client().send_message(
            QueueUrl=queue_url,
            MessageBody=record["body"],
            MessageGroupId=record["attributes"].get("MessageGroupId", "unknown"),
            MessageDeduplicationId=record["messageId"],
            MessageAttributes={
                "reason": {"DataType": "String", "StringValue": _sendable(reason)},
                "original_message_id": {"DataType": "String", "StringValue": record["messageId"]},
            },
        )
    except _client_errors() as error:
        raise QueueError(
            f"the dead-letter queue did not take message {record['messageId']}: {error}"
        ) from error


def _sendable(reason: str) -> str:
    """A reason in the characters that SQS takes, so that none keeps its message in the queue for ever."""
    return _NOT_TAKEN.sub("\N{REPLACEMENT CHARACTER}", reason[:REASON_LENGTH_MAX]) or "unknown"


def depth(queue_url: str) -> int:
    """Messages waiting or in flight, about."""
    try:
        answer = client().get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
    except _client_errors() as error:
        raise QueueError(f"the queue {queue_url} does not tell its depth: {error}") from error
    return sum(int(number) for number in answer["Attributes"].values())


def _send_batch(queue_url: str, batch: Sequence[Outgoing]) -> None:
    entries: dict[str, SendMessageBatchRequestEntryTypeDef] = {
        str(index): {
            "Id": str(index),
            "MessageBody": message.body,
            "MessageGroupId": message.group,
            "MessageDeduplicationId": message.deduplication_id,
        }
        for index, message in enumerate(batch)
    }
    for _ in range(SEND_ATTEMPTS):
        try:
            answer = client().send_message_batch(QueueUrl=queue_url, Entries=list(entries.values()))
        except _client_errors() as error:
            raise QueueError(
                f"the queue {queue_url} did not take {len(entries)} messages: {error}"
            ) from error
        failed = answer.get("Failed", [])
        if not failed:
            return
        entries = {failure["Id"]: entries[failure["Id"]] for failure in failed}
    raise QueueError(
        f"the queue {queue_url} refused {len(entries)} messages {SEND_ATTEMPTS} times: "
        f"{failed[0]['Code']} {failed[0].get('Message', '')}"
    )


def _batches(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Batches within SQS' limits on entries and on bytes, in order."""
    held: list[Outgoing] = []
    size = 0
    for message in messages:
        length = len(message.body.encode())
        if held and (len(held) == BATCH_ENTRIES_MAX or size + length > BATCH_BYTES_MAX):
            yield held
            held, size = [], 0
        held.append(message)
        size += length
    if held:
        yield held


def _client_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    return BotoCoreError, ClientError
