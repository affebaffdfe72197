"""How many requests to the JSON API a caller may make, and what every answer says of it.

The headers are RateLimit-Limit, -Remaining and -Reset, which clients know. The draft of the IETF
that once defined them has changed its fields twice since, and is no standard yet.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import NamedTuple, cast

from flask import Flask, Response, after_this_request, current_app, g, request

from leadvibe.http import principal as asking
from leadvibe.identity.types import Principal
from leadvibe.lib.errors import ThrottledError, UnauthenticatedError
from leadvibe.lib.seldom import Seldom
from leadvibe.lib.token_bucket import Taking, TokenBuckets

_LIMITER = "leadvibe.rate_limiter"

_log = logging.getLogger(__name__)


class RateLimitedError(ThrottledError):
    code = "rate_limited"


class LimitMode(StrEnum):
    """What comes of too many requests: nothing, a note, or a refusal."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


class KeyBy(StrEnum):
    """Who shares a bucket. Whoever is not known by that is known by an address."""

    ORG = "org"
    USER = "user"
    """Each member, and each API credential."""
    CLIENT = "client"
    """Each API credential; members by their address."""
    IP = "ip"


class Rate(NamedTuple):
    """How many requests a second, and how many at once after a pause."""

    per_second: int
    burst: int


class RateLimiter:
    """The limit of this installation, and how often this process has seen it passed."""

    def __init__(
        self, buckets: TokenBuckets, *, mode: LimitMode, key_by: KeyBy, rate: Rate
    ) -> None:
        self.mode = mode
        self.key_by = key_by
        self.rate = rate
        self.passed = 0
        self._buckets = buckets
        self._news = Seldom()

    def take(self) -> Taking | None:
        """Take a token for whoever asks; None when nobody knows how many are left."""
        return self._buckets.take(key_of(self._asker(), self.key_by))

    def note(self) -> None:
        """Count a request beyond the limit, and write that to the log once a minute."""
        self.passed += 1
        if count := self._news.count():
            what = "refused" if self.mode is LimitMode.ENFORCE else "let through, for it observes"
            _log.warning("the rate limit was passed by %d request(s), %s", count, what)

    def _asker(self) -> Principal | None:
        if self.key_by is KeyBy.IP:
            return None  # and nobody need be looked up for it
        try:
            return asking.find()
        except UnauthenticatedError:
            return None


def register(app: Flask, limiter: RateLimiter) -> None:
    app.extensions[_LIMITER] = limiter


def limiter() -> RateLimiter:
    """Return the limit of this application."""
    return cast("RateLimiter", current_app.extensions[_LIMITER])


def take() -> None:
    """Count this request. Raises RateLimitedError for one too many, if limits are enforced."""
    found = limiter()
    if found.mode is LimitMode.OFF:
        return
    taking = found.take()
    if taking is None:
        return
    _say(found.rate, taking)
    if taking.is_granted:
        return
    found.note()
    if found.mode is LimitMode.ENFORCE:
        g.is_rate_limited = True
        raise RateLimitedError(
            f"Too many requests: at most {found.rate.per_second} a second, or"
            f" {found.rate.burst} at once after a pause. Wait as long as Retry-After says.",
            retry_after_seconds=max(1, taking.wait_seconds),
        )


def is_refused() -> bool:
    """Say whether this request was one too many."""
    return bool(g.get("is_rate_limited", False))


def key_of(principal: Principal | None, key_by: KeyBy) -> str:
    """Return the name of the bucket that a request takes from."""
    if principal is not None:
        if key_by is KeyBy.ORG:
            return f"org:{principal.org_id}"
        if principal.credential_id is not None and key_by in {KeyBy.USER, KeyBy.CLIENT}:
            return f"client:{principal.label}"
        if principal.member_id is not None and key_by is KeyBy.USER:
            return f"user:{principal.member_id}"
    return f"ip:{request.remote_addr}"


def _say(rate: Rate, taking: Taking) -> None:
    @after_this_request
    def add(response: Response) -> Response:
        response.headers["RateLimit-Limit"] = str(rate.burst)
        response.headers["RateLimit-Remaining"] = str(taking.left)
        response.headers["RateLimit-Reset"] = str(taking.full_in_seconds)
        return response
