"""Why a key is of no use to a request."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, LeadvibeError


class KeyInUseError(ConflictError):
    """The first request with the key is not over yet."""

    code = "idempotency_key_in_use"


class KeyReusedError(LeadvibeError):
    """The key was sent with another request."""

    status = 422
    code = "idempotency_key_reused"


class AnswerWithheldError(ConflictError):
    """The first request with the key succeeded, and its answer is not to be had again."""

    code = "idempotency_answer_withheld"
