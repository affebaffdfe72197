"""What can be wrong with a request about leads."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError


class LeadNotFoundError(NotFoundError):
    code = "lead_not_found"


class LeadExistsError(ConflictError):
    code = "lead_exists"


class BadAliasError(InvalidError):
    code = "bad_alias"
