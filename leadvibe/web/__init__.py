"""HTML for members: one file per noun; pages are rendered on the server and refreshed by htmx."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Flask, redirect, request
from werkzeug.wrappers import Response

from leadvibe.http import workers
from leadvibe.http.csrf import SAFE_METHODS
from leadvibe.web import (
    channel_editing,
    credentials,
    dead_letters,
    decay,
    deliveries,
    destinations,
    docs,
    errors,
    filters,
    imports,
    integrations,
    lead,
    leads,
    levels,
    login,
    mapping,
    members,
    metadata_filters,
    notifications,
    rendering,
    sample,
    scoring,
    scoring_settings,
    segment_editing,
    segments,
    session,
    surge,
    trigger_editing,
    trigger_history,
    trigger_trials,
    triggers,
    unsubscribe,
    velocity_filters,
)
from leadvibe.web.redirects import ACCOUNT, SETUP

NOUNS = (
    login, leads, lead, segments, segment_editing, scoring, triggers, trigger_history,
    trigger_trials, trigger_editing, destinations, deliveries, imports, sample, dead_letters,
    credentials, members, integrations, notifications, channel_editing,
    levels, decay, filters, velocity_filters, metadata_filters, scoring_settings,
    surge, mapping,
)  # fmt: skip
"""Every module with pages: each has a blueprint called `pages`."""


def register(app: Flask, *, session_lifetime: timedelta) -> None:
    """Add all pages, the API reference among them, and the sessions of browsers."""
    session.register(app, lifetime=session_lifetime)
    rendering.register(app)
    workers.register(app)
    # Made here, for a blueprint cannot change once an application has it.
    everything = Blueprint("web", __name__, url_prefix=errors.PATH)
    everything.before_request(_check_csrf)
    for noun in NOUNS:
        everything.register_blueprint(noun.pages)
    app.register_blueprint(everything)
    # Apart, for a mail program that takes somebody off has no token of a form of ours.
    app.register_blueprint(unsubscribe.pages, url_prefix=errors.PATH)
    docs.register(app)
    app.add_url_rule("/setup", "setup", _to_setup)
    app.add_url_rule("/.well-known/change-password", "change-password", lambda: redirect(ACCOUNT))


def _check_csrf() -> None:
    """Refuse a form without its token, also from somebody who is not signed in yet."""
    if request.method not in SAFE_METHODS:
        session.check_csrf()


def _to_setup() -> Response:
    query = request.query_string.decode(errors="replace")
    return redirect(f"{SETUP}?{query}" if query else SETUP)
