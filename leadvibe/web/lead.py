"""One lead: who it is, why it has its score, and what happened with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.engine.triggers import TriggerKind
from leadvibe.events.errors import EventNotFoundError
from leadvibe.events.queries import get_event
from leadvibe.events.types import Event
from leadvibe.explain.profile import AttributeExplanation, explain_attributes
from leadvibe.explain.queries import explain_span
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadlist.history import HistoryFilter, list_history
from leadvibe.leads import queries as leads
from leadvibe.leads.addresses import read_lead_id
from leadvibe.leads.deletion import find_deletion
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import read_by_statements
from leadvibe.lib.ids import parse_id
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.errors import RulesetNotFoundError
from leadvibe.scoring.movements import find_beginning, find_end, list_movements
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.types import Ruleset
from leadvibe.segments.membership import segments_of
from leadvibe.segments.queries import list_segments
from leadvibe.triggers import queries as triggers
from leadvibe.web.explanation import (
    ALL,
    ENTRIES_SHOWN,
    RECENT,
    WINDOWS,
    WhyQuery,
    build_explanation,
    read_day,
)
from leadvibe.web.lead_chart import build_chart, frame_of
from leadvibe.web.lead_parts import (
    build_aliases,
    build_head,
    build_merges,
    build_profile,
    build_properties,
)
from leadvibe.web.lead_paths import LEADS, lead_path
from leadvibe.web.lead_record import build_deal
from leadvibe.web.lead_state import HISTORY_NAMES, NAMES, WHY_NAMES, LeadState, read_state
from leadvibe.web.pages.display import Alert, Choice, Link, Tone, query_url
from leadvibe.web.pages.explanation import Explanation
from leadvibe.web.pages.lead import NO_DRAFTS, Deal, Drafts, LeadHead, LeadPage, Properties
from leadvibe.web.pages.segments import SegmentsOfLead
from leadvibe.web.pages.timeline import Timeline
from leadvibe.web.pages.why_now import WhyNow
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.segment_paths import segment_path
from leadvibe.web.timeline import (
    BATCH,
    TimelineQuery,
    build_timeline,
    place_behind,
    read_filter,
    read_place,
)
from leadvibe.web.trigger_paths import history_path
from leadvibe.web.why_now import build_why_now

HEAD, WHY, HISTORY = "lead-head", "why", "lead-history"
ALIASES, PROPERTIES, DEAL = "lead-aliases", "lead-properties", "lead-deal"
MERGES, SEGMENTS = "lead-merges", "lead-segments"
TEMPLATES = {
    HEAD: "leads/_head.html",
    WHY: "leads/_why.html",
    HISTORY: "leads/_history.html",
    ALIASES: "leads/_aliases.html",
    PROPERTIES: "leads/_properties.html",
    DEAL: "leads/_deal.html",
    MERGES: "leads/_merges.html",
    SEGMENTS: "leads/_segments.html",
}
_ASKED_FOR = {WHY: WHY_NAMES, HISTORY: HISTORY_NAMES}
"""What the address of a fragment's request says; what else is shown, the address bar says."""
_ENTRIES = re.compile(r"[1-9][0-9]{0,6}")
MOST_MILESTONES = 20
NO_SUCH_EVENT = Alert("That event is not part of the history of this lead.", Tone.WARN)

pages = Blueprint("lead", __name__)


@pages.get("/leads/<segment>")
def show_lead(segment: str) -> AnyResponse:
    read_by_statements()
    principal = require(Permission.READ)
    asked_id = lead_id_of(segment)
    try:
        lead = leads.get_lead(principal.scope, asked_id)
    except LeadNotFoundError:
        if find_deletion(principal.scope, asked_id) is None:
            raise
        return redirect(f"{lead_path(asked_id)}/deletion")
    if lead.lead_id != asked_id:
        flash(f"“{asked_id}” was merged into this lead.", Tone.INFO)
        return redirect(query_url(lead_path(lead.lead_id), request.args.to_dict()))
    return show(principal, lead)


def lead_id_of(segment: str) -> str:
    """Return the id that a path names. Raises LeadNotFoundError when it can be no lead's."""
    lead_id = read_lead_id(segment)
    if lead_id is None:
        raise LeadNotFoundError("There is no such lead in this unit.")
    return lead_id


