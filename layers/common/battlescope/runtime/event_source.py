"""An event source: invokes a handler with batches from an SQS queue, as Lambda's event source mapping does.

Long polling, batches of at most ten, partial batch responses. Messages that failed stay in flight and become visible
again: sooner than the queue's visibility timeout, after a pause that doubles with every delivery.
"""

import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from battlescope import queue
from battlescope.errors import SettingsError
from battlescope.runtime.context import Context
from battlescope.runtime.schedule import Handler
from battlescope.telemetry import Metric, gauge, logger

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LONG_POLL_S = 2
"""How long a receive waits for messages; short, because a stop has to wait for it."""

TIMEOUT_S = 30.0
"""An invocation's time."""

RETRY_MAX_S = 60
"""The longest pause before a failed message is tried again."""

PAUSE_AFTER_ERROR_S = 1.0


def run_from_queue(
    handler: Handler, name: str, queue_url: str, stop: Event, *, beat: Callable[[], None] = lambda: None
) -> None:
    """Invoke `handler` with what the queue holds, until `stop` is set; the batch in hand is finished.

    `beat` is called each time that the queue is asked.

    Raises:
        SettingsError: a setting is wrong; no later invocation would be better.
    """
    while not stop.is_set():
        beat()
        try:
            messages = (
                queue.client()
                .receive_message(
                    QueueUrl=queue_url,
                    MaxNumberOfMessages=queue.BATCH_ENTRIES_MAX,
                    WaitTimeSeconds=LONG_POLL_S,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
                .get("Messages", [])
            )
            if messages:
                _settle(queue_url, messages, _invoke(handler, name, messages))
        except (BotoCoreError, ClientError) as error:
            logger.warning("the queue failed", extra={"queue": queue_url, "error": str(error)})
            stop.wait(PAUSE_AFTER_ERROR_S)


def _invoke(handler: Handler, name: str, messages: Sequence["MessageTypeDef"]) -> set[str]:
    """Ids of the messages that have to come again."""
    event = {"Records": [_record(message) for message in messages]}
    sent_ms = min(int(message["Attributes"]["SentTimestamp"]) for message in messages)
    gauge(Metric.MESSAGE_AGE, max(0.0, time.time() - sent_ms / 1000), MetricUnit.Seconds)
    try:
        # The batch in hand is finished whatever happens, so the context knows of no stop.
        answer = handler(event, Context(name, TIMEOUT_S, Event()))
    except SettingsError:
        raise
    except Exception:  # noqa: BLE001 - whatever a handler raises, the next invocation goes on
        logger.exception("an invocation failed", extra={"function": name})
        return {message["MessageId"] for message in messages}
    return {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", [])}


def _settle(queue_url: str, messages: Sequence["MessageTypeDef"], failed: set[str]) -> None:
    done = [message for message in messages if message["MessageId"] not in failed]
    if done:
        queue.client().delete_message_batch(
            QueueUrl=queue_url,
            Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(done)],
        )
    again = [message for message in messages if message["MessageId"] in failed]
    if again:
        queue.client().change_message_visibility_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": _pause_s(m)}
                for i, m in enumerate(again)
            ],
        )


def _pause_s(message: "MessageTypeDef") -> int:
    earlier = int(message["Attributes"]["ApproximateReceiveCount"]) - 1
    return RETRY_MAX_S if earlier > 10 else min(1 << earlier, RETRY_MAX_S)


def _record(message: "MessageTypeDef") -> dict[str, Any]:
    """A record of Lambda's SQS event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:local:000000000000:battlescope.fifo",
        "awsRegion": "local",
    }
