"""What may be asked of R2Z2 next, and what an answer means: zKillboard's rules, without any I/O.

Sequence numbers count up, with holes; a file that is not there is 404, whether it comes late or never. The rules:
the same number again at the earliest after RETRY_S; a number is left out only when a higher one is known to exist
and the hole is older than HOLE_AGE_S, and then it is written down. A hole does not hold the feed up: numbers passed
without their file are kept in `missing` and asked for again until they are found or given up.

All times are Unix seconds, so that the rules hold from one process to the next.
"""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from battlescope.backoff import Backoff
from ingest.feeds import Hole, Position
from ingest.feeds.r2z2_search import Search

RETRY_S = 6.0
HOLE_AGE_S = 60.0
"""A CDN's edge may keep a 404 for about a minute."""

UNREADABLE_MAX = 4
"""Answers that cannot be read before a file is given up: the first and three more."""

PROBE_AFTER = 2
"""Vain requests for the next number after which the one behind it is tried: sequence.json lags by 51 files."""

SEARCH_AFTER = 10
SEARCH_DISTANCE = 100
"""So many missing in a row, with so many more before the newest, look like the end of R2Z2's retention."""

DOUBT_AFTER = 3
"""Failures in a row after which sequence.json is asked whether it is the file or the service that fails; and failures
on a passed number, of a service that was well before, after which it may be given up."""


class Ask(NamedTuple):
    """What to ask for, and in how many seconds; `sequence` is None for sequence.json."""

    sequence: int | None
    wait_s: float


class Missing(BaseModel):
    """A number whose file is wanted.

    Attributes:
        tried: when it was last asked for; 0 for never.
        misses: how often it was, in vain.
        failures: how often the service failed on it, and was well before.
        unreadable: how often there was a file that could not be read.
        unreadable_since: when there first was.
        hole_since: since when a higher number is known to exist; None while none is.
        is_reupload: whether it was read before, and is wanted again.
    """

    tried: float = 0.0
    misses: int = 0
    failures: int = 0
    unreadable: int = 0
    unreadable_since: float = 0.0
    hole_since: float | None = None
    is_reupload: bool = False

    def due_in(self, now: float) -> float:
        """Seconds until it may be asked for again; 0 also where the clock was set back."""
        return max(0.0, RETRY_S - (now - self.tried)) if now >= self.tried else 0.0