def show(
    principal: Principal, lead: Lead, *, drafts: Drafts = NO_DRAFTS, status: int = 200
) -> AnyResponse:
    """Answer with the lead's page or the part of it that is asked for; `drafts` were refused."""
    wanted = wanted_fragment() or ""
    now = utc_now()
    state = read_state(lead_path(lead.lead_id), asked_for=_ASKED_FOR.get(wanted, NAMES))
    if read_day(state.get("as_of"), now=now) is None:
        state = state.without("as_of")  # today is now, tomorrow as well
    view = _View(principal, lead, state, drafts, now)
    query, alert = view.timeline_query()
    templates = {**TEMPLATES, query.batch_id: "leads/_timeline.html"}
    if wanted in templates:
        page = view.part(wanted, query)
    else:
        page = replace(view.whole(query), alert=drafts.alert or alert)
    response = render(
        "leads/lead.html", page=page, section=LEADS, fragments=templates, status=status
    )
    if wanted in _ASKED_FOR and request.method == "GET" and _is_elsewhere(state):
        response.headers["HX-Push-Url"] = state.url()
    return response


def _is_elsewhere(state: LeadState) -> bool:
    """Say whether the address bar shows another address than this state's."""
    shown = urlsplit(str(request.htmx.current_url or ""))
    return f"{shown.path}?{shown.query}".rstrip("?") != state.url()


