"""What we lack of R2Z2's days, fetched and sent the way that the poller sends.

A check compares the ids that R2Z2 lists for a day with those stored; what is not stored is fetched and put into the
queue. Whether it arrived is not known then: the next check of the day tells. A day is checked again until it is
complete, and whenever R2Z2's total for it changes.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from battlescope.database import LazyConnection
from battlescope.errors import FeedError, KillmailError
from battlescope.esi import Esi, EsiUnavailableError
from battlescope.killmail import Killmail
from battlescope.message import pack
from battlescope.prices import Prices
from battlescope.queue import Outgoing
from battlescope.telemetry import logger
from ingest.acceptance import accept
from ingest.feeds import Rejected
from ingest.history import completeness
from ingest.history.completeness import FEED, Check
from ingest.history.days import Span
from ingest.history.download import HistoryUnavailableError
from ingest.history.r2z2 import R2Z2History
from ingest.history.reading import Contents, killmail_of, read_day
from ingest.history.source import DayFile
from ingest.rejections import keep_rejected

ESI_WAIT_MAX_S = 90.0
"""ESI's longest pause short of a refusal; a longer one ends the fetching of a day for now."""

ESI_ATTEMPTS = 5
"""At one killmail, so that an ESI that is down does not hold up the run."""


@dataclass(slots=True)
class Tally:
    """What a run did: each check, and whether every day that was due is done.

    Attributes:
        sent: ids of killmails put into the queue.
    """

    checks: list[Check] = field(default_factory=list)
    sent: set[int] = field(default_factory=set)
    is_done: bool = True


