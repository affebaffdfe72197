"""HTML for members: one file per noun; pages are rendered on the server and refreshed by htmx."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Flask, redirect, request
from werkzeug.wrappers import Response

from leadvibe.http import workers
from leadvibe.http.csrf import SAFE_METHODS
from leadvibe.web import (
    account,
    accounts,
    audit,
    bulk,
    call_sources,
    calls,
    channel_editing,
    credentials,
    dead_letters,
    decay,
    deliveries,
    destinations,
    docs,
    elsewhere,
    errors,
    event_deletion,
    event_types,
    events,
    filters,
    glossary,
    home,
    import_undos,
    imports,
    integrations,
    lead,
    lead_deal,
    lead_editing,
    lead_merging,
    lead_views,
    lead_wizard,
    leads,
    levels,
    login,
    mapping,
    member,
    members,
    metadata_filters,
    notifications,
    quick_start,
    rate_limits,
    rendering,
    sample,
    scoring,
    scoring_drafts,
    scoring_history,
    scoring_previews,
    scoring_publishing,
    scoring_settings,
    scoring_templates,
    search,
    segment_editing,
    segment_picks,
    segments,
    session,
    settings,
    surge,
    tokens,
    trigger_editing,
    trigger_history,
    trigger_trials,
    triggers,
    unsubscribe,
    usage,
    velocity_filters,
)
from leadvibe.web.redirects import ACCOUNT, SETUP

NOUNS = (
    login, home, leads, lead_views, bulk, lead, lead_editing, lead_deal, lead_merging, accounts,
    account,
    segments, segment_editing, segment_picks, scoring, triggers, trigger_history, trigger_trials,
    trigger_editing, destinations, deliveries, imports, sample, dead_letters, credentials,
    members, integrations, notifications, channel_editing, events, event_deletion, event_types,
    lead_wizard, import_undos, settings, audit, usage, tokens, member, scoring_drafts,
    scoring_previews, scoring_publishing, scoring_history, scoring_templates, levels, decay,
    filters, velocity_filters, metadata_filters, scoring_settings, surge, mapping, quick_start,
    search, glossary, rate_limits, calls, call_sources,
)  # fmt: skip
"""Every module with pages: each has a blueprint called `pages`."""


def register(app: Flask, *, session_lifetime: timedelta) -> None:
    """Add all pages, the API reference among them, and the sessions of browsers."""
    session.register(app, lifetime=session_lifetime)
    rendering.register(app)
    glossary.register(app)
    workers.register(app)
    # Made here, for a blueprint cannot change once an application has it.
    everything = Blueprint("web", __name__, url_prefix=errors.PATH)
    everything.before_request(_check_csrf)
    everything.before_request(elsewhere.enter_unit_of_link)
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
