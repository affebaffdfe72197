"""Leads that are in a segment, or out of it, because somebody said so: the list, and saying so."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.leads.addresses import read_lead_id
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.queries import get_lead, list_names
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import rollback
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.lib.ids import parse_id
from leadvibe.lib.paging import PageRequest
from leadvibe.segments import picking, queries
from leadvibe.segments.types import Pick, Segment
from leadvibe.web.authors import author
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.pages.display import Moment, Tone
from leadvibe.web.pages.segments import PickRow
from leadvibe.web.redirects import local_path
from leadvibe.web.segment_paths import segment_path, why_path

IN, OUT, RULES = "in", "out", "rules"

pages = Blueprint("segment-picks", __name__)


@pages.post("/segments/<uuid:segment_id>/members/<lead>")
def decide(segment_id: UUID, lead: str) -> AnyResponse:
    """Put a lead into a segment, keep it out, or leave it to the rules."""
    return _decide(segment_id, lead, request.form.get("pick", ""))


@pages.post("/leads/<lead>/segments")
def add(lead: str) -> AnyResponse:
    """Put a lead into the segment that was chosen on its page."""
    segment_id = parse_id(request.form.get("segment", ""))
    if segment_id is None:
        raise InvalidError("Choose a segment first.")
    return _decide(segment_id, lead, IN)


def list_pick_rows(scope: Scope, segment_id: UUID, *, page: int, size: int) -> tuple[PickRow, ...]:
    """Return a page of those that were picked, the last first."""
    picks = queries.list_picks(scope, segment_id, PageRequest(page, size))
    return _rows(segment_id, picks, list_names(scope, [it.lead_id for it in picks]))


def find_pick_row(scope: Scope, segment_id: UUID, lead: Lead) -> PickRow | None:
    """Return what somebody decided about a lead, if anybody did."""
    pick = queries.find_pick(scope, segment_id, lead.lead_id)
    return _rows(segment_id, [pick], {lead.lead_id: lead.name})[0] if pick else None


def say_picked(scope: Scope, segment: Segment) -> str:
    """Return how many were picked: "12 added, 3 kept out", or nothing."""
    if not (segment.has_picked or segment.has_kept_out):
        return ""
    put_in, kept_out = queries.count_picks(scope, segment.segment_id)
    told = ((put_in, "added"), (kept_out, "kept out"))
    return ", ".join(f"{number:,} {what}" for number, what in told if number)


def _decide(segment_id: UUID, lead: str, wanted: str) -> AnyResponse:
    principal, lead_id = require(Permission.WRITE_DATA), read_lead_id(lead)
    scope = principal.scope
    if wanted not in {IN, OUT, RULES}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    if lead_id is None:
        raise LeadNotFoundError("There is no such lead in this unit.")
    found, segment = get_lead(scope, lead_id), queries.get_segment(scope, segment_id)
    back = local_path(request.form.get("back"), otherwise=segment_path(segment_id))
    try:
        if wanted == RULES:
            picking.unpick(scope, segment_id, [found.lead_id])
        else:
            is_in = wanted == IN
            picking.pick(principal, scope, segment_id, [found.lead_id], is_in=is_in, now=utc_now())
    except ConflictError as error:
        rollback()
        flash(error.message, Tone.BAD)
        return redirect(back, 303)
    flash(_SAID[wanted].format(lead=found.name, segment=segment.name), Tone.OK)
    return redirect(back, 303)


_SAID = {
    IN: "{lead} is in “{segment}” now, whatever its rules say.",
    OUT: "{lead} is kept out of “{segment}” now, whatever its rules say.",
    RULES: "The rules of “{segment}” decide about {lead} again.",
}


def _rows(segment_id: UUID, picks: Sequence[Pick], names: dict[str, str]) -> tuple[PickRow, ...]:
    return tuple(
        PickRow(
            url=lead_path(pick.lead_id),
            name=names.get(pick.lead_id, pick.lead_id),
            is_in=pick.is_in,
            by=author(pick.picked_by),
            at=Moment.of(pick.picked_at),
            post_url=why_path(segment_id, pick.lead_id),
        )
        for pick in picks
    )
