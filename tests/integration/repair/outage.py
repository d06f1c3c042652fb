"""BattleScope beside a feed that was away, and what the feed would have brought."""

from dataclasses import dataclass
from datetime import UTC, datetime

import boto3

from battlescope import queue
from battlescope.database import Database, LazyConnection
from battlescope.http import HttpClient
from battlescope.message import unpack
from cluster.clusterer import cluster
from cluster.engine.rules import Rules
from ingest.cursor import Cursors
from ingest.feeds.r2z2 import R2Z2Feed
from ingest.poller import MARGIN_S, Poller
from tests.support.clock import FakeClock
from tests.support.dump import fingerprint
from tests.support.feeds_server import FIRST_SEQUENCE, FeedsServer
from tests.support.payloads import Json, esi_killmail

AGENT = "battlescope-tests/1 (contact: nobody@example.org)"
MIDNIGHT = datetime(2026, 3, 28, tzinfo=UTC).timestamp()
DAY_S = 86_400
DAYS = "2026-03-28..2026-03-30"
INTERVAL_S = 600
PER_DAY = DAY_S // INTERVAL_S


def killmail(number: int) -> Json:
    """Three days of a killmail every ten minutes, in four solar systems for an hour each."""
    return esi_killmail(1000 + number, at=MIDNIGHT + number * INTERVAL_S, system=30_000_001 + number // 6 % 4)


KILLMAILS = [killmail(number) for number in range(3 * PER_DAY)]
TWO_HOURS = range(PER_DAY + 60, PER_DAY + 72)
TWO_DAYS = range(30, 30 + 2 * PER_DAY)


@dataclass
class System:
    """BattleScope with a database of its own: feed, queue, clusterer."""

    db_url: str
    database: Database
    queue_url: str
    server: FeedsServer
    time: FakeClock

    def poll(self, seconds: float = 300) -> None:
        """Read the live feed for so long, and cluster what came."""
        end = self.time.now + seconds + MARGIN_S
        connection = LazyConnection(self.db_url)
        http = HttpClient(AGENT, clock=self.time.clock)
        Poller(
            R2Z2Feed(http, base_url=self.server.url, lookback=self.server.newest - FIRST_SEQUENCE),
            Cursors(connection),
            lambda messages: queue.send(self.queue_url, messages),
            clock=self.time.time,
            nap=self.time.sleep,
        ).run("poller", lambda: end - self.time.now)
        http.close()
        connection.close()
        self.drain()

    def drain(self) -> int:
        """Cluster what is in the queue; how many killmails that were."""
        sqs = boto3.client("sqs")
        killmails = 0
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                arrived = unpack(message["Body"]).killmails
                cluster(self.database, arrived, Rules())
                killmails += len(arrived)
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return killmails

    def completeness(self) -> dict[str, tuple[int, int, int, int]]:
        rows = self.database.execute(
            "SELECT day::text, expected, held, missing_sent, unobtainable FROM day_completeness ORDER BY day"
        )
        return {day: tuple(counts) for day, *counts in rows}

    def open_holes(self) -> int:
        row = self.database.execute("SELECT count(*) FROM feed_holes WHERE closed_at IS NULL").fetchone()
        assert row is not None
        return int(row[0])

    def drop_values(self) -> None:
        """Forget values, and what is told from them: those of the live feed and estimates differ."""
        self.database.execute("UPDATE killmails SET isk_value = NULL, valued_at = 0")
        self.database.execute("UPDATE battle_killmails SET isk_value = NULL")
        self.database.execute("UPDATE battles SET total_isk_destroyed = 0, evidence = NULL")
        self.database.execute("UPDATE battle_killmails SET side_id = 0")
        self.database.execute("UPDATE battle_participants SET side_id = 0")
        self.database.execute("DELETE FROM battle_sides")


def publish(server: FeedsServer, without: range = range(0)) -> None:
    """The live feed, which has no files for some killmails; history and ESI have all of them."""
    for number, one in enumerate(KILLMAILS):
        if number in without:
            server.leave_out()
            server.archive(one)
        else:
            server.publish(one, uploaded_at=MIDNIGHT)


def without_values(system: System) -> dict[str, str]:
    system.drop_values()
    return {f"{table} without values": rows for table, rows in fingerprint(system.database).items()}
