"""Segments: the list of them, each with its members, and why somebody is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, stream_with_context
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.export import write_members
from leadvibe.leadlist.queries import count_members, list_members
from leadvibe.leadlist.types import LeadLine
from leadvibe.leads.addresses import read_lead_id
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.queries import get_lead
from leadvibe.leadviews.queries import views_by_segment
from leadvibe.leadviews.types import ViewsOfSegment
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.paging import PageRequest
from leadvibe.scoring.queries import current_version, get_settings
from leadvibe.segments import queries, service
from leadvibe.segments.membership import Audience, Membership, explain
from leadvibe.segments.types import Segment, SegmentRule, last_change, state_of
from leadvibe.web.authors import author
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_query import LAST_PAGE
from leadvibe.web.lead_rows import detail_parts
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Choice, Moment, Pager, Tone, counted, query_url, thousands
from leadvibe.web.pages.notices import Undo
from leadvibe.web.pages.segment_analysis import Analysis
from leadvibe.web.pages.segments import (
    MemberCount,
    MemberRow,
    PickRow,
    SegmentPage,
    SegmentRow,
    SegmentsPage,
    WhyPage,
)
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.segment_analysis import Subject, analyse
from leadvibe.web.segment_builder import engagement_levels, level_badge
from leadvibe.web.segment_paths import NEW_SEGMENT, SEGMENTS, segment_path, why_path
from leadvibe.web.segment_picks import find_pick_row, list_pick_rows, say_picked
from leadvibe.web.segment_reasons import list_reasons
from leadvibe.web.segment_words import say_groups

LIST = "segment-list"
ANALYSIS, PICKS = "analysis", "picks"
FRAGMENTS = {
    "segment-view": "segments/_view.html",
    "segment-members": "segments/_members.html",
    "segment-analysis": "segments/_analysis.html",
    "segment-picks": "segments/_picks.html",
}
PAGE_SIZE = 25
_WHY_ID = re.compile(r"why-[0-9]{1,3}")
_WHY_ALONE = "why-0"
_NOT_A_FILE_NAME = re.compile(r"[^\w.-]+")

pages = Blueprint("segments", __name__)


@pages.get("/segments")
def show_segments() -> AnyResponse:
    return _list(require(Permission.READ))


@pages.get("/segments/<uuid:segment_id>")
def show_segment(segment_id: UUID) -> AnyResponse:
    principal = require(Permission.READ)
    scope = principal.scope
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    audience = Membership(scope).of(segment, rules)
    if wanted_fragment() == _count_id(segment_id):
        return _count(scope, segment, audience)
    view = request.args.get("view", "")
    page = _page_number()
    lines: list[LeadLine] = []
    picks = _picks(scope, segment_id, page) if view == PICKS else ()
    if view not in {ANALYSIS, PICKS}:
        lines = list_members(scope, audience, PageRequest(page, PAGE_SIZE))
        if not lines and page > 1:
            return redirect(_page_url(segment_id, page - 1))
    changed = last_change(segment, rules)
    shown = SegmentPage(
        segment=_row(principal, segment, rules, views_by_segment(principal).get(segment_id)),
        updated_by=author(changed.by),
        updated_at=Moment.of(changed.at),
        groups=say_groups(rules, has_accounts=get_settings(scope).abm_enabled),
        tabs=_tabs(segment_id, view),
        is_picks=view == PICKS,
        picks=picks,
        picks_label=say_picked(scope, segment),
        is_analysis=view == ANALYSIS,
        analysis=_analysis(scope, segment, rules, audience) if view == ANALYSIS else None,
        members=_members(scope, segment_id, lines),
        pager=_pager(segment_id, page, len(picks or lines), view),
        can_pick=can(principal, Permission.WRITE_DATA),
        here_url=_page_url(segment_id, page, view),
        can_edit=can(principal, Permission.CONFIGURE),
    )
    return render("segments/segment.html", page=shown, section=SEGMENTS, fragments=FRAGMENTS)


@pages.get("/segments/<uuid:segment_id>/members/<lead>")
def show_why(segment_id: UUID, lead: str) -> AnyResponse:
    principal = require(Permission.READ)
    scope = principal.scope
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    lead_id = read_lead_id(lead)
    if lead_id is None:
        raise LeadNotFoundError("There is no such lead in this unit.")
    found = get_lead(scope, lead_id)
    explained = explain(scope, segment, rules, found.lead_id)
    asked = wanted_fragment() or ""
    place = asked if _WHY_ID.fullmatch(asked) else _WHY_ALONE
    page = WhyPage(
        id=place,
        segment_name=segment.name,
        segment_url=segment_path(segment_id),
        lead_name=found.name,
        lead_url=lead_path(found.lead_id),
        is_member=explained.is_member,
        picked=find_pick_row(scope, segment_id, found),
        can_pick=can(principal, Permission.WRITE_DATA),
        post_url=why_path(segment_id, found.lead_id),
        reasons=list_reasons(scope, found, rules, explained),
    )
    fragments = {place: "segments/_why.html"}
    return render("segments/why.html", page=page, section=SEGMENTS, fragments=fragments)


@pages.get("/segments/<uuid:segment_id>/export")
def export(segment_id: UUID) -> AnyResponse:
    scope = require(Permission.READ).scope
    segment, rules = queries.get_segment(scope, segment_id), queries.list_rules(scope, segment_id)
    text = stream_with_context(write_members(scope, Membership(scope).of(segment, rules)))
    response = Response(text, mimetype="text/csv")
    name = _NOT_A_FILE_NAME.sub("-", segment.name).strip("-.") or "segment"
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return response


@pages.post("/segments/<uuid:segment_id>")
def switch(segment_id: UUID) -> AnyResponse:
    principal, wanted = require(Permission.CONFIGURE), request.form.get("active")
    if wanted not in {"0", "1"}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    changes = {"active": wanted == "1"}
    segment = service.update_segment(principal, principal.scope, segment_id, changes, now=utc_now())
    back = {"active": "0" if segment.active else "1"}
    say(
        f"“{segment.name}” is switched {'on' if segment.active else 'off'}.",
        undo=Undo(url=segment_path(segment_id), fields=back),
    )
    return redirect(SEGMENTS, 303)


@pages.post("/segments/<uuid:segment_id>/copy")
def copy(segment_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    made = service.copy_segment(principal, principal.scope, segment_id, now=utc_now())
    flash(f"This is a copy, called “{made.name}”.", Tone.OK)
    return redirect(segment_path(made.segment_id, "/edit"), 303)


@pages.post("/segments/<uuid:segment_id>/delete")
def delete(segment_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    segment = queries.get_segment(principal.scope, segment_id)
    service.delete_segment(principal.scope, segment_id)
    flash(f"“{segment.name}” is deleted. Its leads stay.", Tone.OK)
    return redirect(SEGMENTS, 303)


def _list(principal: Principal) -> AnyResponse:
    scope = principal.scope
    rules, views = queries.list_rules_of_all(scope), views_by_segment(principal)
    page = SegmentsPage(
        segments=tuple(
            _row(principal, it, rules.get(it.segment_id, []), views.get(it.segment_id))
            for it in queries.list_segments(scope)
        ),
        can_edit=can(principal, Permission.CONFIGURE),
        new_url=NEW_SEGMENT,
    )
    fragments = {LIST: "segments/_list.html"}
    return render("segments/page.html", page=page, section=SEGMENTS, fragments=fragments)


def _say_deletion(views: ViewsOfSegment | None) -> str:
    """Say what goes with a segment: its rules, and the views of leads narrowed to it."""
    told = ["Its rules go with it, and who was picked by hand; the leads stay."]
    if views:
        named = [f"“{name}”" for name in views.names]
        others = [counted(views.others, "view") + " of others"] if views.others else []
        told.append(f"So do views of the list of leads: {', '.join(named + others)}.")
    return " ".join([*told, "This cannot be undone."])


def _row(
    principal: Principal,
    segment: Segment,
    rules: Sequence[SegmentRule],
    views: ViewsOfSegment | None,
) -> SegmentRow:
    url, can_edit = segment_path(segment.segment_id), can(principal, Permission.CONFIGURE)
    is_empty = not segment.active or not (segment.has_picked or any(it.active for it in rules))
    return SegmentRow(
        id=str(segment.segment_id),
        name=segment.name,
        description=segment.description,
        is_active=segment.active,
        rules_label=counted(len(rules), "rule"),
        count=MemberCount(id=_count_id(segment.segment_id), url=url, label="0" if is_empty else ""),
        url=url,
        export_url=f"{url}/export",
        edit_url=f"{url}/edit" if can_edit else "",
        update_url=url,
        copy_url=f"{url}/copy",
        delete_url=f"{url}/delete",
        delete_text=_say_deletion(views) if can_edit else "",
    )


def _tabs(segment_id: UUID, view: str) -> tuple[Choice, ...]:
    url = segment_path(segment_id)
    return tuple(
        Choice(label, key, view == key, query_url(url, {"view": key}))
        for label, key in (("Members", ""), ("Analysis", ANALYSIS), ("Picked by hand", PICKS))
    )


def _analysis(
    scope: Scope, segment: Segment, rules: Sequence[SegmentRule], audience: Audience
) -> Analysis | None:
    subject = Subject(
        scope,
        audience,
        state=f"{state_of(segment, rules)}-{current_version(scope)}",
        now=utc_now(),
        is_afresh="afresh" in request.args,
    )
    return analyse(
        subject,
        url=segment_path(segment.segment_id),
        event_type=request.args.get("event", ""),
        days=request.args.get("days", ""),
    )


def _count_id(segment_id: UUID) -> str:
    return f"count-{segment_id}"


def _count(scope: Scope, segment: Segment, audience: Audience) -> AnyResponse:
    id_ = _count_id(segment.segment_id)
    count = MemberCount(
        id=id_,
        url=segment_path(segment.segment_id),
        label=thousands(count_members(scope, audience)),
    )
    fragments = {id_: "segments/_count.html"}
    return render("segments/_count.html", page=count, fragments=fragments)


def _page_number() -> int:
    text = request.args.get("page", "1")
    number = int(text) if text.isdecimal() and len(text) <= len(str(LAST_PAGE)) else 1
    return min(max(number, 1), LAST_PAGE)


def _page_url(segment_id: UUID, page: int, view: str = "") -> str:
    params = {"view": view, "page": str(page) if page > 1 else ""}
    return query_url(segment_path(segment_id), params)


def _picks(scope: Scope, segment_id: UUID, page: int) -> tuple[PickRow, ...]:
    return list_pick_rows(scope, segment_id, page=page, size=PAGE_SIZE)


def _pager(segment_id: UUID, page: int, shown: int, view: str) -> Pager | None:
    """Lead to the pages around this one; how many there are is counted apart, for it takes time."""
    if page == 1 and shown < PAGE_SIZE:
        return None
    first = (page - 1) * PAGE_SIZE + 1
    return Pager(
        label=f"{first:,}\N{EN DASH}{first + shown - 1:,}",
        previous_url=_page_url(segment_id, page - 1, view) if page > 1 else None,
        next_url=_page_url(segment_id, page + 1, view) if shown == PAGE_SIZE else None,
    )


def _members(scope: Scope, segment_id: UUID, lines: Sequence[LeadLine]) -> tuple[MemberRow, ...]:
    levels = engagement_levels(scope)
    return tuple(
        MemberRow(
            url=lead_path(line.lead_id),
            name=line.name,
            detail=detail_parts(line.detail),
            score=thousands(line.score),
            level=level_badge(levels, line.score),
            last_at=Moment.of(line.last_event_at) if line.last_event_at else None,
            why_id=f"why-{number}",
            why_url=why_path(segment_id, line.lead_id),
        )
        for number, line in enumerate(lines)
    )
