"""SQS FIFO to battles: the Lambda handler of the clusterer.

A batch is one transaction, which costs a fraction of one for each message. Where that fails, the messages go one
by one, each group (solar system) in its order; where one fails, those after it in its group are left to the next
delivery and all other groups go on. A message that cannot be read goes to the dead-letter queue at
once, with its reason; one that fails for an unknown reason, after MAX_RECEIVES deliveries. While the database is
away nothing is dead-lettered: messages come back until it is there again.
"""

import gc
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import psycopg
from aws_lambda_powertools.metrics import MetricUnit

from battlescope import queue
from battlescope.database import LazyConnection
from battlescope.errors import DatabaseError, MessageError, QueueError
from battlescope.killmail import Killmail
from battlescope.message import unpack
from battlescope.telemetry import Metric, count, gauge, logger, observed, span
from cluster.clusterer import cluster
from cluster.engine.rules import Rules

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

_AWAY = (psycopg.InterfaceError, DatabaseError, QueueError)
"""The database or the queue is away: no message of the batch would fare better alone."""

_TRANSIENT = (psycopg.OperationalError, *_AWAY)
"""What time will mend: the message stays in the queue, however often it takes."""


class _Environment:
    """What one Lambda environment keeps between invocations."""

    def __init__(self) -> None:
        from battlescope.settings import ClusterSettings, load  # noqa: PLC0415 - a tenth of the import

        self.settings = load(ClusterSettings)
        self.rules = Rules.of(self.settings)
        self.connection = LazyConnection(self.settings.db_url)
        gc.freeze()  # what was imported so far is never garbage, and need not be looked at again and again


@cache
def environment() -> _Environment:
    """Made at the first invocation; a wrong setting stops it there."""
    return _Environment()


@observed()
def handler(event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
    """Process the records of an SQS event; answers which of them must come again."""
    count(Metric.MESSAGES_RECEIVED, len(event["Records"]))
    environment()
    try:
        with _about(event["Records"]):
            _cluster([one for record in event["Records"] for one in unpack(record["body"]).killmails])
    except _AWAY as error:
        logger.warning("the messages come again", extra={"reason": str(error)})
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
    except Exception as error:  # noqa: BLE001 - whose fault it is shows when they go one by one
        logger.warning("one message at a time", extra={"reason": f"{type(error).__name__}: {error}"})
        return _one_by_one(event, context)
    return {"batchItemFailures": []}


def _one_by_one(event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
    from aws_lambda_powertools.utilities.batch import (  # noqa: PLC0415 - seldom needed, and a sixth of the import
        SqsFifoPartialProcessor,
        process_partial_response,
    )

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False  # a batch of one that fails is no different from others
    return process_partial_response(
        event=event, record_handler=_process, processor=processor, context=context
    )


def _process(record: "SQSRecord") -> None:
    with _about([record.raw_event]):
        _process_one(record)


def _about(records: Sequence[dict[str, Any]]) -> "AbstractContextManager[None]":
    """Log lines within tell the messages, and the solar systems, that they are about."""
    return logger.append_context_keys(
        message_ids=[record["messageId"] for record in records],
        system_ids=[record["attributes"].get("MessageGroupId") for record in records],
    )


def _process_one(record: "SQSRecord") -> None:
    try:
        _cluster(unpack(record.body).killmails)
    except MessageError as error:
        _dead_letter(record, str(error))
    except _TRANSIENT as error:
        logger.warning(
            "the message comes again", extra={"message_id": record.message_id, "reason": str(error)}
        )
        raise
    except Exception as error:
        logger.exception("a message failed", extra={"message_id": record.message_id})
        if int(record.attributes.approximate_receive_count) < environment().settings.max_receives:
            raise
        _dead_letter(record, f"{type(error).__name__}: {error}")


def _cluster(killmails: Sequence[Killmail]) -> None:
    rules = environment().rules
    with span("cluster"):
        outcome = environment().connection.run(lambda connection: cluster(connection, killmails, rules))
    count(Metric.KILLMAILS_STORED, outcome.stored)
    count(Metric.KILLMAIL_CONFLICTS, outcome.conflicts)
    count(Metric.BATTLES_CHANGED, len(outcome.battles))
    if outcome.battles:
        gauge(Metric.BATTLE_KILLS, outcome.largest_kills, MetricUnit.Count)
    logger.info(
        "clustered",
        extra={
            "killmail_ids": [killmail.killmail_id for killmail in killmails],
            "battle_ids": [str(battle_id) for battle_id in outcome.battles],
        },
    )


def _dead_letter(record: "SQSRecord", reason: str) -> None:
    """Put the message where somebody looks at it; without such a queue it fails until SQS moves it itself."""
    logger.error("dead letter", extra={"message_id": record.message_id, "reason": reason})
    count(Metric.MESSAGES_DEAD_LETTERED)
    queue_url = environment().settings.dead_letter_queue_url
    if queue_url is None:
        raise MessageError(reason)
    queue.send_dead_letter(queue_url, record.raw_event, reason)
