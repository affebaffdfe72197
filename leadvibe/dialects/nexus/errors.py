"""Errors as this API words them: `{"error": "..."}`, and nothing beside."""

from __future__ import annotations

from flask import Response
from pydantic_core import from_json, to_json
from werkzeug.exceptions import HTTPException

from leadvibe.http.errors import json_error
from leadvibe.lib.errors import LeadvibeError


def render(error: LeadvibeError | HTTPException) -> Response:
    """Keep status and headers of our own form, and of its body the sentence."""
    response = json_error(error)
    response.set_data(to_json({"error": from_json(response.get_data())["error"]}))
    return response
