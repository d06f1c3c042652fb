"""How a running BattleScope is doing, read from the database and the queue."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, Queue
from threading import Thread

import psycopg

from battlescope import queue
from battlescope.database import Database, LazyConnection, one_line
from battlescope.errors import BattleScopeError

EXACT_COUNT_MAX = 100_000
"""Above this many battles the planner's estimate does; counting them every other second would not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One reading.

    Attributes:
        killmails: accepted by the queue since the cursor was made.
        lag_s: from the newest killmail's time to now; None before the first, and where the feed is no live one.
        queue_depth: messages waiting or in flight; None where the queue does not tell.
        rejected: killmails rejected since the start, as are `holes` and `last_error`.
    """

    at: float
    killmails: int
    lag_s: float | None
    queue_depth: int | None
    battles: int
    last_error: str | None
    dead_letters: int
    rejected: int
    holes: int

    @property
    def leftovers(self) -> str:
        """What was not processed, in words; empty where all was."""
        parts = [
            f"{count} {what}"
            for count, what in (
                (self.queue_depth or 0, "messages in the queue"),
                (self.dead_letters, "dead letters"),
                (self.rejected, "rejected killmails"),
                (self.holes, "holes in the feed"),
            )
            if count
        ]
        if self.last_error:
            parts.append(f"an error of the feed ({self.last_error})")
        return ", ".join(parts)


class Gauge:
    """Takes readings.

    Args:
        connection: to the database.
        feed: the cursor's name.
        queue_url: of the references.
        dead_letter_queue_url: of poison.
        since: errors, rejections and holes before this moment are not counted.
        is_live: whether the feed follows the clock, so that there is a lag to speak of.
    """

    def __init__(
        self,
        connection: LazyConnection,
        feed: str,
        queue_url: str,
        dead_letter_queue_url: str | None,
        since: datetime,
        *,
        is_live: bool,
    ) -> None:
        self._connection = connection
        self._feed = feed
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url
        self._since = since
        self._is_live = is_live

    def read(self) -> Status:
        """A reading; also notes the position up to which all was seen to leave the queue.

        Raises:
            BattleScopeError: the database or the queue is away.
        """
        position, killmails, newest, last_error = self._connection.run(self._cursor)
        depth = queue.depth(self._queue_url)
        dead_letters = queue.depth(self._dead_letter_queue_url) if self._dead_letter_queue_url else 0
        if depth == 0 and not dead_letters and position is not None:
            self._connection.run(lambda connection: self._note_drained(connection, position))
        battles, rejected, holes = self._connection.run(self._counts)
        return Status(
            at=time.monotonic(),
            killmails=killmails,
            lag_s=None
            if newest is None or not self._is_live
            else (datetime.now(UTC) - newest).total_seconds(),
            queue_depth=depth,
            battles=battles,
            last_error=last_error,
            dead_letters=dead_letters,
            rejected=rejected,
            holes=holes,
        )

    def _cursor(self, connection: Database) -> tuple[str | None, int, datetime | None, str | None]:
        row = connection.execute(
            """
            SELECT position::text, killmails, newest_killmail, CASE WHEN last_error_at >= %s THEN last_error END
            FROM feed_cursors WHERE feed = %s
            """,
            (self._since, self._feed),
        ).fetchone()
        return (None, 0, None, None) if row is None else (row[0], row[1], row[2], row[3])

    def _note_drained(self, connection: Database, position: str) -> None:
        connection.execute(
            """
            UPDATE feed_cursors SET drained_position = %(position)s::jsonb
            WHERE feed = %(feed)s AND drained_position IS DISTINCT FROM %(position)s::jsonb
            """,
            {"position": position, "feed": self._feed},
        )

    def _counts(self, connection: Database) -> tuple[int, int, int]:
        row = connection.execute(
            """
            SELECT CASE WHEN c.reltuples > %s THEN c.reltuples::bigint ELSE (SELECT count(*) FROM battles) END,
                   (SELECT count(*) FROM rejected_killmails WHERE rejected_at >= %s),
                   (SELECT count(*) FROM feed_holes WHERE noted_at >= %s AND closed_at IS NULL)
            FROM pg_class c WHERE c.oid = 'battles'::regclass
            """,
            (EXACT_COUNT_MAX, self._since, self._since),
        ).fetchone()
        if row is None:
            raise BattleScopeError("the table battles is not there")
        return row[0], row[1], row[2]


class Readings:
    """Readings taken in a thread of their own, so that whoever shows them never waits for a silent database."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._answers: Queue[Status | BattleScopeError | psycopg.Error] = Queue()
        self._is_reading = False
        self._last: Status | None = None

    def latest(self, timeout_s: float) -> tuple[Status | None, str]:
        """The newest reading, and what kept a newer one away (empty where nothing did)."""
        if not self._is_reading:
            self._is_reading = True
            Thread(target=self._read, daemon=True).start()
        try:
            answer = self._answers.get(timeout=timeout_s)
        except Empty:
            return self._last, "the database or the queue does not answer"
        self._is_reading = False
        if isinstance(answer, Status):
            self._last = answer
            return answer, ""
        return self._last, one_line(answer)

    def _read(self) -> None:
        try:
            self._answers.put(self._gauge.read())
        except (BattleScopeError, psycopg.Error) as error:
            self._answers.put(error)


def rewind_to_drained(connection: Database, feed: str) -> None:
    """Move a feed's cursor back to where the queue was last seen empty.

    For a queue that forgets what it holds when it stops. What is read twice changes nothing.
    """
    connection.execute("UPDATE feed_cursors SET position = drained_position WHERE feed = %s", (feed,))


def free_lease(connection: Database, feed: str) -> None:
    """Free a feed's cursor from a poller that is known to be dead."""
    connection.execute(
        "UPDATE feed_cursors SET lease_owner = NULL, lease_expires_at = NULL WHERE feed = %s", (feed,)
    )


def is_leased(connection: Database, feed: str) -> bool:
    """Whether a poller holds a feed's cursor."""
    row = connection.execute(
        "SELECT 1 FROM feed_cursors WHERE feed = %s AND lease_owner IS NOT NULL AND lease_expires_at > now()",
        (feed,),
    ).fetchone()
    return row is not None