class Repair:
    """Repairs days.

    Args:
        connection: to the database.
        r2z2: lists days, and has them whole.
        esi: has killmails one by one.
        send: puts messages into the queue; raises QueueError unless it took all of them.
        prices: to estimate values.
        esi_max: up to so many missing killmails of a day come from ESI first.
        remaining_s: seconds that are left.
        clock: Unix seconds.
        sleep: waits for ESI's limits.
    """

    def __init__(
        self,
        connection: LazyConnection,
        r2z2: R2Z2History,
        esi: Esi,
        send: Callable[[Iterable[Outgoing]], None],
        prices: Prices,
        *,
        esi_max: int,
        remaining_s: Callable[[], float],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._r2z2 = r2z2
        self._esi = esi
        self._send = send
        self._prices = prices
        self._esi_max = esi_max
        self._remaining_s = remaining_s
        self._clock = clock
        self._sleep = sleep
        self.tally = Tally()

    def deliver(self, killmails: Iterable[Killmail]) -> list[Rejected]:
        """Put killmails into the queue; those that cannot go on are kept as rejected, and told.

        Raises:
            QueueError: the queue is away.
        """
        good, rejected = accept(killmails, self._clock())
        self._send(Outgoing(str(system_id), body) for system_id, body in pack(good))
        self._connection.run(lambda database: keep_rejected(database, FEED, rejected))
        self.tally.sent.update(killmail.killmail_id for killmail in good)
        return rejected

    def run(
        self, span: Span, *, every_day: bool, checked_before: datetime | None, renew: Callable[[], bool]
    ) -> None:
        """Check the days that are due, newest first, and repair them, until no time remains; `tally` tells.

        Args:
            span: the days.
            every_day: check days although they were complete and R2Z2's total for them is as it was.
            checked_before: days that were checked at this time or later are not due; None where all may be.
            renew: is called before each day, and tells whether we may go on.

        Raises:
            HistoryUnavailableError: R2Z2 refuses, or fails too often.
            FeedError: R2Z2 tells no totals.
            QueueError: the queue is away.
            DatabaseError: the database is away.
        """
        if self._remaining_s() <= 0:
            self.tally.is_done = False
            return
        totals = self._r2z2.totals()
        known = self._connection.run(lambda database: completeness.find_checks(database, span))
        for day in sorted(set(totals) & set(span.days()), reverse=True):
            last = known.get(day)
            if last is not None and not (
                last.is_older_than(checked_before)
                and (every_day or not last.is_complete or last.feed_total != totals[day])
            ):
                continue
            if self._remaining_s() <= 0 or not renew():
                self.tally.is_done = False
                return
            try:
                self._check(day, totals[day])
            except HistoryUnavailableError:
                raise
            except FeedError as error:
                self.tally.is_done = False
                logger.warning("a day could not be checked", extra={"day": str(day), "error": str(error)})

    def _check(self, day: date, feed_total: int) -> None:
        listing = self._r2z2.listing(day)
        if listing is None:
            raise FeedError(f"R2Z2 counts {feed_total} killmails for {day}, but lists none")
        held = self._connection.run(lambda database: completeness.held_ids(database, listing))
        lacking = listing.keys() - held
        unobtainable = self._connection.run(lambda database: completeness.unobtainable_ids(database, lacking))
        missing = {
            killmail_id: listing[killmail_id] for killmail_id in lacking - unobtainable - self.tally.sent
        }
        found = self._fetch(day, missing) if missing else Contents()
        self._connection.run(lambda database: keep_rejected(database, FEED, found.rejected))
        found.rejected.extend(self.deliver(found.killmails))
        unobtainable |= {one.killmail_id for one in found.rejected if one.killmail_id in missing}
        check = Check(
            day=day,
            feed_total=feed_total,
            expected=len(listing),
            held=len(held),
            missing_sent=len(lacking & self.tally.sent),
            unobtainable=len(unobtainable),
        )
        self._connection.run(lambda database: completeness.note_check(database, check))
        self.tally.checks.append(check)
        if not found.error:
            return
        self.tally.is_done = False
        logger.warning("not all of a day could be fetched", extra={"day": str(day), "error": found.error})

    def _fetch(self, day: date, missing: Mapping[int, str]) -> Contents:
        """The missing killmails: a few from ESI, many from the day's file and what that lacks from ESI."""
        if len(missing) <= self._esi_max:
            return self._fetch_from_esi(missing)
        contents = self._fetch_from_file(day, missing)
        got = {killmail.killmail_id for killmail in contents.killmails}
        got |= {one.killmail_id for one in contents.rejected if one.killmail_id is not None}
        rest = {killmail_id: missing[killmail_id] for killmail_id in missing.keys() - got}
        more = self._fetch_from_esi(dict(sorted(rest.items())[: self._esi_max]))
        contents.killmails.extend(more.killmails)
        contents.rejected.extend(more.rejected)
        contents.error = more.error or (
            f"{len(rest)} are not in the file" if len(rest) > self._esi_max else None
        )
        return contents

    def _fetch_from_file(self, day: date, missing: Mapping[int, str]) -> Contents:
        with TemporaryDirectory(prefix="battlescope-") as folder:
            file = self._r2z2.fetch(day, None, Path(folder))
            if not isinstance(file, DayFile):
                return Contents()
            contents = read_day(file, self._prices, self._clock(), only=missing)
        if contents.error is not None:
            logger.warning("a day's file is damaged", extra={"day": str(day), "error": contents.error})
        return contents

    def _fetch_from_esi(self, missing: Mapping[int, str]) -> Contents:
        contents = Contents()
        for killmail_id, known_hash in missing.items():
            body = b""
            try:
                body = self._ask_esi(killmail_id, known_hash)
                contents.killmails.append(killmail_of(body, known_hash, self._prices))
            except KillmailError as error:
                contents.rejected.append(Rejected.of(body, str(error), killmail_id))
            except EsiUnavailableError as error:
                contents.error = str(error)
                break
        return contents

    def _ask_esi(self, killmail_id: int, known_hash: str) -> bytes:
        for _ in range(ESI_ATTEMPTS):
            try:
                return self._esi.killmail(killmail_id, known_hash)
            except EsiUnavailableError as error:
                if error.wait_s > min(ESI_WAIT_MAX_S, self._remaining_s()):
                    raise
                reason = error
                self._sleep(error.wait_s)
        raise reason
