"""Home: what happened lately, who matters now, and whether all is well."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.events.queries import list_event_types
from leadvibe.http.permissions import require, require_member
from leadvibe.identity.first_steps import hide_first_steps, show_first_steps
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal
from leadvibe.leadlist.queries import has_leads
from leadvibe.lib.clock import utc_now
from leadvibe.web.first_steps import build_first_steps
from leadvibe.web.home_feed import build_feed
from leadvibe.web.home_figures import build_figures, build_top
from leadvibe.web.home_health import build_health
from leadvibe.web.home_moves import build_moves
from leadvibe.web.home_range import HOME, LABELS, HomeRange, as_date, read_range
from leadvibe.web.pages.display import Choice, Link
from leadvibe.web.pages.home import HomePage, RangePicker
from leadvibe.web.rendering import render, wanted_fragment

FIGURES, MOVES, FEED, HEALTH = "home-figures", "home-moves", "home-feed", "home-health"
FRAGMENTS = {
    FIGURES: "home/_figures.html",
    MOVES: "home/_moves.html",
    FEED: "home/_feed.html",
    HEALTH: "home/_health.html",
}
ALL = "all"
"""What is asked to be shown by who has no scripts."""

pages = Blueprint("home", __name__)


@pages.get("/home")
def show_home() -> AnyResponse:
    principal, now = require(Permission.READ), utc_now()
    span = read_range(request.args, now=now)
    page = _page(principal, span, now=now)
    return render("home/page.html", page=page, section=HOME, fragments=FRAGMENTS)


@pages.post("/home/first-steps")
def keep_first_steps() -> AnyResponse:
    """Put the first steps away, or bring them back."""
    principal = require_member(Permission.READ)
    assert principal.member_id is not None
    if request.form.get("show") == "1":
        show_first_steps(principal.scope, principal.member_id)
    else:
        hide_first_steps(principal.scope, principal.member_id, now=utc_now())
    return redirect(HOME, 303)


def _page(principal: Principal, span: HomeRange, *, now: datetime) -> HomePage:
    scope, wanted = principal.scope, wanted_fragment()
    if wanted == MOVES:
        return HomePage(moves=build_moves(scope, span))
    if wanted == HEALTH:
        return HomePage(health=build_health(principal, now=now))
    hidden = {it.name for it in list_event_types(scope) if it.hidden}
    if wanted == FEED:
        return HomePage(feed=build_feed(scope, span, hidden))
    steps = build_first_steps(principal)
    if not has_leads(scope):
        return HomePage(has_data=False, steps=steps, health=build_health(principal, now=now))
    shows_all = request.args.get("show") == ALL
    figures, charts, mixes = build_figures(scope, span, hidden, now=now)
    everything = span.url(show=ALL)
    return HomePage(
        range=_picker(span),
        steps=steps,
        figures=figures,
        charts=charts,
        mixes=mixes,
        top=build_top(scope),
        feed=build_feed(scope, span, hidden),
        moves=build_moves(scope, span) if shows_all else None,
        moves_link=Link("Show levels, risers and fallers", everything),
        health=build_health(principal, now=now) if shows_all else None,
        health_link=Link("Show whether all is well", everything),
    )


def _picker(span: HomeRange) -> RangePicker:
    return RangePicker(
        choices=tuple(
            Choice(label, key, key == span.key, span.link_to(key)) for key, label in LABELS.items()
        ),
        is_custom=span.is_custom,
        label=span.label,
        first=as_date(span.sent["from"]) or span.first.isoformat(),
        last=as_date(span.sent["to"]) or span.last.isoformat(),
        today=span.today.isoformat(),
        action_url=HOME,
        error=span.error,
    )
