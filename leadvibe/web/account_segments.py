"""The people of accounts, put into a segment by hand from the list of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from htmx_flask import request

from leadvibe.bulk import service
from leadvibe.bulk.types import BulkKind, Selection
from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.accounts import leads_of
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import parse_id
from leadvibe.segments.queries import get_segment, list_segments
from leadvibe.web.bulk import make_segment
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Choice, counted
from leadvibe.web.pages.notices import Undo


def segment_choices(scope: Scope) -> tuple[Choice, ...]:
    return tuple(
        Choice(it.name if it.active else f"{it.name} (off)", str(it.segment_id))
        for it in list_segments(scope)
    )


def add_to_segment(principal: Principal, account_ids: Sequence[str]) -> None:
    """Put everybody of these accounts into the segment that was chosen or named, and say so."""
    lead_ids = sorted(leads_of(principal.scope, account_ids))
    if not lead_ids:
        raise InvalidError("Nobody belongs to what was chosen: choose accounts with people.")
    if len(lead_ids) > service.MOST_NAMED:
        raise InvalidError(
            f"These accounts have {counted(len(lead_ids), 'lead')}, and at most"
            f" {service.MOST_NAMED:,} are added at a time: choose fewer accounts."
        )
    done = service.request_action(
        principal,
        BulkKind.ADD_TO_SEGMENT,
        Selection(tuple(lead_ids)),
        segment_id=(segment_id := _segment(principal)),
        queue=job_queue(),
        now=utc_now(),
    )
    name = get_segment(principal.scope, segment_id).name
    if not done.is_finished:
        say(f"{counted(len(lead_ids), 'lead')} are being added to “{name}”.")
        return
    same = done.leads_total - done.leads_changed
    already = f" {same:,} {'was' if same == 1 else 'were'} already." if same else ""
    undo = Undo(url=f"{LEADS}/bulk/{done.action_id}/undo", fields={"query": ""})
    say(
        f"{counted(done.leads_changed, 'lead')} added to “{name}”.{already}",
        undo=undo if done.can_be_undone else None,
    )


def _segment(principal: Principal) -> UUID:
    if name := request.form.get("new_segment", "").strip():
        require(Permission.CONFIGURE)
        return make_segment(principal, name)
    segment_id = parse_id(request.form.get("segment", ""))
    if segment_id is None:
        raise InvalidError("Choose a segment, or name a new one.")
    return segment_id
