"""Which refusals an operation may answer with, and how each is published.

Most follow from the row itself: what is parsed can be malformed, what a path names can be missing.
What else a view may raise stands in the row as `refusals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadvibe.api.operations import Auth, Operation
from leadvibe.identity.permissions import Permission

ERROR = "#/components/schemas/Error"
RESPONSES = "#/components/responses/"

_ONLY_SIGNED_IN = frozenset({Permission.SIGNED_IN, Permission.ADMINISTER})
_READS = frozenset({Permission.SIGNED_IN, Permission.READ})

REQUEST_ID = "0193647b8a3e7c52a5ad0d2f8e2f6c11"

ERROR_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "title": "Error",
    "description": "Why a request was refused. `fields` says what is wrong with each.",
    "required": ["error", "code", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "What is wrong and what to do about it."},
        "code": {"type": "string", "description": "The same for programs."},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "request_id": {"type": "string", "description": "What to quote when asking for help."},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A way to refuse: its name among the document's responses, when it happens, an example."""

    name: str
    when: str
    code: str
    error: str
    fields: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    """Response headers that come with it, each with what it says."""

    def published(self) -> dict[str, Any]:
        """Return it as the document has it."""
        example: dict[str, Any] = {"error": self.error, "code": self.code}
        if self.fields:
            example["fields"] = self.fields
        example["request_id"] = REQUEST_ID
        content = {"schema": {"$ref": ERROR}, "example": example}
        response: dict[str, Any] = {
            "description": self.when,
            "content": {"application/json": content},
        }
        if self.headers:
            response["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in self.headers.items()
            }
        return response


REFUSALS: Mapping[int, Refusal] = {
    400: Refusal(
        name="Invalid",
        when="Something in the request will not do, or no unit is active.",
        code="invalid",
        error="limit must be at most 500.",
        fields={"limit": "must be at most 500"},
    ),
    401: Refusal(
        name="Unauthenticated",
        when="Nobody is signed in, or what was sent proves nothing.",
        code="unauthenticated",
        error="Sign in, or send an access token (Bearer) or API credentials (Basic).",
        headers={"WWW-Authenticate": "How to prove who you are."},
    ),
    403: Refusal(
        name="Forbidden",
        when="Your role does not allow this, or only members may do it.",
        code="forbidden",
        error="You may not change data in this unit: ask an Owner or an admin.",
    ),
    404: Refusal(
        name="NotFound",
        when="There is no such thing in this unit. What belongs to others is not there either.",
        code="lead_not_found",
        error="There is no lead 'ld_nobody' in this unit.",
    ),
    409: Refusal(
        name="Conflict",
        when="It contradicts what there is already.",
        code="lead_exists",
        error="A lead 'ld_123' exists already. Update it, or choose another id.",
        fields={"id": "exists already"},
    ),
    413: Refusal(
        name="TooLarge",
        when="The body, or something in it, is larger than what is accepted.",
        code="too_large",
        error="metadata is 204,800 bytes; at most 102,400 are accepted.",
        fields={"metadata": "is too large"},
    ),
    415: Refusal(
        name="UnsupportedType",
        when="The body is of another type than what is read here.",
        code="unsupported_type",
        error="The body is text/plain: send JSON with Content-Type: application/json.",
    ),
    412: Refusal(
        name="ChangedMeanwhile",
        when="It is not in the state that If-Match names: somebody else has changed it.",
        code="precondition_failed",
        error="Somebody else has changed this meanwhile: read it again, then decide.",
    ),
    422: Refusal(
        name="KeyReused",
        when="The Idempotency-Key came with another request before.",
        code="idempotency_key_reused",
        error="This Idempotency-Key was used for another request: choose a new one.",
    ),
    429: Refusal(
        name="TooManyRequests",
        when="Too many attempts: wait as long as Retry-After says.",
        code="throttled",
        error="Too many attempts. Wait 60 seconds and try again.",
        headers={"Retry-After": "Seconds to wait."},
    ),
}
FAILURE = Refusal(
    name="Failure",
    when="The fault is on our side, or the database does not answer: try again.",
    code="unavailable",
    error="The database does not answer: try again in a moment.",
)


def statuses_of(operation: Operation) -> list[int]:
    """Return with which statuses an operation may refuse a request, in order."""
    wanted = operation.interface
    statuses = set(operation.refusals)
    has_body = wanted.body is not None or bool(operation.uploads)
    if has_body:
        statuses |= {400, 413, 415}
    if wanted.query is not None or _needs_unit(operation):
        statuses.add(400)
    if operation.auth is not Auth.NONE:
        statuses.add(401)
        is_restricted = operation.auth is Auth.MEMBER or operation.permission not in _READS
        # A browser's write without its token is refused, whoever asks.
        if is_restricted or operation.method != "GET":
            statuses.add(403)
    if operation.path_names:
        statuses.add(404)
    if operation.edits is not None:
        statuses.add(412)
    if operation.heeds_key:
        statuses |= {400, 409, 422}
    if operation.is_limited:
        statuses.add(429)
    return sorted(statuses)


def published_refusals(operation: Operation) -> dict[str, Any]:
    """Return an operation's refusals by status, as the document has them."""
    named = {str(status): REFUSALS[status].name for status in statuses_of(operation)}
    return {
        status: {"$ref": f"{RESPONSES}{name}"}
        for status, name in {**named, "5XX": FAILURE.name}.items()
    }


def published_responses() -> dict[str, Any]:
    """Return what the refusals of operations refer to."""
    return {it.name: it.published() for it in (*REFUSALS.values(), FAILURE)}


def _needs_unit(operation: Operation) -> bool:
    return operation.permission is not None and operation.permission not in _ONLY_SIGNED_IN
