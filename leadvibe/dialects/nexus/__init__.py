"""The Nexus ERP lead API: /api/v1/leads, with keys, errors and pages in that product's form."""

from __future__ import annotations

from flask import Flask

from leadvibe.dialects.nexus import auth, errors, routes
from leadvibe.dialects.nexus.openapi import show_document
from leadvibe.dialects.nexus.operations import BASE, LEADS
from leadvibe.http import surfaces

DOCUMENT = f"{BASE}/openapi.json"


def register(app: Flask) -> None:
    """Add every operation. Other addresses below /api/v1 are those of our own API."""
    surfaces.register(app, surfaces.Surface(owns, auth.find_principal, errors.render))
    routes.register(app)
    app.add_url_rule(DOCUMENT, "nexus.document", show_document)


def owns(path: str) -> bool:
    return path in {LEADS, DOCUMENT} or path.startswith(f"{LEADS}/")
