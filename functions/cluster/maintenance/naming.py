"""Names for everybody on killmails: those that are missing, the newest killmails first, then those that are old."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from battlescope.clock import Clock
from battlescope.database import Database, LazyConnection
from battlescope.esi import Esi
from cluster.maintenance.resolving import IDS_MAX, OutOfTimeError, Resolver
from cluster.maintenance.store import names as names_store
from cluster.maintenance.store import progress
from cluster.maintenance.store.names import Name

STEP = "names"
KILLMAILS_AT_ONCE = 2000
STRETCHES_HELD = 10
"""After so many stretches those whose names are missing are asked for although they do not fill a request."""

ABOVE_ALL = 1 << 62


class Naming:
    """One run.

    Killmails are gone through from the newest down. Where a run was out of time the next one goes on, after it has seen to
    the killmails that came in between.

    Args:
        connection: where killmails and names are.
        esi: whom to ask.
        clock: what waiting for ESI is slept by.
        max_age: names older than this are asked for again.
        remaining_s: how long there is time.
    """

    def __init__(
        self,
        connection: LazyConnection,
        esi: Esi,
        clock: Clock,
        max_age: timedelta,
        remaining_s: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._max_age = max_age
        self._remaining_s = remaining_s
        self._resolver = Resolver(esi, clock, remaining_s, keep=self._keep)

    @property
    def resolved(self) -> int:
        """How many names were found."""
        return self._resolver.resolved

    def run(self) -> bool:
        """Find names for as long as there is time; whether none is left to be found.

        Raises:
            EsiUnavailableError: ESI failed again and again.
            FeedError: what ESI sent are no names.
        """
        newest, top, at = self._connection.run(_resume)
        try:
            if at < ABOVE_ALL:
                self._go_down(ABOVE_ALL, top, lambda _: None)
            self._go_down(at, 0, lambda safe: self._connection.run(partial(_save, top=newest, at=safe)))
            self._connection.run(partial(_save, top=newest, at=None))
            self._refresh()
        except OutOfTimeError:
            return False
        return True

    def _go_down(self, killmail_id: int, end: int, reached: Callable[[int], object]) -> None:
        """See to the killmails below one id and above another; tells `reached` below which id there is more to do."""
        wanted: dict[int, None] = {}  # in order, and each once
        at = killmail_id
        held = 0
        while at > end:
            if self._remaining_s() <= 0:
                raise OutOfTimeError("no time is left for more killmails; they come with the next invocation")
            stretch = self._connection.run(
                partial(
                    names_store.missing_below,
                    killmail_id=at,
                    killmails=KILLMAILS_AT_ONCE,
                    older_than=self._max_age,
                )
            )
            wanted |= dict.fromkeys(stretch.missing)
            while len(wanted) >= IDS_MAX:
                batch = list(wanted)[:IDS_MAX]
                self._resolver.resolve(batch)
                for id_ in batch:
                    del wanted[id_]
                held = 0
                reached(at)  # whoever is left over is on the killmails from here on
            held += 1
            if held == STRETCHES_HELD:
                self._resolver.resolve(list(wanted))
                wanted, held = {}, 0
            if stretch.lowest is None:
                break
            at = stretch.lowest
            if not wanted:
                reached(at)
        self._resolver.resolve(list(wanted))

    def _refresh(self) -> None:
        while old := self._connection.run(
            partial(names_store.outdated, older_than=self._max_age, limit=IDS_MAX)
        ):
            self._resolver.resolve(old)

    def _keep(self, found: Sequence[Name], unresolvable: Sequence[int]) -> None:
        def write(connection: Database) -> None:
            with connection.transaction():
                names_store.save_names(connection, found, unresolvable)

        self._connection.run(write)


def _resume(connection: Database) -> tuple[int, int, int]:
    """The newest killmail, the newest when the last run began, and below which one that run was not done."""
    newest = names_store.newest_killmail(connection)
    at = progress.load(connection, STEP)
    if at is None or at.position["at"] is None:
        progress.begin(connection, STEP, {"top": newest, "at": ABOVE_ALL})
        return newest, newest, ABOVE_ALL
    return newest, at.position["top"], at.position["at"]


def _save(connection: Database, top: int, at: int | None) -> None:
    progress.save(connection, STEP, {"top": top, "at": at}, is_finished=at is None)
