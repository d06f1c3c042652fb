"""The live path: the cluster handler fed with SQS events of real days, commits included, one worker.

The baseline is a bare COPY of the very rows that the handler wrote, into the same tables with the same indexes.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from itertools import batched
from statistics import median
from threading import Event
from typing import Any

from battlescope.database import connect
from battlescope.message import pack
from battlescope.runtime.context import Context
from bench.copying import copies
from bench.support import DAYS, database, machine, real_day_path
from ingest.feeds.archive import ArchiveFeed


def main(argv: Sequence[str]) -> None:
    """Print the handler's rate beside the COPY's."""
    parser = argparse.ArgumentParser(prog="bench live", description=__doc__)
    parser.add_argument("--days", nargs="*", default=DAYS)
    options = parser.parse_args(argv)
    print(machine())
    print(f"{'day':12}{'killmails':>10}{'messages':>10}{'handler/s':>11}{'COPY/s':>10}{'ratio':>8}")
    for day in options.days:
        with database() as url:
            _measure(day, url)


def _measure(day: str, url: str) -> None:
    os.environ |= {"DB_URL": url, "POWERTOOLS_METRICS_DISABLED": "true"}
    from cluster import handler as module  # noqa: PLC0415

    module.environment.cache_clear()
    bodies = list(messages_of(day))
    events = [event_of(some) for some in batched(bodies, 10, strict=False)]
    module.environment().connection.get()
    started = time.perf_counter()
    for event in events:
        answer = module.handler(event, Context("cluster", 30, Event()))
        assert answer == {"batchItemFailures": []}
    handler_s = time.perf_counter() - started
    module.environment().connection.close()
    with connect(url) as connection:
        count = connection.execute("SELECT count(*) FROM killmails").fetchone()
        assert count is not None
        copy_s = median(copies(connection))
    print(
        f"{day:12}{count[0]:>10,}{len(bodies):>10,}{count[0] / handler_s:>11,.0f}{count[0] / copy_s:>10,.0f}"
        f"{copy_s / handler_s:>8.3f}"
    )


def messages_of(day: str) -> Iterator[tuple[int, str]]:
    """As the poller packs them."""
    feed = ArchiveFeed(real_day_path(day))
    position = None
    while True:
        batch = feed.poll(position, 60)
        yield from pack(batch.killmails)
        position = batch.position
        if batch.drained:
            return


def event_of(messages: Sequence[tuple[int, str]]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": str(group)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for number, (group, body) in enumerate(messages)
        ]
    }
