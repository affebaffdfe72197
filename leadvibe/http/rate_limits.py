"""How many requests to the JSON API a caller may make, and what every answer says of it.

The headers are RateLimit-Limit, -Remaining and -Reset, which clients know. The draft of the IETF
that once defined them has changed its fields twice since, and is no standard yet.
"""

from __future__ import annotations

import logging
from typing import cast

from flask import Flask, Response, after_this_request, current_app, g, request

from leadvibe.http import principal as asking
from leadvibe.identity.types import KeyBy, LimitMode, Principal, Rate, RequestLimit
from leadvibe.lib.errors import ForbiddenError, ThrottledError, UnauthenticatedError
from leadvibe.lib.seldom import Seldom
from leadvibe.lib.token_bucket import Taking, TokenBuckets

_LIMITER = "leadvibe.rate_limiter"

_log = logging.getLogger(__name__)


class RateLimitedError(ThrottledError):
    code = "rate_limited"


class RateLimiter:
    """The limit of this installation, and how often this process has seen any passed."""

    def __init__(self, buckets: TokenBuckets, limit: RequestLimit) -> None:
        self.limit = limit
        self.passed = 0
        self._buckets = buckets
        self._news = Seldom()

    def take(self, key: str, limit: RequestLimit) -> Taking | None:
        """Take a token from a bucket; None when nobody knows how many are left."""
        return self._buckets.take(key, *limit.rate)

    def note(self, limit: RequestLimit) -> None:
        """Count a request beyond the limit, and write that to the log once a minute."""
        self.passed += 1
        if count := self._news.count():
            what = "refused" if limit.mode is LimitMode.ENFORCE else "let through, for it observes"
            _log.warning("the rate limit was passed by %d request(s), %s", count, what)


def register(app: Flask, limiter: RateLimiter) -> None:
    app.extensions[_LIMITER] = limiter


def limiter() -> RateLimiter:
    """Return the limit of this application."""
    return cast("RateLimiter", current_app.extensions[_LIMITER])


def take() -> None:
    """Count this request. Raises RateLimitedError for one too many, if limits are enforced.

    The installation's limit holds for everybody, and where it counts addresses, nobody need be
    looked up for it. A limit of the caller's own holds as well.
    """
    of_all = limiter().limit
    if of_all.key_by is KeyBy.IP:
        _count(of_all, None)
    asker = _asker()
    if of_all.key_by is not KeyBy.IP:
        _count(of_all, asker)
    if asker is not None and asker.own_limit is not None:
        _count(asker.own_limit, asker, is_own=True)


def limit_on(principal: Principal) -> tuple[RequestLimit, str]:
    """Return the limit that holds for somebody, and the bucket that they are counted in."""
    own = principal.own_limit
    limit = own or limiter().limit
    return limit, key_of(principal, limit, is_own=own is not None)


def _count(limit: RequestLimit, asker: Principal | None, *, is_own: bool = False) -> None:
    if limit.mode is LimitMode.OFF:
        return
    taking = limiter().take(key_of(asker, limit, is_own=is_own), limit)
    if taking is None:
        return
    _say(limit.rate, taking)
    if taking.is_granted:
        return
    limiter().note(limit)
    if limit.mode is LimitMode.ENFORCE:
        g.is_rate_limited = True
        raise RateLimitedError(
            f"Too many requests: at most {limit.rate.per_second} a second, or"
            f" {limit.rate.burst} at once after a pause. Wait as long as Retry-After says.",
            retry_after_seconds=max(1, taking.wait_seconds),
        )


def _asker() -> Principal | None:
    try:
        return asking.find()
    except (ForbiddenError, UnauthenticatedError):
        return None


def is_refused() -> bool:
    """Say whether this request was one too many."""
    return bool(g.get("is_rate_limited", False))


def key_of(principal: Principal | None, limit: RequestLimit, *, is_own: bool = False) -> str:
    """Return the name of the bucket that a request takes from.

    Buckets of a limit that can be changed are of its size, so that a new one begins full.
    """
    name = _name_of(principal, limit.key_by)
    return f"{name}:{limit.rate.per_second}/{limit.rate.burst}" if is_own else name


def _name_of(principal: Principal | None, key_by: KeyBy) -> str:
    if principal is not None:
        if key_by is KeyBy.ORG:
            return f"org:{principal.org_id}"
        if key_by is KeyBy.UNIT and principal.unit_id is not None:
            return f"unit:{principal.unit_id}"
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
