"""One lead: who it is, why it has its score, and what it did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.levels import UNCLASSIFIED, level_of
from leadvibe.engine.rules import LevelKind
from leadvibe.events.errors import EventNotFoundError
from leadvibe.events.queries import get_event, list_timeline
from leadvibe.events.types import Event
from leadvibe.explain.queries import explain_score
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.leads import queries as leads
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.types import Lead, StoredAlias
from leadvibe.lib.clock import utc_now
from leadvibe.lib.ids import parse_id
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.errors import RulesetNotFoundError
from leadvibe.scoring.types import Ruleset
from leadvibe.segments.membership import segments_of
from leadvibe.web.explanation import (
    DEFAULT_WINDOW,
    ENTRIES_SHOWN,
    WINDOWS,
    WhyQuery,
    build_explanation,
)
from leadvibe.web.facts import list_facts
from leadvibe.web.lead_paths import LEADS, lead_path, read_lead_id
from leadvibe.web.pages.display import Alert, Level, Link, Moment, Tone, query_url, thousands
from leadvibe.web.pages.explanation import Explanation
from leadvibe.web.pages.lead import AliasRow, LeadPage, RulesetScore, alias_icon
from leadvibe.web.pages.segments import SegmentsOfLead
from leadvibe.web.pages.timeline import Timeline
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.segment_paths import segment_path
from leadvibe.web.timeline import (
    BATCH,
    TimelineQuery,
    build_timeline,
    position_behind,
    read_position,
)
from leadvibe.web.trigger_paths import history_path

WHY = "why"
SEGMENTS = "lead-segments"
ENTRIES = re.compile(r"[1-9][0-9]{0,6}")
ALIAS_LABELS = {
    "email": "E-mail",
    "phone": "Phone",
    "external_id": "External ID",
    "cookie": "Cookie",
    "social": "Social profile",
}
NO_SUCH_EVENT = Alert("That event is not part of the history of this lead.", Tone.WARN)

pages = Blueprint("lead", __name__)


@pages.get("/leads/<segment>")
def show_lead(segment: str) -> AnyResponse:
    scope = require(Permission.READ).scope
    asked_id = read_lead_id(segment)
    if asked_id is None:
        raise LeadNotFoundError("There is no such lead in this unit.")
    lead = leads.get_lead(scope, asked_id)
    if lead.lead_id != asked_id:
        flash(f"“{asked_id}” was merged into this lead.", Tone.INFO)
        return redirect(query_url(lead_path(lead.lead_id), request.args.to_dict()))
    return _answer(scope, lead, now=utc_now())


def _answer(scope: Scope, lead: Lead, *, now: datetime) -> AnyResponse:
    rulesets = scoring.list_rulesets(scope)
    why, (timeline, alert) = _why_query(lead, rulesets), _timeline_query(scope, lead)
    fragments = {
        WHY: "leads/_why.html",
        timeline.batch_id: "leads/_timeline.html",
        SEGMENTS: "leads/_segments.html",
    }
    wanted = wanted_fragment()
    if wanted == WHY:
        page = _sparse_page(lead, why=_explain(scope, lead, why, rulesets, now=now))
    elif wanted == timeline.batch_id:
        page = _sparse_page(lead, timeline=_recount(scope, lead, timeline, rulesets, now=now))
    elif wanted == SEGMENTS:
        page = _sparse_page(lead, segments=_segments(scope, lead))
    else:
        page = replace(
            _head(scope, lead, why, rulesets),
            why=_explain(scope, lead, why, rulesets, now=now),
            timeline=_recount(scope, lead, timeline, rulesets, now=now),
            segments=_segments(scope, lead)
            if request.args.get("show") == "segments"
            else SegmentsOfLead(url=_segments_url(lead)),
            alert=alert,
        )
    return render("leads/lead.html", page=page, section=LEADS, fragments=fragments)


def _why_query(lead: Lead, rulesets: Sequence[Ruleset]) -> WhyQuery:
    window, entries = request.args.get("window", ""), request.args.get("entries", "")
    chosen = request.args.get("ruleset", "")
    return WhyQuery(
        path=lead_path(lead.lead_id),
        window=window if window in WINDOWS else DEFAULT_WINDOW,
        ruleset=_chosen(chosen, rulesets) if chosen else _standing_for(lead, rulesets),
        chosen_ruleset=chosen,
        group=request.args.get("group", ""),
        entries=int(entries) if ENTRIES.fullmatch(entries) else ENTRIES_SHOWN,
    )


def _chosen(text: str, rulesets: Sequence[Ruleset]) -> Ruleset:
    wanted = parse_id(text)
    for ruleset in rulesets:
        if ruleset.ruleset_id == wanted:
            return ruleset
    raise RulesetNotFoundError("There is no such ruleset in this unit: it may have been deleted.")


def _standing_for(lead: Lead, rulesets: Sequence[Ruleset]) -> Ruleset | None:
    """Return the ruleset behind the lead's score; the primary one for a lead without any."""
    behind = (ruleset for ruleset in rulesets if ruleset.ruleset_id == lead.ruleset_id)
    return next(behind, rulesets[0] if rulesets else None)


