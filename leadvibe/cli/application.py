"""The Flask application for commands that work inside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from leadvibe.app import create_app
from leadvibe.cli.wiring import command_settings, connected, needs_embedded_servers
from leadvibe.lib import migrate
from leadvibe.lib.db import reset
from leadvibe.lib.errors import UnavailableError
from leadvibe.settings import Settings


@contextmanager
def opened_app(home: Path | None = None) -> Iterator[Flask]:
    """Yield an application inside its context, with embedded servers running if it needs them.

    Raises UnavailableError when the database is away or not at the version of this code.
    """
    given = command_settings(home)
    with connected(given) as settings:
        if needs_embedded_servers(given):
            migrate.upgrade(settings.database_url)  # a folder that was just made is empty
        else:
            _check_migrations(settings)
        app = create_app(settings)
        with app.app_context():
            try:
                yield app
            finally:
                reset()  # connections end before the servers do


def _check_migrations(settings: Settings) -> None:
    """A database of somebody's own is only changed when they say so: others may be using it."""
    revisions = migrate.current_and_head(settings.database_url)
    if not revisions.is_at_head:
        raise UnavailableError(
            f"The database is at {revisions.current or 'nothing'}, and this Leadvibe needs"
            f" {revisions.head}: run `leadvibe db upgrade`"
        )
