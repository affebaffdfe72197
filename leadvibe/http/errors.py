"""The one JSON shape of an error, for whatever has no surface of its own to render it."""

from __future__ import annotations

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from leadvibe.http import request_id
from leadvibe.lib.errors import (
    InvalidError,
    LeadvibeError,
    NotFoundError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
    UnsupportedTypeError,
)

_OUR_FAULT = "The fault is on our side and has been logged: try again, or quote the request_id."
_NO_SUCH_ADDRESS = "There is nothing at this address: /openapi.json lists what there is."

# What the library finds wrong has the same code as when we do.
_CODES = {
    error.status: error.code
    for error in (InvalidError, NotFoundError, TooLargeError, UnsupportedTypeError)
}


def json_error(error: LeadvibeError | HTTPException) -> Response:
    """Render `{"error", "code", "fields", "request_id"}`; `fields` only when it says something.

    What is our own fault says nothing but the `request_id` to ask about.
    """
    response = _from_library(error) if isinstance(error, HTTPException) else _from_ours(error)
    if isinstance(error, ThrottledError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, UnauthenticatedError):
        # Naming Basic here would make browsers ask for a password, and then send it by themselves.
        response.headers["WWW-Authenticate"] = 'Bearer realm="leadvibe"'
    return response


def _from_ours(error: LeadvibeError) -> Response:
    body: dict[str, object] = {"error": error.message, "code": error.code}
    if error.fields:
        body["fields"] = error.fields
    return _response(body, error.status)


def _from_library(error: HTTPException) -> Response:
    """Keep what the library adds, such as the Allow header of a 405."""
    status = error.code or LeadvibeError.status
    if status == LeadvibeError.status:
        return _from_ours(LeadvibeError(_OUR_FAULT))
    code = _CODES.get(status) or error.name.lower().replace(" ", "_")
    response = _response({"error": _message(error), "code": code}, status)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _message(error: HTTPException) -> str:
    if isinstance(error, NotFound):
        return _NO_SUCH_ADDRESS
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        return f"This address does not take that method: use {', '.join(error.valid_methods)}."
    return error.description or error.name


def _response(body: dict[str, object], status: int) -> Response:
    response = jsonify({**body, "request_id": request_id.current()})
    response.status_code = status
    return response
