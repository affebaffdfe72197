"""The rate limit, as whoever asks meets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leadvibe.http.rate_limits import KeyBy, LimitMode, key_of, limiter
from leadvibe.identity.types import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many requests share the bucket `key`: `rps` a second, `burst` at once after a pause.

    `stage` says when a request is counted: an address before anybody knows whose it is, all else
    once that is known. `observe` counts and refuses nothing.
    """

    enabled: bool
    mode: LimitMode
    key_by: KeyBy
    key: str
    rps: int
    burst: int
    stage: Literal["before_authentication", "after_authentication"]


def get_rate_limit(principal: Principal) -> RateLimit:
    """The limit on your requests, and the bucket that they are counted in."""
    found = limiter()
    is_early = found.key_by is KeyBy.IP
    return RateLimit(
        enabled=found.mode is not LimitMode.OFF,
        mode=found.mode,
        key_by=found.key_by,
        key=key_of(principal, found.key_by),
        rps=found.rate.per_second,
        burst=found.rate.burst,
        stage="before_authentication" if is_early else "after_authentication",
    )
