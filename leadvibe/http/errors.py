"""The one JSON shape of an error, for whatever has no surface of its own to render it."""

from __future__ import annotations

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException

from leadvibe.http import request_id
from leadvibe.lib.errors import LeadvibeError, ThrottledError, UnauthenticatedError

_OUR_FAULT = "The fault is on our side and has been logged: try again, or quote the request_id."


def json_error(error: LeadvibeError | HTTPException) -> Response:
    """Render `{"error", "code", "fields"}`; the last only when it says something.

    What is our own fault carries the `request_id` to ask about, and nothing internal.
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
    if error.status == LeadvibeError.status:
        body["request_id"] = request_id.current()
    response = jsonify(body)
    response.status_code = error.status
    return response


def _from_library(error: HTTPException) -> Response:
    """Keep what the library adds, such as the Allow header of a 405."""
    status = error.code or 500
    if status == LeadvibeError.status:
        return _from_ours(LeadvibeError(_OUR_FAULT))
    code = error.name.lower().replace(" ", "_")
    response = jsonify({"error": error.description or error.name, "code": code})
    response.status_code = status
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response
