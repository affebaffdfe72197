"""What can be wrong with a request about many leads."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError


class BulkActionNotFoundError(NotFoundError):
    code = "bulk_action_not_found"


class BadBulkActionError(InvalidError):
    code = "bad_bulk_action"


class TooManyBulkActionsError(ConflictError):
    """The unit waits for several already."""

    code = "too_many_bulk_actions"


class NothingToUndoError(ConflictError):
    code = "nothing_to_undo"
