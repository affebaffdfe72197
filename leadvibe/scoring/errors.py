"""What can be wrong with a request about scoring."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError


class RulesetNotFoundError(NotFoundError):
    code = "ruleset_not_found"


class RuleNotFoundError(NotFoundError):
    code = "rule_not_found"


class RulesetExistsError(ConflictError):
    code = "ruleset_exists"


class RuleExistsError(ConflictError):
    code = "rule_exists"


class BadWindowError(InvalidError):
    code = "bad_window"
