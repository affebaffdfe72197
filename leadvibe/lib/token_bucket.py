"""Token buckets in Valkey, shared by all processes: each refills at a rate, up to its burst.

A broker that is away or slow limits nobody: after one failure it is left alone for some seconds,
so that what is asked for on the path of every event costs nothing meanwhile.
"""

from __future__ import annotations

import logging
import math
import time
from typing import NamedTuple, cast

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadvibe.lib.seldom import Seldom

PREFIX = "leadvibe:rate:"
LONGEST_ANSWER_SECONDS = 0.05
"""A broker beside us answers in a tenth of a millisecond; who waits longer had better not ask."""

PAUSE_SECONDS = 5.0
"""How long a broker that failed is left alone."""

_MICROSECONDS = 1_000_000

_log = logging.getLogger(__name__)

# One number says all there is to know of a bucket: when it will be full again. It is the same as
# counting tokens with the time of the last refill, in one value and without rounding. The broker's
# own clock counts, because those of several machines differ.
_TAKE = """
local interval = tonumber(ARGV[1])
local most = interval * tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_at = tonumber(redis.call('GET', KEYS[1]) or 0)
if full_at < now then full_at = now end
local missing = full_at - now + interval
if missing > most then
    return {0, 0, full_at - now, missing - most}
end
redis.call('SET', KEYS[1], string.format('%.0f', now + missing), 'PX', math.ceil(missing / 1000))
return {1, math.floor((most - missing) / interval), missing, 0}
"""


class Taking(NamedTuple):
    """What came of asking for a token."""

    is_granted: bool
    left: int
    full_in_seconds: int
    wait_seconds: int
    """Until the next token; 0 for who has just got one."""


def impatient_client(url: str) -> Redis:
    """Return a client that would rather fail than wait."""
    return Redis.from_url(
        url,
        socket_timeout=LONGEST_ANSWER_SECONDS,
        socket_connect_timeout=LONGEST_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),  # the library's own waits between its tries, for seconds
    )


class TokenBuckets:
    """Buckets by key; whoever takes from one says how large it is."""

    def __init__(self, broker: Redis) -> None:
        self._take = broker.register_script(_TAKE)
        self._failures = Seldom()
        self._is_broken = False
        self._asked_again_at = 0.0

    def take(self, key: str, per_second: int, burst: int) -> Taking | None:
        """Take a token, if there is one; None while the broker cannot be asked.

        One round trip, and none while the broker is left alone. Never raises.
        """
        if self._is_broken and not self._may_try():
            return None
        try:
            answer = self._take(keys=[PREFIX + key], args=(_MICROSECONDS // per_second, burst))
        except RedisError as error:
            self._fail(error)
            return None
        self._is_broken = False
        is_granted, left, full_in, wait = cast("list[int]", answer)
        return Taking(bool(is_granted), left, _seconds(full_in), _seconds(wait))

    def _may_try(self) -> bool:
        """Let one of many try whether the broker is back; the others do not wait for it."""
        now = time.monotonic()
        if now < self._asked_again_at:
            return False
        self._asked_again_at = now + PAUSE_SECONDS
        return True

    def _fail(self, error: RedisError) -> None:
        self._is_broken = True
        self._asked_again_at = time.monotonic() + PAUSE_SECONDS
        if self._failures.count():
            _log.warning("nothing is limited while the broker does not answer: %s", error)


def _seconds(microseconds: int) -> int:
    return math.ceil(microseconds / _MICROSECONDS)
