"""Answers that say nothing but their status."""

from __future__ import annotations

from flask import Response


def empty(status: int) -> Response:
    """Return an answer without a body, and without saying of what kind it would be."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response
