"""What can go wrong with a service, at times told from a seed."""

import random
from collections.abc import Sequence

from tests.support.answers import (
    BAD_GATEWAY,
    BROKEN_JSON,
    CUT_OFF,
    DRIPPING,
    EMPTY,
    NOT_FOUND,
    OVERSIZED,
    PAGE,
    REDIRECT,
    RESET,
    SERVER_ERROR,
    Answer,
    refused,
)
from tests.support.clock import FakeClock
from tests.support.feeds_server import FeedsServer

_REFUSED = (refused(429), refused(429, "5"), refused(403, "30"))
_IN_PLACE_OF_AN_ANSWER = (BAD_GATEWAY, SERVER_ERROR, BROKEN_JSON, PAGE, EMPTY, OVERSIZED, REDIRECT)
_SPOILT = (CUT_OFF, RESET)

R2Z2_FAULTS = (*_REFUSED, *_IN_PLACE_OF_AN_ANSWER, *_SPOILT, DRIPPING, NOT_FOUND)
REDISQ_FAULTS = (*_REFUSED, BAD_GATEWAY, SERVER_ERROR, DRIPPING)
"""Without those that spoil an answer: what RedisQ delivered it forgets."""

REDISQ_OBJECT_FAULTS = (*REDISQ_FAULTS, *_IN_PLACE_OF_AN_ANSWER, *_SPOILT)
ESI_FAULTS = (
    *_REFUSED,
    *_IN_PLACE_OF_AN_ANSWER,
    *_SPOILT,
    DRIPPING,
    Answer(420, {"X-ESI-Error-Limit-Reset": "33"}, b"{}"),
)

_JUMPS_S = (-10 * 86_400, -86_400, -3600, -61, -1, 1, 61, 3600, 86_400)


class Faults:
    """Faults of a server and of the clock, now and then.

    Args:
        server: whose answers go wrong.
        time: whose wall clock jumps.
        chance: tells when.
    """

    def __init__(self, server: FeedsServer, time: FakeClock, chance: random.Random) -> None:
        self._server = server
        self._time = time
        self._chance = chance

    def perhaps(self, path: str, faults: Sequence[Answer], probability: float) -> None:
        """Spoil the next one to three answers to `path`."""
        if self._chance.random() < probability:
            self._server.script(path, *self._chance.choices(faults, k=self._chance.randint(1, 3)))

    def perhaps_jump(self, probability: float) -> None:
        """Set the wall clock to another time."""
        if self._chance.random() < probability:
            self._time.wrong_by += self._chance.choice(_JUMPS_S)
