"""Errors in Octanist's envelope, with the codes that its clients know."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from leadvibe.dialects.octanist.envelope import answer_bare, answer_failure
from leadvibe.lib.errors import InvalidError, LeadvibeError, ThrottledError, UnauthenticatedError

CHECK_PATH = "/api/check"
REFUSED = "Invalid or missing API key"
_OUR_FAULT = "The fault is on our side and has been logged: try again, or quote the requestId."

CODES = {
    HTTPStatus.BAD_REQUEST: "VALIDATION_ERROR",
    HTTPStatus.UNAUTHORIZED: "UNAUTHORIZED",
    HTTPStatus.FORBIDDEN: "FORBIDDEN",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.CONFLICT: "CONFLICT",
    # Octanist has no limit yet and so no code for it; with one of its own, clients would take
    # what they may send again for what they must not.
    HTTPStatus.TOO_MANY_REQUESTS: "RATE_LIMITED",
}
"""Of a status; what else is refused is VALIDATION_ERROR, and our faults are INTERNAL_ERROR."""


class BadFilterError(InvalidError):
    code = "INVALID_FILTER"


class BadDateError(InvalidError):
    code = "INVALID_DATE"


OWN_CODES = (BadFilterError, BadDateError)


def render_error(error: LeadvibeError | HTTPException) -> Response:
    """Answer with an error, in the one form that `check` has, or in the envelope."""
    if isinstance(error, UnauthenticatedError) and request.path == CHECK_PATH:
        return answer_bare({"error": REFUSED}, HTTPStatus.UNAUTHORIZED)
    response = _from_library(error) if isinstance(error, HTTPException) else _from_ours(error)
    if isinstance(error, ThrottledError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _from_ours(error: LeadvibeError) -> Response:
    code = error.code if isinstance(error, OWN_CODES) else _code_of(error.status)
    message = REFUSED if isinstance(error, UnauthenticatedError) else error.message
    return answer_failure(error.status, code, message, error.fields)


def _from_library(error: HTTPException) -> Response:
    """Keep what the library adds, such as the Allow header of a 405."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    response = answer_failure(status, _code_of(status), _message(error, status), {})
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _code_of(status: int) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "INTERNAL_ERROR"
    return CODES.get(HTTPStatus(status), "VALIDATION_ERROR")


def _message(error: HTTPException, status: int) -> str:
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _OUR_FAULT
    if isinstance(error, NotFound):
        return "There is nothing at this address: /api/openapi.json lists what there is."
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        return f"This address does not take that method: use {', '.join(error.valid_methods)}."
    return error.description or error.name
