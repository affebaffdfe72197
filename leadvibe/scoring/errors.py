"""What can be wrong with a request about scoring."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError


class RulesetNotFoundError(NotFoundError):
    code = "ruleset_not_found"


class RuleNotFoundError(NotFoundError):
    code = "rule_not_found"


class ConfigItemNotFoundError(NotFoundError):
    code = "not_found"


class ConfigItemExistsError(ConflictError):
    code = "exists"


class RulesetExistsError(ConflictError):
    code = "ruleset_exists"


class RuleExistsError(ConflictError):
    code = "rule_exists"


class BadWindowError(InvalidError):
    code = "bad_window"


class AbmDisabledError(ForbiddenError):
    code = "abm_disabled"


class BadConfigError(InvalidError):
    """Each of its fields is named with what is wrong."""

    code = "bad_config"


class LevelNotFoundError(NotFoundError):
    code = "level_not_found"


class LevelExistsError(ConflictError):
    code = "level_exists"


class LevelOverlapError(InvalidError):
    code = "level_overlap"


class LastLevelError(InvalidError):
    code = "last_level"


class VersionNotFoundError(NotFoundError):
    code = "version_not_found"


class DraftNotFoundError(NotFoundError):
    code = "draft_not_found"


class DraftExistsError(ConflictError):
    code = "draft_exists"


class TooManyDraftsError(ConflictError):
    code = "too_many_drafts"


class DraftOutdatedError(ConflictError):
    """The configuration has changed since the draft was copied from it."""

    code = "draft_outdated"


class DraftItemChangedError(ConflictError):
    """Somebody else has changed the same thing in the draft."""

    code = "draft_item_changed"


class ProtectedEventTypeError(ConflictError):
    code = "event_type_protected"
