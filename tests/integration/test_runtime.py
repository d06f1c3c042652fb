"""The runtime drives handlers as Lambda does: against a real SQS emulator that keeps FIFO promises."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from battlescope import queue
from battlescope.errors import PositionError, SettingsError
from battlescope.queue import Outgoing
from battlescope.runtime.context import Context
from battlescope.runtime.event_source import run_from_queue
from battlescope.runtime.schedule import run_on_schedule
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.ports import free_port
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedQueue]:
    saved = dict(os.environ)
    server = EmbeddedQueue(tmp_path_factory.mktemp("queue"), port=free_port(), visibility_timeout_s=30)
    server.start()
    yield server
    queue.client().close()
    server.stop()
    os.environ.clear()
    os.environ.update(saved)
    queue.client.cache_clear()


@contextmanager
def worker(handler: Any, queue_url: str) -> Iterator[None]:
    """A worker in a thread, for as long as the block."""
    stop = threading.Event()
    thread = threading.Thread(target=run_from_queue, args=(handler, "cluster", queue_url, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


class Recorder:
    """A handler that notes what it is given, and fails what it is told to."""

    def __init__(self, fail_times: dict[str, int] | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.fail_times = fail_times or {}

    def __call__(self, event: dict[str, Any], context: Context) -> dict[str, Any]:
        assert context.get_remaining_time_in_millis() > 0
        self.events.append(event)
        failed_groups: set[str] = set()
        failures = []
        for record in event["Records"]:
            group = record["attributes"]["MessageGroupId"]
            if group in failed_groups or self.fail_times.get(record["body"], 0):
                self.fail_times[record["body"]] = max(0, self.fail_times.get(record["body"], 0) - 1)
                failed_groups.add(group)
                failures.append({"itemIdentifier": record["messageId"]})
            else:
                self.seen.append(record["body"])
        return {"batchItemFailures": failures}


def send(url: str, *messages: tuple[str, str]) -> None:
    queue.send(url, (Outgoing(group, body) for group, body in messages))


def test_every_message_arrives_in_its_groups_order(sqs: EmbeddedQueue) -> None:
    messages = [(f"g{n % 3}", f"order {n}") for n in range(40)]
    send(sqs.queue_url, *messages)
    recorder = Recorder()
    with worker(recorder, sqs.queue_url):
        wait_until(lambda: len(recorder.seen) == 40, 20)
    for group in ("g0", "g1", "g2"):
        expected = [body for its_group, body in messages if its_group == group]
        assert [body for body in recorder.seen if body in expected] == expected
    assert queue.depth(sqs.queue_url) == 0


def test_records_have_lambdas_shape(sqs: EmbeddedQueue) -> None:
    send(sqs.queue_url, ("30002813", "shape"))
    recorder = Recorder()
    with worker(recorder, sqs.queue_url):
        wait_until(lambda: recorder.seen, 20)
    [record] = recorder.events[0]["Records"]
    assert set(record) == {
        "messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody", "eventSource",
        "eventSourceARN", "awsRegion",
    }  # fmt: skip
    assert record["eventSource"] == "aws:sqs"
    assert {"ApproximateReceiveCount", "SentTimestamp", "MessageGroupId", "MessageDeduplicationId"} <= set(
        record["attributes"]
    )


def test_what_failed_comes_again_long_before_the_visibility_timeout_and_in_order(sqs: EmbeddedQueue) -> None:
    send(sqs.queue_url, ("a", "first"), ("a", "second"), ("b", "other"))
    recorder = Recorder(fail_times={"first": 2})
    started = time.monotonic()
    with worker(recorder, sqs.queue_url):
        wait_until(lambda: len(recorder.seen) == 3, 20)
    assert recorder.seen == ["other", "first", "second"]
    assert time.monotonic() - started < 20


def test_a_handler_that_raises_gets_its_batch_again(sqs: EmbeddedQueue) -> None:
    send(sqs.queue_url, ("a", "raise"))
    recorder = Recorder()
    calls: list[int] = []

    def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("out of luck")
        return recorder(event, context)

    with worker(handler, sqs.queue_url):
        wait_until(lambda: recorder.seen, 20)
    assert recorder.seen == ["raise"]


def test_a_stop_finishes_the_batch_in_hand(sqs: EmbeddedQueue) -> None:
    send(sqs.queue_url, ("a", "slow"))
    begun = threading.Event()
    recorder = Recorder()

    def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
        begun.set()
        time.sleep(0.5)
        return recorder(event, context)

    with worker(handler, sqs.queue_url):
        assert begun.wait(20)
    assert recorder.seen == ["slow"]
    assert queue.depth(sqs.queue_url) == 0


def test_a_queue_that_is_away_is_waited_for(tmp_path: Path, sqs: EmbeddedQueue) -> None:
    recorder = Recorder()
    with worker(recorder, sqs.queue_url):
        sqs.stop()
        time.sleep(0.5)
        sqs.start()
        send(sqs.queue_url, ("a", f"after the outage {tmp_path.name}"))
        wait_until(lambda: recorder.seen, 60)


def test_messages_larger_than_a_batch_go_one_by_one(sqs: EmbeddedQueue) -> None:
    bodies = [(f"g{n}", str(n) * 150_000) for n in range(4)]
    send(sqs.queue_url, *bodies)
    recorder = Recorder()
    with worker(recorder, sqs.queue_url):
        wait_until(lambda: len(recorder.seen) == 4, 20)
    assert sorted(recorder.seen) == sorted(body for _, body in bodies)


def test_a_schedule_goes_on_after_a_failure_and_ends_with_a_stop() -> None:
    stop = threading.Event()
    calls: list[int] = []

    def handler(event: dict[str, Any], context: Context) -> None:
        assert event["source"] == "battlescope.runtime"
        calls.append(context.get_remaining_time_in_millis())
        if len(calls) == 1:
            raise RuntimeError("out of luck")
        if len(calls) == 3:
            stop.set()
            assert context.get_remaining_time_in_millis() == 0

    run_on_schedule(handler, "ingest", stop, tick_s=0.01, timeout_s=5)
    assert len(calls) == 3
    assert all(4000 < remaining <= 5000 for remaining in calls)


def test_a_wrong_setting_ends_a_schedule() -> None:
    def handler(_event: dict[str, Any], _context: Context) -> None:
        raise SettingsError("DB_URL is not set")

    with pytest.raises(SettingsError, match="DB_URL"):
        run_on_schedule(handler, "ingest", threading.Event(), tick_s=0.01)


def test_a_position_of_another_feed_ends_a_schedule() -> None:
    def handler(_event: dict[str, Any], _context: Context) -> None:
        raise PositionError("another seed's")

    with pytest.raises(PositionError):
        run_on_schedule(handler, "ingest", threading.Event(), tick_s=0.01)


def test_a_schedule_with_an_end() -> None:
    answers = iter([{"drained": False}, {"drained": True}])
    run_on_schedule(
        lambda _event, _context: next(answers),
        "ingest",
        threading.Event(),
        tick_s=0.01,
        until=lambda answer: bool(answer["drained"]),
    )
    assert next(answers, None) is None
