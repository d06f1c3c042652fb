"""Promise 2: workers killed at random and a database that stops change nothing and lose nothing."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from battlescope import queue, settings
from battlescope.database import connect
from battlescope.message import pack
from battlescope.migrate import migrate
from battlescope.queue import Outgoing
from battlescope.settings import ClusterRules
from battlescope_local.embedded_postgres import EmbeddedPostgres
from battlescope_local.embedded_queue import EmbeddedQueue
from battlescope_local.parts import Part
from battlescope_local.ports import free_port
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.feeds import Rejected
from ingest.feeds.archive import read_archive
from tests.support.dump import fingerprint, orphans, unresolved_aliases

KILLS = 20


def test_workers_killed_twenty_times_and_postgresql_stopped_twice(
    evening: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(20)
    killmails = [one for one in read_archive(evening) if not isinstance(one, Rejected)]
    rng.shuffle(killmails)
    postgres = EmbeddedPostgres(tmp_path / "postgres", port=free_port())
    sqs = EmbeddedQueue(tmp_path / "queue", port=free_port(), visibility_timeout_s=2)
    postgres.start()
    saved = dict(os.environ)
    sqs.start()
    monkeypatch.setenv("DB_URL", postgres.url())
    workers = [Part(f"cluster-{n}", ["cluster"], tmp_path / f"cluster-{n}.log") for n in (1, 2)]
    try:
        # given: a queue full of messages, small enough that there are many
        with connect(postgres.url()) as connection:
            migrate(connection)
        batches = [killmails[start : start + 40] for start in range(0, len(killmails), 40)]
        queue.send(
            sqs.queue_url, (Outgoing(str(system), body) for batch in batches for system, body in pack(batch))
        )
        # when
        for worker in workers:
            worker.start()
        for kill in range(KILLS):
            time.sleep(rng.uniform(0.6, 1.2))
            victim = rng.choice(workers)
            if victim.process_id is not None:
                os.kill(victim.process_id, signal.SIGKILL)
                victim.wait()
            victim.start()
            if kill in {6, 13}:
                postgres.stop(immediate=kill == 13)
                time.sleep(0.5)
                postgres.start()
        deadline = time.monotonic() + 120
        while queue.depth(sqs.queue_url):
            assert time.monotonic() < deadline, "the queue does not empty"
            time.sleep(0.2)
        # then
        assert queue.depth(sqs.dead_letter_queue_url) == 0
        with connect(postgres.url()) as connection:
            after = fingerprint(connection)
            assert (orphans(connection), unresolved_aliases(connection)) == ({}, [])
            for table in (
                "killmails",
                "battles",
                "battle_killmails",
                "battle_participants",
                "battle_entities",
            ):
                connection.execute(f"TRUNCATE {table}")
            rules = Rules.of(settings.load(ClusterRules))
            cluster(connection, killmails, rules)
            assert after == fingerprint(connection)
    finally:
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            worker.wait()
        sqs.stop()
        postgres.stop()
        os.environ.clear()
        os.environ.update(saved)
        queue.client.cache_clear()
