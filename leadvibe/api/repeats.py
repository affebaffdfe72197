"""Requests that are sent again because nobody heard the answer: a key makes them happen once."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from flask import request
from pydantic_core import to_json
from werkzeug.wrappers import Response

from leadvibe.api.operations import Operation
from leadvibe.http import bodies
from leadvibe.http.principal import security
from leadvibe.idempotency import service
from leadvibe.idempotency.errors import AnswerWithheldError
from leadvibe.idempotency.types import Answer, KeyedRequest
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError

KEY_HEADER = "Idempotency-Key"
REPEATED_HEADER = "Idempotent-Replayed"
LONGEST_KEY = 200

_KEPT_HEADERS = ("Content-Type", "ETag", "Location")
_PURPOSE = "idempotency fingerprint"


def read_key() -> str | None:
    """Return the request's key, if it has one. Raises InvalidError for what cannot be one."""
    key = request.headers.get(KEY_HEADER, "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        problem = f"must be at most {LONGEST_KEY} printable characters"
        raise InvalidError(f"{KEY_HEADER} {problem}.", fields={KEY_HEADER: problem})
    return key or None


def once(operation: Operation, principal: Principal, respond: Callable[[], Response]) -> Response:
    """Answer a request, or give the answer that the same request with the same key had before."""
    key = read_key()
    if key is None:
        return respond()
    asked = _asked(operation, principal, key)
    earlier = service.begin(asked, now=utc_now())
    if earlier is not None:
        return _repeated(earlier)
    response = respond()
    service.remember(asked, _kept(operation, response))
    return response


def _asked(operation: Operation, principal: Principal, key: str) -> KeyedRequest:
    caller_id = principal.member_id or principal.credential_id
    assert caller_id is not None, "whoever calls the API is one of them"
    return KeyedRequest(
        org_id=principal.org_id,
        caller_id=caller_id,
        key=key,
        fingerprint=_fingerprint(operation, principal),
    )


def _fingerprint(operation: Operation, principal: Principal) -> bytes:
    """Return what tells the request from others, keyed, since bodies may hold passwords.

    A file is told by its length alone: reading it twice would take as long as the import.
    """
    query = request.query_string.decode("latin-1")
    address = [request.method, request.path, query, str(principal.unit_id)]
    if operation.uploads:
        body = str(_file_length()).encode()
    else:
        body = bodies.read_bytes(max_bytes=operation.max_body_bytes)
    return hmac.digest(security().key(_PURPOSE), to_json(address) + body, "sha256")


def _file_length() -> int:
    """Return how long the form is, without the line around its file that clients draw anew."""
    line = request.mimetype_params.get("boundary", "")
    return (request.content_length or 0) - 2 * len(line)


def _kept(operation: Operation, response: Response) -> Answer:
    headers = response.headers
    return Answer(
        status=response.status_code,
        headers={name: headers[name] for name in _KEPT_HEADERS if name in headers},
        body=None if operation.shows_secret else response.get_data(),
        created_at=utc_now(),
    )


def _repeated(earlier: Answer) -> Response:
    if earlier.body is None:
        raise AnswerWithheldError(
            "This was done already, at"
            f" {earlier.created_at:%Y-%m-%d %H:%M:%S} UTC. The answer held a secret, which is shown"
            " once and not stored: if you never got it, delete what was made and ask again with a"
            " new Idempotency-Key."
        )
    response = Response(earlier.body, status=earlier.status)
    del response.headers["Content-Type"]
    response.headers.update(earlier.headers)
    response.headers[REPEATED_HEADER] = "true"
    return response
