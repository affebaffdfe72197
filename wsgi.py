"""The application for a WSGI server of your own, as in `gunicorn wsgi:app`."""

from __future__ import annotations

from leadvibe.app import announce_first_run, create_app
from leadvibe.cli.wiring import command_settings, running

app = create_app(running(command_settings()))
announce_first_run(app)
