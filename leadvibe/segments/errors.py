"""What can be wrong with a request about segments."""

from __future__ import annotations

from leadvibe.lib.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
)


class SegmentNotFoundError(NotFoundError):
    code = "segment_not_found"


class SegmentExistsError(ConflictError):
    code = "segment_exists"


class SegmentRuleNotFoundError(NotFoundError):
    code = "segment_rule_not_found"


class BadSegmentRuleError(InvalidError):
    code = "bad_segment_rule"


class TooManySegmentRulesError(ConflictError):
    code = "too_many_segment_rules"


class TooManyPicksError(ConflictError):
    code = "too_many_picks"


class SegmentChangedError(PreconditionFailedError):
    """Somebody else has changed the segment, or one of its rules, in the meantime."""

    code = "segment_changed"
