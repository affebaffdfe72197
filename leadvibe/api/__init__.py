"""Our JSON API, at the root: one table of operations (routes), one file per resource."""

from __future__ import annotations

from flask import Flask
from pydantic_core import to_json

import leadvibe
from leadvibe.api import dispatch, openapi
from leadvibe.api.routes import OPERATIONS
from leadvibe.http import workers
from leadvibe.http.published import publish_document


def register(app: Flask) -> None:
    """Add every operation."""
    workers.register(app)
    dispatch.register(app, OPERATIONS)

    def write_document() -> bytes:
        url = app.config["PUBLIC_URL"]
        return to_json(openapi.build(OPERATIONS, version=leadvibe.__version__, url=url))

    publish_document(app, write_document)