@dataclass(frozen=True)
class _View:
    """A lead as somebody looks at it; what several parts need is read once."""

    principal: Principal
    lead: Lead
    state: LeadState
    drafts: Drafts
    now: datetime

    @cached_property
    def rulesets(self) -> Sequence[Ruleset]:
        return scoring.list_rulesets(self.principal.scope)

    @cached_property
    def config(self) -> Config:
        scope = self.principal.scope
        return scoring.get_config(scope, scoring.current_version(scope))

    @cached_property
    def profile(self) -> Sequence[AttributeExplanation]:
        return explain_attributes(self.principal.scope, Side.PROFILE, self.lead.lead_id)

    def whole(self, query: TimelineQuery) -> LeadPage:
        lists_segments = request.args.get("show") == "segments"
        return replace(
            self._page(),
            head=self._head(),
            why_now=self._why_now(),
            why=self._why(),
            timeline=self._timeline(query),
            aliases=build_aliases(self.principal, self.lead, self.drafts),
            properties=self._properties(),
            deal=self._deal(),
            profile=build_profile(self.profile),
            merges=build_merges(self.principal, self.lead),
            segments=self._segments()
            if lists_segments
            else SegmentsOfLead(url=self._segments_url()),
        )

    def part(self, wanted: str, query: TimelineQuery) -> LeadPage:
        """Return what a fragment needs: its own part."""
        made: Mapping[str, Any] = {}
        if wanted == HEAD:
            made = {"head": self._head()}
        elif wanted == WHY:
            made = {"why": self._why()}
        elif wanted == ALIASES:
            made = {"aliases": build_aliases(self.principal, self.lead, self.drafts)}
        elif wanted == PROPERTIES:
            made = {"properties": self._properties()}
        elif wanted == DEAL:
            made = {"deal": self._deal()}
        elif wanted == MERGES:
            made = {"merges": build_merges(self.principal, self.lead)}
        elif wanted == SEGMENTS:
            made = {"segments": self._segments()}
        else:
            made = {"timeline": self._timeline(query)}
        return replace(self._page(), **made)

    def _page(self) -> LeadPage:
        return LeadPage(
            id=self.lead.lead_id,
            name=self.lead.name,
            list_url=_list_url(),
            triggers_url=history_path(lead_id=self.lead.lead_id),
        )

    def _head(self) -> LeadHead:
        return build_head(
            self.principal,
            self.lead,
            self.state,
            rulesets=self.rulesets,
            config=self.config,
            profile=self.profile,
            now=self.now,
        )

    def _properties(self) -> Properties:
        return build_properties(
            self.principal,
            self.lead,
            self.state,
            config=self.config,
            edited=request.args.get("edit", ""),
            drafts=self.drafts,
        )

    def _deal(self) -> Deal | None:
        return build_deal(self.principal, self.lead, self.state, self.drafts)

    def _segments(self) -> SegmentsOfLead:
        found = segments_of(self.principal.scope, self.lead.lead_id)
        links = (Link(it.name, segment_path(it.segment_id)) for it in found)
        inside = {it.segment_id for it in found}
        return SegmentsOfLead(
            url=self._segments_url(),
            links=tuple(links),
            post_url=f"{lead_path(self.lead.lead_id)}/segments",
            others=tuple(
                Choice(it.name, str(it.segment_id))
                for it in list_segments(self.principal.scope)
                if it.active and it.segment_id not in inside
            )
            if can(self.principal, Permission.WRITE_DATA)
            else (),
        )

    def _segments_url(self) -> str:
        return self.state.url(show="segments")

    def _why_now(self) -> WhyNow | None:
        fired_id = parse_id(request.args.get("fired", ""))
        return build_why_now(self.principal, self.lead, self.state, fired_id=fired_id, now=self.now)

    def _why(self) -> Explanation | None:
        query = self._why_query()
        if query.ruleset is None:
            return None
        scope, lead, span = self.principal.scope, self.lead, query.span(self.now)
        ruleset_id = query.ruleset.ruleset_id
        explained = explain_span(
            scope, lead.lead_id, ruleset_id, span, newest=ENTRIES_SHOWN, opened=query.opened
        )
        began_at = find_beginning(scope, lead.lead_id, ruleset_id) or lead.created_at
        frame = frame_of(span.since or began_at, query.until(self.now))
        chart = build_chart(
            self.state,
            frame,
            explained,
            movements=list_movements(
                scope, lead.lead_id, ruleset_id, span, start=frame.start, step=frame.step
            ),
            levels=self.config.levels_of(LevelKind.ENGAGEMENT),
            milestones=triggers.list_history(
                scope,
                lead.lead_id,
                kind=TriggerKind.MILESTONE,
                since=frame.start,
                before=query.until(self.now),
                limit=MOST_MILESTONES,
            ),
            window_label=query.window_label,
        )
        return build_explanation(
            query, explained, chart, self.rulesets, began_at=began_at, now=self.now
        )

    def _why_query(self) -> WhyQuery:
        state, args = self.state, request.args
        window, entries = state.get("window"), args.get("entries", "")
        chosen = state.get("ruleset")
        ruleset = self._chosen(chosen) if chosen else self._standing()
        default = self._default_window(ruleset)
        return WhyQuery(
            state=state,
            window=window if window in WINDOWS else default,
            default_window=default,
            ruleset=ruleset,
            as_of=read_day(state.get("as_of"), now=self.now),
            group=args.get("group", ""),
            entries=int(entries) if _ENTRIES.fullmatch(entries) else ENTRIES_SHOWN,
        )

    def _default_window(self, ruleset: Ruleset | None) -> str:
        """Return the last month, or all time for a score that did not move in it."""
        if ruleset is None:
            return ALL
        moved_at = find_end(self.principal.scope, self.lead.lead_id, ruleset.ruleset_id)
        length = WINDOWS[RECENT] or timedelta(0)
        return RECENT if moved_at and moved_at > self.now - length else ALL

    def _chosen(self, text: str) -> Ruleset:
        wanted = parse_id(text)
        for ruleset in self.rulesets:
            if ruleset.ruleset_id == wanted:
                return ruleset
        raise RulesetNotFoundError(
            "There is no such ruleset in this unit: it may have been deleted."
        )

    def _standing(self) -> Ruleset | None:
        """Return the ruleset behind the lead's score; the primary one for a lead without any."""
        behind = (it for it in self.rulesets if it.ruleset_id == self.lead.ruleset_id)
        return next(behind, self.rulesets[0] if self.rulesets else None)

    def timeline_query(self) -> tuple[TimelineQuery, Alert | None]:
        state, narrowed = self.state, read_filter(self.state)
        before = read_place(request.args.get("before", ""))
        if "event" not in request.args:
            return TimelineQuery(state=state, filter=narrowed, before=before), None
        event = self._find_event(parse_id(request.args["event"]))
        if event is None:
            return TimelineQuery(state=state, filter=narrowed), NO_SUCH_EVENT
        behind = place_behind(event)  # so that the named event comes first
        query = TimelineQuery(
            state=state.without(*HISTORY_NAMES),
            filter=HistoryFilter(),
            before=behind,
            event_id=event.event_id,
        )
        return query, None

    def _find_event(self, event_id: UUID | None) -> Event | None:
        if event_id is None:
            return None
        try:
            event = get_event(self.principal.scope, event_id)
        except EventNotFoundError:
            return None
        return event if event.lead_id == self.lead.lead_id else None

    def _timeline(self, query: TimelineQuery) -> Timeline:
        scope, lead_id = self.principal.scope, self.lead.lead_id
        items = list_history(scope, lead_id, query.filter, limit=BATCH + 1, before=query.before)
        event_ids = [it.event_id for it in items[:BATCH] if isinstance(it, Event)]
        entries = lead_scores.list_entries(scope, lead_id, event_ids=event_ids) if event_ids else []
        return build_timeline(
            self.principal,
            query,
            items,
            entries=entries,
            rulesets=self.rulesets,
            drafts=self.drafts,
            now=self.now,
        )


def _list_url() -> str:
    """Return the list as the member left it, when they came from there."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host or came_from.path != LEADS or not came_from.query:
        return LEADS
    return f"{LEADS}?{came_from.query}"
