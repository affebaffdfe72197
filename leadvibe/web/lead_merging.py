"""A lead merged with another, after a look at what that does; taken apart again; and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import CONFLICT

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import queries as leads
from leadvibe.leads import suggestions
from leadvibe.leads.deletion import get_deletion
from leadvibe.leads.errors import LeadNotFoundError, SuggestionNotFoundError
from leadvibe.leads.merging import list_merged
from leadvibe.leads.types import DeletionState, Lead, LeadDeletion, MergeSuggestion
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.pipeline import deletion, merging
from leadvibe.pipeline.merging import Preview
from leadvibe.web.lead import lead_id_of
from leadvibe.web.lead_paths import LEADS, lead_path
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Alert, Moment, Tone, counted, query_url, thousands
from leadvibe.web.pages.merging import DeletionPage, FoundLead, MergePage, MergePreview
from leadvibe.web.pages.notices import Undo
from leadvibe.web.rendering import render

MERGE, DELETION = "lead-merge", "lead-deletion"
MOST_FOUND = 10
STAYS = "other"
"""Value of `stays` in the address: the lead that was found stays, this one goes."""
STATES = {
    DeletionState.PENDING: ("Lead is being deleted", "Waiting for a worker to begin."),
    DeletionState.IN_PROGRESS: ("Lead is being deleted", "Its history is being deleted."),
    DeletionState.COMPLETED: ("Lead is deleted", "Nothing of it is left."),
    DeletionState.FAILED: (
        "The deletion has failed",
        "It was tried too often. The lead is out of sight, but not all of its history is gone.",
    ),
}

pages = Blueprint("lead-merging", __name__)


@pages.get("/leads/<segment>/merge")
def show_merge(segment: str) -> AnyResponse:
    scope = require(Permission.WRITE_DATA).scope
    lead = leads.get_lead(scope, lead_id_of(segment))
    return _answer(scope, lead)


@pages.post("/leads/<segment>/merge")
def merge(segment: str) -> AnyResponse:
    principal = require(Permission.WRITE_DATA)
    lead = leads.get_lead(principal.scope, lead_id_of(segment))
    source_id, target_id = (request.form.get(f"{it}_lead_id", "") for it in ("source", "target"))
    if lead.lead_id not in {source_id, target_id} or "\0" in source_id + target_id:
        raise InvalidError("Choose which lead to merge with, and see what that does first.")
    try:
        done = merging.merge(principal, principal.scope, target_id, [source_id], now=utc_now())
    except (ConflictError, InvalidError, LeadNotFoundError) as error:
        return _answer(principal.scope, lead, alert=Alert(error.message, Tone.BAD), status=CONFLICT)
    moved = counted(done.moved_events, "event")
    say(
        f"“{source_id}” is part of this lead now: {moved} came along.",
        undo=unmerging(done.target.lead_id, source_id),
    )
    return redirect(lead_path(done.target.lead_id), 303)


@pages.post("/leads/<segment>/unmerge")
def unmerge(segment: str) -> AnyResponse:
    principal = require(Permission.WRITE_DATA)
    source_id = request.form.get("source_lead_id", "")
    done = merging.unmerge(
        principal, principal.scope, lead_id_of(segment), [source_id], now=utc_now()
    )
    moved = counted(done.moved_events, "event")
    target_id = done.target.lead_id
    say(
        f"“{source_id}” stands for itself again, with {moved} of its own.",
        undo=Undo(
            url=f"{lead_path(target_id)}/merge",
            fields={"source_lead_id": source_id, "target_lead_id": target_id},
        ),
    )
    return redirect(lead_path(done.target.lead_id), 303)


def unmerging(target_id: str, source_id: str) -> Undo:
    """Return the form that parts two leads which have just been merged."""
    return Undo(url=f"{lead_path(target_id)}/unmerge", fields={"source_lead_id": source_id})


@pages.post("/leads/<segment>/dismiss")
def dismiss(segment: str) -> AnyResponse:
    principal = require(Permission.WRITE_DATA)
    lead = leads.get_lead(principal.scope, lead_id_of(segment))
    other_id = request.form.get("other_lead_id", "")
    if other_id not in {it.other_lead_id for it in _others(principal.scope, lead)}:
        raise SuggestionNotFoundError("This is not suggested any more: reload the page.")
    suggestions.keep_apart(
        principal.scope, lead.lead_id, [other_id], by=principal.label, now=utc_now()
    )
    flash("They are not suggested again.", Tone.OK)
    return redirect(lead_path(lead.lead_id), 303)


def _others(scope: Scope, lead: Lead) -> list[MergeSuggestion]:
    merged = list_merged(scope, lead.lead_id)
    return suggestions.list_others(scope, lead.lead_id, merged)


@pages.post("/leads/<segment>/delete")
def delete(segment: str) -> AnyResponse:
    principal = require(Permission.WRITE_DATA)
    wanted = _request_deletion(principal, lead_id_of(segment))
    return redirect(f"{lead_path(wanted.lead_id)}/deletion", 303)


def _request_deletion(principal: Principal, lead_id: str) -> LeadDeletion:
    return deletion.request_deletion(
        principal, principal.scope, lead_id, queue=job_queue(), now=utc_now()
    )


@pages.get("/leads/<segment>/deletion")
def show_deletion(segment: str) -> AnyResponse:
    scope = require(Permission.READ).scope
    found = get_deletion(scope, lead_id_of(segment))
    title, text = STATES[found.state]
    deleted = counted(found.events_deleted, "event")
    page = DeletionPage(
        lead_id=found.lead_id,
        title=title,
        text=f"{text} {deleted} deleted.",
        requested_by=found.requested_by,
        requested_at=Moment.of(found.requested_at),
        url=f"{lead_path(found.lead_id)}/deletion",
        is_underway=not found.is_finished,
    )
    fragments = {DELETION: "leads/_deletion.html"}
    return render("leads/deletion.html", page=page, section=LEADS, fragments=fragments)


def _answer(
    scope: Scope, lead: Lead, *, alert: Alert | None = None, status: int = 200
) -> AnyResponse:
    other_id, q = (request.args.get(name, "").replace("\0", "") for name in ("with", "q"))
    path = lead_path(lead.lead_id)
    preview = None
    if other_id and alert is None:
        try:
            preview = _preview(scope, lead, other_id)
        except (ConflictError, InvalidError, LeadNotFoundError) as error:
            alert = Alert(error.message, Tone.BAD)
    found = list(_find(scope, lead, q))
    page = MergePage(
        name=lead.name,
        lead_url=path,
        url=f"{path}/merge",
        merge_url=f"{path}/merge",
        q=q,
        found=tuple(found[:MOST_FOUND]),
        more=f"More than {MOST_FOUND} leads match: these are some of them. Type more of the name,"
        " address or ID."
        if len(found) > MOST_FOUND
        else "",
        preview=preview,
        alert=alert,
    )
    fragments = {MERGE: "leads/_merge.html"}
    return render("leads/merge.html", page=page, section=LEADS, fragments=fragments, status=status)


def _find(scope: Scope, lead: Lead, q: str) -> Iterator[FoundLead]:
    # One more than is shown, to know whether there are more, and one that may be this very lead.
    found = leads.search_leads(scope, q, limit=MOST_FOUND + 2) if q else []
    names = leads.list_names(scope, [lead_id for lead_id, _, _ in found])
    for lead_id, _, alias in found:
        if lead_id != lead.lead_id and lead_id in names:
            yield FoundLead(names[lead_id], alias or lead_id, _url(lead, lead_id))


def _url(lead: Lead, other_id: str, **more: str) -> str:
    return query_url(f"{lead_path(lead.lead_id)}/merge", {"with": other_id, **more})


def _preview(scope: Scope, lead: Lead, other_id: str) -> MergePreview:
    stays = request.args.get("stays") == STAYS
    target_id, source_id = (other_id, lead.lead_id) if stays else (lead.lead_id, other_id)
    seen = merging.preview(scope, target_id, [source_id])
    [source] = seen.sources
    return MergePreview(
        source=source.name,
        source_id=source.lead_id,
        source_score=thousands(source.score),
        target=seen.target.name,
        target_id=seen.target.lead_id,
        target_score=thousands(seen.target.score),
        facts=tuple(_facts(seen)),
        swap_url=_url(lead, other_id, stays="" if stays else STAYS),
    )


def _facts(seen: Preview) -> Iterator[str]:
    [source] = seen.sources
    yield f"{counted(seen.events, 'event')} in {counted(seen.sessions, 'session')} come along."
    yield (
        f"{seen.target.name} is recognised by {counted(seen.aliases, 'more alias', 'more aliases')}"
        " from then on."
    )
    yield "The score is counted anew, as if all of it had been one lead's from the start."
    if source.account_id and seen.target.account_id not in {None, source.account_id}:
        yield f"They belong to different accounts: {seen.target.account_id} stays."
    if source.owner_name and source.owner_id != seen.target.owner_id:
        yield f"{source.owner_name} owns the one that goes: who owns the other one stays."
    if source.metadata:
        yield "Properties of the one that goes are kept with it, for when the merge is undone."
