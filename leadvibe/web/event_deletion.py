"""Deleting chosen events: first what it would do to scores, then the deed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.events.queries import get_events
from leadvibe.events.types import Event
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.leads.queries import list_names
from leadvibe.lib.clock import utc_now
from leadvibe.lib.ids import parse_id
from leadvibe.pipeline.deletion import ScoreChange, delete_events, preview_deletion
from leadvibe.scoring.queries import list_rulesets
from leadvibe.scoring.wording import signed
from leadvibe.web.event_panel import DELETE
from leadvibe.web.event_query import EVENTS
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.pages.display import Fact, Link, Tone, counted, thousands
from leadvibe.web.pages.events import DeletionPage, ScoreRow
from leadvibe.web.pages.explanation import direction
from leadvibe.web.redirects import local_path
from leadvibe.web.rendering import render

MOST_AT_ONCE = 100
SHOWN = 50

pages = Blueprint("event_deletion", __name__)


@pages.get("/events/delete")
def ask() -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    back_url = local_path(request.args.get("next"), otherwise=_came_from())
    events = _chosen(scope, request.args.getlist("id"))
    if not events:
        flash("Choose the events to delete first. Those that are gone cannot be chosen.", Tone.WARN)
        return redirect(back_url)
    changes = preview_deletion(scope, [it.event_id for it in events], now=utc_now())
    page = _page(scope, events, changes, back_url)
    return render("events/delete.html", page=page, section=EVENTS)


@pages.post("/events/delete")
def delete() -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    ids = _ids(request.form.getlist("id"))
    deleted = delete_events(scope, ids, now=utc_now())
    verb = "is" if deleted == 1 else "are"
    flash(f"{counted(deleted, 'event')} {verb} deleted, and scores are renewed.", Tone.OK)
    return redirect(local_path(request.form.get("next"), otherwise=EVENTS), 303)


def _came_from() -> str:
    """Return the list as the member left it, when they came from there."""
    referrer = (request.referrer or "").removeprefix(request.host_url.rstrip("/"))
    is_list = referrer == EVENTS or referrer.startswith(f"{EVENTS}?")
    return local_path(referrer, otherwise=EVENTS) if is_list else EVENTS


def _ids(texts: Sequence[str]) -> list[UUID]:
    ids = filter(None, map(parse_id, texts))
    return list(dict.fromkeys(ids))[:MOST_AT_ONCE]


def _chosen(scope: Scope, texts: Sequence[str]) -> list[Event]:
    found = get_events(scope, _ids(texts)).values()
    return [event for event in found if event.event_type not in SYSTEM_TYPES]


def _page(
    scope: Scope, events: Collection[Event], changes: Sequence[ScoreChange], back_url: str
) -> DeletionPage:
    changed = [it for it in changes if it.before != it.after]
    leads = {it.lead_id for it in events if it.lead_id is not None}
    left = len(leads - {it.lead_id for it in changed})
    return DeletionPage(
        title=f"Delete {counted(len(events), 'event')}",
        ids=tuple(str(it.event_id) for it in events),
        types=_types(events),
        scores=_scores(scope, changed[:SHOWN]),
        unchanged=f"{counted(left, 'lead')} keep{'s' if left == 1 else ''} every score."
        if left
        else "",
        more=f"{counted(len(changed) - SHOWN, 'more score')} will change as well."
        if len(changed) > SHOWN
        else "",
        post_url=DELETE,
        back_url=back_url,
    )


def _types(events: Collection[Event]) -> tuple[Fact, ...]:
    counts = Counter(it.event_type for it in events)
    return tuple(Fact(name, counted(count, "event")) for name, count in counts.most_common())


def _scores(scope: Scope, changes: Sequence[ScoreChange]) -> tuple[ScoreRow, ...]:
    names = list_names(scope, {it.lead_id for it in changes})
    rulesets = {it.ruleset_id: it.name for it in list_rulesets(scope)}
    return tuple(
        ScoreRow(
            lead=Link(names.get(it.lead_id, it.lead_id), lead_path(it.lead_id)),
            ruleset=rulesets.get(it.ruleset_id, "A deleted ruleset"),
            before=thousands(it.before),
            after=thousands(it.after),
            delta=signed(it.after - it.before),
            direction=direction(it.after - it.before),
        )
        for it in changes
    )
