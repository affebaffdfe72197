"""What can be wrong with a request about triggers."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError


class TriggerNotFoundError(NotFoundError):
    code = "trigger_not_found"


class BadTriggerError(InvalidError):
    code = "bad_trigger"


class TriggerChangedError(ConflictError):
    """Somebody else changed the trigger meanwhile."""

    code = "trigger_changed"


class TooManyTriggersError(ConflictError):
    code = "too_many_triggers"
