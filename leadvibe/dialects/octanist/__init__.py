"""The Octanist lead API below /api, for clients that know it already.

What lies below /api/v1 belongs to others.
"""

from __future__ import annotations

from functools import cache

from flask import Flask, Response, request
from pydantic_core import to_json

import leadvibe
from leadvibe.dialects.octanist import openapi, routes
from leadvibe.dialects.octanist.auth import find_principal
from leadvibe.dialects.octanist.envelope import name_request
from leadvibe.dialects.octanist.errors import render_error
from leadvibe.http import surfaces
from leadvibe.http.surfaces import Surface

BASE = "/api"
DOCUMENT = f"{BASE}/openapi.json"
_OTHERS = f"{BASE}/v1"


def register(app: Flask) -> None:
    """Add every operation, and the document that describes them."""
    surfaces.register(app, Surface(owns, find_principal, render_error))
    routes.register(app, routes.OPERATIONS)

    @app.before_request
    def name() -> None:
        if owns(request.path):
            name_request()

    @cache
    def document() -> bytes:
        url = app.config["PUBLIC_URL"]
        return to_json(openapi.build(routes.OPERATIONS, version=leadvibe.__version__, url=url))

    def show_document() -> Response:
        return Response(document(), mimetype="application/json")

    app.add_url_rule(DOCUMENT, "octanist.document", show_document)


def owns(path: str) -> bool:
    return _is_below(path, BASE) and not _is_below(path, _OTHERS)


def _is_below(path: str, base: str) -> bool:
    return path == base or path.startswith(f"{base}/")
