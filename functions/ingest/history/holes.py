"""Holes that the poller noted in R2Z2's sequence: asked for again while R2Z2 keeps files, and closed.

A file that comes late is the best repair, since it tells the killmail's value. What it leaves open is closed once
all days that its killmails can belong to are complete.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from battlescope.database import Database, LazyConnection
from battlescope.errors import FeedError, KillmailError
from battlescope.http import HttpClient
from battlescope.killmail import Killmail
from ingest.feeds.r2z2 import TIMEOUT_S
from ingest.feeds.upload import read_upload
from ingest.history.download import REFUSED, HistoryUnavailableError

FEED = "r2z2"

VAIN_MAX = 10
"""Numbers of one hole that are not there in a row, from its end, after which the rest is not asked for."""

CHUNK_FILES = 100
"""Files after which what was found is sent and cut off the hole."""

REFUSED_WAIT_S = 3600.0
"""Where a refusal does not say how long: zKillboard's bans last an hour."""


class Hole(NamedTuple):
    """Sequence numbers, both ends included."""

    first: int
    last: int


def fill_holes(
    connection: LazyConnection,
    http: HttpClient,
    base_url: str,
    *,
    younger_than: timedelta,
    deliver: Callable[[Sequence[Killmail]], object],
    remaining_s: Callable[[], float],
) -> None:
    """Ask for the files of open holes again, each hole from its end, and deliver what is there by now.

    Raises:
        HistoryUnavailableError: R2Z2 refuses.
        FeedError: R2Z2 fails.
    """
    for hole in connection.run(lambda database: _open_holes(database, younger_than)):
        _fill(connection, http, base_url, hole, deliver, remaining_s)


def close_holes(connection: Database, days: int) -> int:
    """Close holes of days that are complete, by checks made after those days; how many.

    Args:
        connection: to the database.
        days: how far back the killmails of a hole can lie.
    """
    return connection.execute(
        """
        UPDATE feed_holes h SET closed_at = now()
        FROM (SELECT *, (noted_at AT TIME ZONE 'UTC')::date AS noted_on FROM feed_holes) n
        WHERE h.feed = n.feed AND h.first_sequence = n.first_sequence AND h.feed = %s AND h.closed_at IS NULL
            AND EXISTS (
                SELECT FROM day_completeness c
                WHERE c.day = n.noted_on AND (c.checked_at AT TIME ZONE 'UTC')::date > n.noted_on
            )
            AND NOT EXISTS (
                SELECT FROM day_completeness c
                WHERE c.day BETWEEN n.noted_on - %s::integer AND n.noted_on
                    AND (c.held + c.unobtainable < c.expected OR c.checked_at < n.noted_at)
            )
        """,
        (FEED, days),
    ).rowcount


def _open_holes(connection: Database, younger_than: timedelta) -> list[Hole]:
    rows = connection.execute(
        """
        SELECT first_sequence, last_sequence FROM feed_holes
        WHERE feed = %s AND closed_at IS NULL AND noted_at > now() - %s::interval
        ORDER BY last_sequence DESC
        """,
        (FEED, younger_than),
    )
    return [Hole(*row) for row in rows]


def _fill(
    connection: LazyConnection,
    http: HttpClient,
    base_url: str,
    hole: Hole,
    deliver: Callable[[Sequence[Killmail]], object],
    remaining_s: Callable[[], float],
) -> None:
    found: list[Killmail] = []
    lowest_found = hole.last + 1
    vain = 0
    for sequence in range(hole.last, hole.first - 1, -1):
        if vain >= VAIN_MAX or remaining_s() <= 0:
            break
        killmail = _file(http, f"{base_url.rstrip('/')}/ephemeral/{sequence}.json")
        if killmail is None:
            vain += 1
            continue
        vain, lowest_found = 0, sequence
        found.append(killmail)
        if len(found) >= CHUNK_FILES:
            deliver(found)
            connection.run(lambda database, below=sequence: _cut(database, hole, below))  # type: ignore[misc]
            found = []
    if found:
        deliver(found)
    if lowest_found <= hole.last:
        connection.run(lambda database: _cut(database, hole, lowest_found))


def _file(http: HttpClient, url: str) -> Killmail | None:
    """The killmail of a file; None where there is none that can be read."""
    response = http.get(url, timeout_s=TIMEOUT_S)
    if response.status in REFUSED:
        wait_s = REFUSED_WAIT_S if response.retry_after_s is None else response.retry_after_s
        raise HistoryUnavailableError(str(response), wait_s=wait_s, was_asked_for=True)
    if response.status not in {200, 404}:
        raise FeedError(str(response))
    if response.status == 404 or not response.is_complete:
        return None
    try:
        item = read_upload(response.body).item
    except KillmailError:
        return None
    return item if isinstance(item, Killmail) else None


def _cut(connection: Database, hole: Hole, below: int) -> None:
    """The numbers from `below` on are no part of the hole any more; without any left it is closed."""
    connection.execute(
        """
        UPDATE feed_holes SET
            closed_at = CASE WHEN %(below)s <= first_sequence THEN now() END,
            last_sequence = greatest(first_sequence, %(below)s - 1)
        WHERE feed = %(feed)s AND first_sequence = %(first)s
        """,
        {"below": below, "feed": FEED, "first": hole.first},
    )
