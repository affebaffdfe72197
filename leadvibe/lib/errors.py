"""One tree of errors: capabilities raise them, each surface renders them in its own shape.

A message names the thing and the remedy and is safe to show to a client. `fields` maps a field
of the request to what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping


class LeadvibeError(Exception):
    """The root: carries an HTTP-like status, a stable machine code and per-field messages."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class InvalidError(LeadvibeError):
    status = 400
    code = "invalid"


class UnauthenticatedError(LeadvibeError):
    status = 401
    code = "unauthenticated"


class ForbiddenError(LeadvibeError):
    status = 403
    code = "forbidden"


class NotFoundError(LeadvibeError):
    status = 404
    code = "not_found"


class ConflictError(LeadvibeError):
    status = 409
    code = "conflict"


class PreconditionFailedError(LeadvibeError):
    """It is no longer what the client has seen."""

    status = 412
    code = "precondition_failed"


class TooLargeError(LeadvibeError):
    status = 413
    code = "too_large"


class UnsupportedTypeError(LeadvibeError):
    status = 415
    code = "unsupported_type"


class ThrottledError(LeadvibeError):
    """Too many attempts; `retry_after_seconds` says when to come back."""

    status = 429
    code = "throttled"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(LeadvibeError):
    status = 503
    code = "unavailable"
