"""Ids to names through ESI's `POST /universe/names`.

It takes 1 to 1000 ids, and answers 404 for all of them where one does not resolve; so a batch that fails is halved.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from battlescope.clock import Clock
from battlescope.errors import FeedError
from battlescope.esi import Esi, EsiUnavailableError
from battlescope.http import Response
from battlescope.telemetry import logger
from cluster.maintenance.store.names import Name

IDS_MAX = 1000
"""Of one request."""

FAILURES_MAX = 5
"""So many in a row end the run: ESI is away."""

NAP_S = 1.0
"""A wait is slept in naps, so that a stop need not wait for its end."""


class _Named(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    category: Annotated[str, Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=1000)]


_ANSWER = TypeAdapter(list[_Named])


class OutOfTimeError(FeedError):
    """This invocation's time is up; the ids that are left come again."""


class Resolver:
    """Asks ESI for names, waiting where its limits ask for it.

    Args:
        esi: whom to ask.
        clock: what a wait is slept by.
        remaining_s: how long there is time.
        keep: is given what was found and what has no name, after every answer: nothing is asked twice.
    """

    def __init__(
        self,
        esi: Esi,
        clock: Clock,
        remaining_s: Callable[[], float],
        keep: Callable[[Sequence[Name], Sequence[int]], None],
    ) -> None:
        self._esi = esi
        self._clock = clock
        self._remaining_s = remaining_s
        self._keep = keep
        self._failures = 0
        self.resolved = 0

    def resolve(self, ids: Sequence[int]) -> None:
        """Find the names of these (up to `IDS_MAX` distinct) ids, and keep them.

        Raises:
            OutOfTimeError: it takes longer than there is time.
            EsiUnavailableError: ESI failed again and again.
            FeedError: what ESI sent are no names.
        """
        waiting = [list(ids)] if ids else []
        while waiting:
            batch = waiting.pop()
            response = self._ask(batch)
            if response.status == 200:
                found = _names(response, batch)
                self._keep(found, sorted(set(batch) - {name.id for name in found}))
                self.resolved += len(found)
            elif len(batch) == 1:
                self._keep([], batch)
            else:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]

    def _ask(self, ids: Sequence[int]) -> Response:
        while True:
            if self._remaining_s() <= 0:
                raise OutOfTimeError("no time is left for more names; they come with the next invocation")
            try:
                response = self._esi.post("/universe/names", ids)
            except EsiUnavailableError as error:
                self._failures += not error.was_asked_for
                if self._failures >= FAILURES_MAX:
                    raise
                logger.warning("names wait", extra={"reason": str(error), "wait_s": round(error.wait_s, 1)})
                self._wait(error.wait_s)
                continue
            self._failures = 0
            if response.status == 422:
                raise FeedError(f"{response}: ESI does not take these ids")
            return response

    def _wait(self, wait_s: float) -> None:
        if wait_s > self._remaining_s():
            raise OutOfTimeError(
                f"ESI is not to be asked for {wait_s:.0f} s, which is longer than there is time"
            )
        end = self._clock.monotonic() + wait_s
        while (left := end - self._clock.monotonic()) > 0 and self._remaining_s() > 0:
            self._clock.sleep(min(NAP_S, left))


def _names(response: Response, asked: Sequence[int]) -> list[Name]:
    try:
        named = _ANSWER.validate_json(response.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise FeedError(f"{response} with no names ({where}: {first['msg']})") from None
    wanted = set(asked)
    return [Name(one.id, one.category, one.name) for one in named if one.id in wanted]
