"""What can be wrong with a request about events."""

from __future__ import annotations

from leadvibe.lib.errors import NotFoundError


class EventNotFoundError(NotFoundError):
    code = "event_not_found"


class EventTypeNotFoundError(NotFoundError):
    code = "event_type_not_found"


class DeadLetterNotFoundError(NotFoundError):
    code = "dead_letter_not_found"


class TypeDeletionNotFoundError(NotFoundError):
    code = "deletion_not_found"
