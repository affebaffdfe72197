"""What can be wrong with a request about views of the lead list."""

from __future__ import annotations

from leadvibe.lib.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
)


class LeadViewNotFoundError(NotFoundError):
    code = "lead_view_not_found"


class LeadViewExistsError(ConflictError):
    code = "lead_view_exists"


class TooManyLeadViewsError(ConflictError):
    code = "too_many_lead_views"


class SharedLeadViewError(ForbiddenError):
    """A view that everybody sees is changed by those who may configure the unit."""

    code = "shared_lead_view"


class LeadViewChangedError(PreconditionFailedError):
    """Somebody else has changed the view in the meantime."""

    code = "lead_view_changed"


class BadLeadViewError(InvalidError):
    code = "bad_lead_view"
