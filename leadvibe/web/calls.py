"""The call list: whom a rep calls today, claiming them, and logging what came of it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from http.client import UNPROCESSABLE_ENTITY
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require, require_member
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import get_member
from leadvibe.identity.types import Member, Principal
from leadvibe.leadlist.calls import count_due, list_callees, list_due, list_uncalled
from leadvibe.leadlist.record_types import HeldBy
from leadvibe.leads.errors import LeadTakenError
from leadvibe.leads.ownership import claim_lead
from leadvibe.leads.queries import get_lead
from leadvibe.leads.statuses import Status
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import TooLargeError
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline.calling import Call, log_call
from leadvibe.web.call_rows import CALLS, CallRows
from leadvibe.web.forms.calls import LogCallForm
from leadvibe.web.lead import lead_id_of
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.lead_query import LAST_PAGE
from leadvibe.web.notices import say
from leadvibe.web.pages.calls import CallsPage
from leadvibe.web.pages.display import (
    MONTHS,
    Choice,
    Pager,
    Tone,
    pager_label,
    query_url,
    thousands,
)
from leadvibe.web.recorded_filter import STATUS_LABELS
from leadvibe.web.rendering import render
from leadvibe.web.segment_builder import engagement_levels

MINE, EVERYBODY, NOBODY = "", "all", "nobody"
TABS = {MINE: "Mine", EVERYBODY: "Everybody's", NOBODY: "Unassigned"}
HINTS = {
    MINE: "You have nobody to call today: claim a lead, or plan the next call on a lead's page.",
    EVERYBODY: "Nobody is to be called today: plan the next call on a lead's page.",
    NOBODY: "No lead without an owner is to be called today.",
}
FRAGMENTS = {"call-list": "calls/_list.html"}
PAGE_SIZE = 25
BEST = 10
ZONE_COOKIE = "zone"
"""Names the reader's time zone, so that their day ends when it does; written by calls.js."""

pages = Blueprint("calls", __name__)


@pages.get("/calls")
def show_calls() -> AnyResponse:
    return _show(require(Permission.READ))


@pages.post("/calls/<segment>/claim")
def claim(segment: str) -> AnyResponse:
    principal, lead = _asked(segment)
    try:
        claim_lead(principal.scope, lead.lead_id, _member(principal), now=utc_now())
    except LeadTakenError as error:
        flash(error.message, Tone.BAD)
    else:
        say(f"{lead.name} is yours for 24 hours.")
    return redirect(_here(), 303)


@pages.post("/calls/<segment>/log")
def log(segment: str) -> AnyResponse:
    principal, lead = _asked(segment)
    form, now = LogCallForm(request.form), utc_now()
    call = form.read(_zone(), now=now) if form.validate() else None
    if call is None:
        return _show(principal, draft=(lead.lead_id, form), status=UNPROCESSABLE_ENTITY)
    try:
        changed = log_call(principal.scope, _member(principal), lead.lead_id, call, now=now)
    except TooLargeError as error:
        form.show(error)
        return _show(principal, draft=(lead.lead_id, form), status=UNPROCESSABLE_ENTITY)
    say(_saved(lead, call, changed))
    return redirect(_here(), 303)


def _show(
    principal: Principal, *, draft: tuple[str, LogCallForm] | None = None, status: int = 200
) -> AnyResponse:
    scope, now, whose, number = principal.scope, utc_now(), _whose(), _page_number()
    before = _end_of_today(now)
    held = _held_by(principal, now)
    found = list_due(
        scope, before=before, held_by=held[whose], request=PageRequest(number, PAGE_SIZE)
    )
    last = max(1, -(-found.total.count // PAGE_SIZE))
    if number > last:
        return redirect(_url(whose, last))
    rows = CallRows(principal, engagement_levels(scope), back=_back(), draft=draft, now=now)
    best = list_uncalled(scope, limit=BEST, now=now) if number == last else []
    unsaved = {draft[0]} if draft else set()
    unsaved -= {it.line.lead_id for it in (*found.items, *best)}
    page = CallsPage(
        tabs=tuple(Choice(label, it, it == whose, _url(it)) for it, label in TABS.items()),
        counts=tuple(thousands(count_due(scope, before=before, held_by=held[it])) for it in TABS),
        unsaved=rows.build(list_callees(scope, [*unsaved])),
        due=rows.build(found.items),
        best=rows.build(best),
        shows_best=number == last,
        pager=_pager(whose, number, len(found.items), found.total.count),
        hint=HINTS[whose],
        leads_url=LEADS,
        can_edit=can(principal, Permission.WRITE_DATA),
        today=_spell_day(now.astimezone(_zone())),
    )
    return render("calls/page.html", page=page, section=CALLS, fragments=FRAGMENTS, status=status)


def _held_by(principal: Principal, now: datetime) -> dict[str, HeldBy | None]:
    return {
        MINE: HeldBy(principal.member_id, now),
        EVERYBODY: None,
        NOBODY: HeldBy(None, now),
    }


def _asked(segment: str) -> tuple[Principal, Lead]:
    principal = require_member(Permission.WRITE_DATA)
    return principal, get_lead(principal.scope, lead_id_of(segment))


def _member(principal: Principal) -> Member:
    assert principal.member_id is not None, "only members get as far as this"
    return get_member(principal.member_id)


def _saved(lead: Lead, call: Call, changed: Status | None) -> str:
    """Say what a call has left behind."""
    told = [f"Call with {lead.name} logged: {call.outcome.label.lower()}."]
    if changed:
        told.append(f"The lead is {STATUS_LABELS[changed].lower()} now.")
    planned = call.next_call_at
    if planned is None:
        told.append("No further call is planned.")
    else:
        at = planned.astimezone(_zone())
        told.append(f"Next call: {_spell_day(at)}, {at:%H:%M} {at:%Z}.")
    return " ".join(told)


def _spell_day(at: datetime) -> str:
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def _zone() -> tzinfo:
    """Return the reader's time zone; UTC until their browser has said which."""
    try:
        return ZoneInfo(request.cookies.get(ZONE_COOKIE, "UTC"))
    except (ValueError, OSError, LookupError):  # the name of no zone, or of a folder of them
        return UTC


def _end_of_today(now: datetime) -> datetime:
    tomorrow = now.astimezone(_zone()).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), _zone()).astimezone(UTC)


def _whose() -> str:
    whose = request.args.get("of", MINE)
    return whose if whose in TABS else MINE


def _page_number() -> int:
    text = request.args.get("page", "1")
    number = int(text) if text.isdecimal() and len(text) <= len(str(LAST_PAGE)) else 1
    return min(max(number, 1), LAST_PAGE)


def _back() -> dict[str, str]:
    """Return what forms carry along, so that they lead back to where they were sent from."""
    number = _page_number()
    return {"of": _whose(), "page": str(number) if number > 1 else ""}


def _here() -> str:
    return query_url(CALLS, _back())


def _url(whose: str, number: int = 1) -> str:
    return query_url(CALLS, {"of": whose, "page": str(number) if number > 1 else ""})


def _pager(whose: str, number: int, shown: int, total: int) -> Pager | None:
    first = (number - 1) * PAGE_SIZE + 1
    if total <= PAGE_SIZE:
        return None
    last = first + shown - 1
    return Pager(
        label=pager_label(first, last, total),
        previous_url=_url(whose, number - 1) if number > 1 else None,
        next_url=_url(whose, number + 1) if last < total else None,
    )