def _explain(
    scope: Scope, lead: Lead, query: WhyQuery, rulesets: Sequence[Ruleset], *, now: datetime
) -> Explanation | None:
    if query.ruleset is None:
        return None
    explained = explain_score(scope, lead.lead_id, query.ruleset, since=query.since(now))
    return build_explanation(query, explained, rulesets, now=now)


def _timeline_query(scope: Scope, lead: Lead) -> tuple[TimelineQuery, Alert | None]:
    path = lead_path(lead.lead_id)
    before = read_position(request.args.get("before", ""))
    if "event" not in request.args:
        return TimelineQuery(path=path, before=before), None
    event = _find_event(scope, lead, parse_id(request.args["event"]))
    if event is None:
        return TimelineQuery(path=path), NO_SUCH_EVENT
    behind = position_behind(event)  # so that the named event comes first
    return TimelineQuery(path=path, before=behind, event_id=event.event_id), None


def _find_event(scope: Scope, lead: Lead, event_id: UUID | None) -> Event | None:
    if event_id is None:
        return None
    try:
        event = get_event(scope, event_id)
    except EventNotFoundError:
        return None
    return event if event.lead_id == lead.lead_id else None


def _recount(
    scope: Scope, lead: Lead, query: TimelineQuery, rulesets: Sequence[Ruleset], *, now: datetime
) -> Timeline:
    events = list_timeline(scope, lead.lead_id, limit=BATCH + 1, before=query.before)
    event_ids = [event.event_id for event in events[:BATCH]]
    entries = (
        lead_scores.list_entries(scope, lead.lead_id, event_ids=event_ids) if event_ids else []
    )
    return build_timeline(query, events, entries, rulesets, now=now)


def _head(scope: Scope, lead: Lead, query: WhyQuery, rulesets: Sequence[Ruleset]) -> LeadPage:
    scores = {it.ruleset_id: it.score for it in lead_scores.list_scores(scope, [lead.lead_id])}
    return LeadPage(
        id=lead.lead_id,
        name=lead.name,
        detail=lead.detail or "",
        level=_level(scope, lead.score),
        score=thousands(lead.score),
        rulesets=tuple(
            RulesetScore(
                name=ruleset.name,
                score=thousands(scores.get(ruleset.ruleset_id, 0)),
                url=query.url(ruleset=str(ruleset.ruleset_id)),
                is_primary=ruleset.is_primary,
            )
            for ruleset in rulesets
        ),
        events=thousands(lead.event_count),
        sessions=thousands(lead.session_count),
        last_active=Moment.of(lead.last_event_at) if lead.last_event_at else None,
        created_at=Moment.of(lead.created_at),
        owner=lead.owner_name or "",
        aliases=tuple(_alias(alias) for alias in leads.list_aliases(scope, lead.lead_id)),
        metadata=list_facts(lead.metadata),
        list_url=_list_url(),
        triggers_url=history_path(lead_id=lead.lead_id),
    )


def _segments(scope: Scope, lead: Lead) -> SegmentsOfLead:
    links = (Link(it.name, segment_path(it.segment_id)) for it in segments_of(scope, lead.lead_id))
    return SegmentsOfLead(url=_segments_url(lead), links=tuple(links))


def _segments_url(lead: Lead) -> str:
    return query_url(lead_path(lead.lead_id), {"show": "segments"})


def _sparse_page(
    lead: Lead,
    *,
    why: Explanation | None = None,
    timeline: Timeline | None = None,
    segments: SegmentsOfLead | None = None,
) -> LeadPage:
    """Return what a fragment needs; it shows nothing of the lead's head."""
    return LeadPage(
        id=lead.lead_id,
        name=lead.name,
        level=Level(UNCLASSIFIED),
        score=thousands(lead.score),
        created_at=Moment.of(lead.created_at),
        why=why,
        timeline=timeline,
        segments=segments,
    )


def _level(scope: Scope, score: int) -> Level:
    config = scoring.get_config(scope, scoring.current_version(scope))
    level = level_of(config.levels_of(LevelKind.ENGAGEMENT), score)
    return Level(level.name, level.color) if level else Level(UNCLASSIFIED)


def _alias(alias: StoredAlias) -> AliasRow:
    return AliasRow(
        kind=ALIAS_LABELS.get(alias.kind, alias.kind),
        value=alias.raw_value,
        icon=alias_icon(alias.kind),
        created_at=Moment.of(alias.created_at),
    )


def _list_url() -> str:
    """Return the list as the member left it, when they came from there."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host or came_from.path != LEADS or not came_from.query:
        return LEADS
    return f"{LEADS}?{came_from.query}"
