"""What the API's processes share through Redis (REDIS_URL): each client's rate, and hot answers.

Redis makes things better, and nothing depends on it: while it is away or slow, no client is limited and every answer
is made anew. Each attempt may take TIMEOUT_S; after one that failed Redis is left alone for LEFT_ALONE_S, so that
requests do not wait for it one after the other.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from ipaddress import ip_address, ip_network
from math import ceil

from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import TypeAdapter
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from api.answers import Written
from battlescope.telemetry import Metric, count_alone, logger

TIMEOUT_S = 0.25
LEFT_ALONE_S = 5.0

ANSWER_BYTES_MAX = 2 * 1024 * 1024
"""Larger answers are made anew each time: Redis is no place for them."""

_KEYS = "battlescope"
_WRITTEN = TypeAdapter(Written)
_IPV6_CLIENT_BITS = 64
"""A client has a whole network of that size, and could take another address for each request."""


class Shared:
    """Limits and remembered answers; safe to use from several threads.

    Args:
        redis_url: where Redis is.
        rate_per_minute: requests that one client may make in any minute.
    """

    def __init__(self, redis_url: str, rate_per_minute: int) -> None:
        pool = ConnectionPool.from_url(
            redis_url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # A connection that broke while nobody used it is replaced once; a slow Redis is not asked twice.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._redis = Redis(connection_pool=pool)
        self._limit = RateLimitItemPerMinute(rate_per_minute, namespace=_KEYS)
        self._limiter = MovingWindowRateLimiter(
            RedisStorage(redis_url, connection_pool=pool, key_prefix=_KEYS)
        )
        self._left_alone_until = 0.0

    def wait_s(self, address: str) -> int | None:
        """Counts a request of a client; how long it has to wait where that was one too many."""
        client = client_of(address)

        def hit() -> int | None:
            if self._limiter.hit(self._limit, client):
                return None
            return max(1, ceil(self._limiter.get_window_stats(self._limit, client).reset_time - time.time()))

        return self._attempt(hit)

    def get(self, key: str) -> Written | None:
        """The answer that was kept under this key."""
        kept = self._attempt(lambda: self._redis.get(_named(key)))
        if not isinstance(kept, bytes):
            return None
        about, _, text = kept.partition(b"\n")
        try:
            return _WRITTEN.validate_python({**json.loads(about), "text": text})
        except (ValueError, TypeError):
            logger.warning("what Redis kept is no answer of ours", extra={"key": key})
            return None

    def put(self, key: str, answer: Written, lasts_s: int) -> None:
        """Keep an answer."""
        if len(answer.text) > ANSWER_BYTES_MAX:
            return
        about = {name: value for name, value in asdict(answer).items() if name != "text"}
        kept = json.dumps(about).encode() + b"\n" + answer.text
        self._attempt(lambda: self._redis.set(_named(key), kept, ex=lasts_s))

    def _attempt[Result](self, work: Callable[[], Result]) -> Result | None:
        if time.monotonic() < self._left_alone_until:
            return None
        try:
            return work()
        except RedisError as error:
            self._left_alone_until = time.monotonic() + LEFT_ALONE_S
            logger.warning(
                "Redis failed; for now there are no limits and no kept answers", extra={"reason": str(error)}
            )
            count_alone(Metric.REDIS_ERRORS)
            return None


def client_of(address: str) -> str:
    """Whose requests are counted together: an IPv4 address, or the IPv6 network that a client has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed.packed[:8] + bytes(8), _IPV6_CLIENT_BITS)))
    return address


def _named(key: str) -> str:
    return f"{_KEYS}/answer/{key}"
