"""The Flask application for commands that work inside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from leadvibe.app import create_app
from leadvibe.cli.wiring import command_settings, connected


@contextmanager
def opened_app(home: Path | None = None) -> Iterator[Flask]:
    """Yield an application inside its context, with embedded servers running if it needs them."""
    with connected(command_settings(home)) as settings:
        app = create_app(settings)
        with app.app_context():
            yield app
