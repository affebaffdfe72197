"""What can be wrong with a request about leads."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError


class LeadNotFoundError(NotFoundError):
    code = "lead_not_found"


class LeadExistsError(ConflictError):
    code = "lead_exists"


class BadAliasError(InvalidError):
    code = "bad_alias"


class AliasTakenError(ConflictError):
    code = "alias_taken"


class AliasNotFoundError(NotFoundError):
    code = "alias_not_found"


class LeadTakenError(ConflictError):
    """Somebody looks after it already."""

    code = "lead_taken"


class PropertyChangedError(ConflictError):
    code = "property_changed"


class SelfMergeError(InvalidError):
    code = "self_merge"


class AlreadyMergedError(ConflictError):
    code = "already_merged"


class MergedTooOftenError(ConflictError):
    code = "merged_too_often"


class NotMergedError(ConflictError):
    code = "not_merged"


class SuggestionNotFoundError(NotFoundError):
    code = "merge_suggestion_not_found"


class NotWatchedError(NotFoundError):
    code = "watch_not_found"


class NoteNotFoundError(NotFoundError):
    code = "note_not_found"


class NoteChangedError(ConflictError):
    code = "note_changed"


class NotYourNoteError(ForbiddenError):
    code = "not_your_note"


class DeletionNotFoundError(NotFoundError):
    code = "deletion_not_found"


class AccountNotFoundError(NotFoundError):
    code = "account_not_found"