class R2Z2Position(BaseModel):
    """How far R2Z2 was read.

    Attributes:
        sequence: the highest number passed; None before the first start.
        newest: the highest number known to exist.
        newest_read_at: when sequence.json was last read.
        readable_at: when a file could last be read.
        missing: numbers wanted: passed ones, and ones ahead that were asked for in vain.
        search: under way where the position turned out to be older than R2Z2's retention.
        backoff: how long to stay away.
    """

    model_config = ConfigDict(extra="ignore")

    sequence: NonNegativeInt | None = None
    newest: NonNegativeInt = 0
    newest_read_at: float = 0.0
    readable_at: float = 0.0
    missing: dict[int, Missing] = Field(default_factory=dict)
    search: Search | None = None
    backoff: Backoff = Field(default_factory=Backoff)

    def dump(self) -> Position:
        """To be stored."""
        return {"sequence": self.sequence, **self.model_dump(mode="json", exclude_defaults=True)}

    def next(self, now: float) -> Ask:
        """What to ask for; where nothing is due yet, what will be first."""
        self._no_later_than(now)
        if (wait_s := self.backoff.wait_s(now)) > 0:
            return Ask(None, wait_s)
        in_doubt = self.backoff.failures >= DOUBT_AFTER and self.newest_read_at < self.backoff.retry_at
        if self.sequence is None or in_doubt:
            return Ask(None, 0.0)
        passed = [self._ask(number, now) for number in self.missing if number < self._first_unpassed]
        ahead = self._ahead(now)
        # After a failure what lies ahead goes first: a passed number whose file is at fault must not stop the feed.
        return min(ahead + passed if self.backoff.failures else passed + ahead, key=lambda ask: ask.wait_s)

    def newest_is(self, sequence: int, now: float, lookback: int) -> None:
        """sequence.json was read. Where it lags or went back, that is no reason to move."""
        self.newest = max(self.newest, sequence)
        self.newest_read_at = now
        if self.sequence is None:
            self.sequence = max(0, sequence - lookback - 1)
            self.backoff.answered()
        elif self.backoff.failures >= DOUBT_AFTER and self.search is not None:
            self._not_found(self.search)
        elif self.backoff.failures >= DOUBT_AFTER and self.newest > self.sequence + 1:
            self._missed(self.sequence + 1, now)  # the service answers, so it is the file that fails
        self._advance(now)

    def found(self, sequence: int, uploaded_at: float, now: float) -> list[Hole] | None:
        """A file was read: the hole it proves, if any, or None where the file is not to be delivered yet."""
        self.backoff.answered()
        self.readable_at = now
        self.newest = max(self.newest, sequence)
        if self.search is not None and sequence == self.search.at:
            return self._found(self.search, uploaded_at, now)
        self.missing.pop(sequence, None)
        self._pass(sequence, now)
        return []

    def absent(self, sequence: int, now: float) -> list[Hole]:
        """404: the hole that is given up with it, if it is time."""
        self.backoff.answered()
        entry = self._missed(sequence, now)
        if self.search is not None and sequence == self.search.at:
            self._not_found(self.search)
            return []
        if self._is_old_hole(sequence, entry, now):
            return self._give_up(sequence)
        self._advance(now)
        return []

    def unreadable(self, sequence: int, now: float) -> bool:
        """A file that cannot be read: whether to give it up.

        That is only right when it is known to exist, and when another file could be read since: a page that a
        proxy puts in the place of every file must not eat killmails.
        """
        if self.search is not None and sequence == self.search.at:
            self.backoff.failed(None, now)
            return False
        entry = self._missed(sequence, now)
        entry.unreadable += 1
        entry.unreadable_since = entry.unreadable_since or now
        is_at_fault = self.newest >= sequence and self.readable_at > entry.unreadable_since
        if entry.unreadable >= UNREADABLE_MAX and is_at_fault:
            del self.missing[sequence]
            self._pass(sequence, now)
            return True
        self._advance(now)
        return False

    def failed(self, sequence: int | None, retry_after_s: float | None, now: float) -> list[Hole]:
        """The service failed: the hole that is given up with it, if it is time."""
        was_well = self.backoff.failures == 0
        self.backoff.failed(retry_after_s, now)
        entry = None if sequence is None else self.missing.get(sequence)
        if sequence is None or entry is None:
            return []
        entry.tried = self.backoff.retry_at
        entry.failures += was_well
        is_at_fault = entry.failures >= DOUBT_AFTER and self._is_old_hole(sequence, entry, now)
        return self._give_up(sequence) if is_at_fault else []

    def uploaded_again(self, sequence: int, now: float) -> None:
        """An older file was uploaded again, and is wanted again."""
        if 0 < sequence <= self._last and sequence not in self.missing:
            self.missing[sequence] = Missing(hole_since=now, is_reupload=True)

    def _no_later_than(self, now: float) -> None:
        """Where the clock was set back, nothing was later than now: no rule waits until the clock was there again."""
        self.newest_read_at = min(self.newest_read_at, now)
        self.readable_at = min(self.readable_at, now)
        for entry in self.missing.values():
            entry.unreadable_since = min(entry.unreadable_since, now)
            if entry.hole_since is not None:
                entry.hole_since = min(entry.hole_since, now)

    @property
    def _last(self) -> int:
        return self.sequence or 0

    @property
    def _first_unpassed(self) -> int:
        return self.search.first if self.search else self._last + 1

    def _ask(self, sequence: int, now: float) -> Ask:
        entry = self.missing.get(sequence)
        return Ask(sequence, entry.due_in(now) if entry else 0.0)

    def _ahead(self, now: float) -> list[Ask]:
        if self.search is not None:
            return [self._ask(self.search.at, now)]
        following = self._last + 1
        asks = [self._ask(following, now)]
        if entry := self.missing.get(following):
            asks.append(Ask(None, max(0.0, RETRY_S - (now - self.newest_read_at))))
            if entry.misses >= PROBE_AFTER:
                asks.append(self._ask(following + 1, now))
        return asks

    def _missed(self, sequence: int, now: float) -> Missing:
        entry = self.missing.setdefault(sequence, Missing())
        entry.tried = now
        entry.misses += 1
        return entry

    def _is_old_hole(self, sequence: int, entry: Missing, now: float) -> bool:
        since = entry.hole_since
        return sequence <= self._last and since is not None and now - since >= HOLE_AGE_S

    def _give_up(self, sequence: int) -> list[Hole]:
        del self.missing[sequence]
        return [Hole(first_sequence=sequence, last_sequence=sequence)]

    def _pass(self, sequence: int, now: float) -> None:
        """Go on behind `sequence`; whatever is missing below it is a hole from now on."""
        self.sequence = max(self._last, sequence)
        for number, entry in self.missing.items():
            if number < self.sequence and entry.hole_since is None:
                entry.hole_since = now
        self._advance(now)

    def _advance(self, now: float) -> None:
        """Pass missing numbers below the newest; a long row of them starts a search."""
        while self.search is None and self._last + 1 < self.newest and self._last + 1 in self.missing:
            self.sequence = self._last + 1
            self.missing[self.sequence].hole_since = now
            first = self.sequence + 1
            while (entry := self.missing.get(first - 1)) and not (entry.unreadable or entry.is_reupload):
                first -= 1
            is_long_row = self.sequence - first >= SEARCH_AFTER - 1
            if is_long_row and self.newest - self.sequence > SEARCH_DISTANCE:
                self.search = Search.begin(first, self.sequence, self.newest)

    def _found(self, search: Search, uploaded_at: float, now: float) -> list[Hole] | None:
        if not search.is_over:
            search.found()
            return None
        if now - uploaded_at < HOLE_AGE_S:  # so may be what is missing below it
            self.search = None
            return None
        self.search = None
        self.missing = {n: entry for n, entry in self.missing.items() if not search.first <= n <= search.at}
        self._pass(search.at, now)
        return [Hole(first_sequence=search.first, last_sequence=search.at - 1)]

    def _not_found(self, search: Search) -> None:
        if search.is_over:  # so sequence.json was wrong
            self.search, self.newest = None, self._last
        else:
            search.not_found()
