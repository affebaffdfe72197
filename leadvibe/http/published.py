"""The document that describes the API: written by one surface, shown by another."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

from flask import Flask

_DOCUMENT = "leadvibe.published_document"


def publish_document(app: Flask, write: Callable[[], bytes]) -> None:
    """Say how to write the document, which is done once, when it is first wanted."""
    app.extensions[_DOCUMENT] = cache(write)


def published_document(app: Flask) -> bytes:
    """Return the document as JSON."""
    return cast("Callable[[], bytes]", app.extensions[_DOCUMENT])()
