"""Whether a key is good."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response

from leadvibe.dialects.octanist.envelope import answer_bare
from leadvibe.identity.types import Principal


def check_key(principal: Principal) -> Response:
    """Say that the key is good. The one answer without the envelope."""
    del principal  # that there is one is the answer
    return answer_bare({"success": True}, HTTPStatus.OK)
