"""What can be wrong with the answers of a quick start."""

from __future__ import annotations

from leadvibe.lib.errors import InvalidError


class BadAnswersError(InvalidError):
    code = "bad_answers"
