"""What members change on a lead's page: its owner, their watch, notes, aliases and properties.

A form that is refused is answered with the part of the page it stands in, as it was sent.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import get_member, list_members
from leadvibe.identity.types import Member, Principal, Scope
from leadvibe.leads import notes, watching
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.errors import NoteChangedError, NotWatchedError, PropertyChangedError
from leadvibe.leads.ownership import assign_owner
from leadvibe.leads.queries import get_lead, list_aliases
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError, LeadvibeError, TooLargeError
from leadvibe.lib.ids import parse_id
from leadvibe.pipeline import editing
from leadvibe.web.forms.lead import AliasForm, DocumentForm, NoteForm, PropertyForm
from leadvibe.web.forms.member_form import MemberForm
from leadvibe.web.lead import ALIASES, HEAD, HISTORY, PROPERTIES, lead_id_of, show
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_state import read_state
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Tone
from leadvibe.web.pages.lead import Drafts
from leadvibe.web.pages.notices import Undo

REMOVE = "remove"
"""Value of the form's `do`: the property goes."""

pages = Blueprint("lead-editing", __name__)


@pages.post("/leads/<segment>/owner")
def give(segment: str) -> AnyResponse:
    principal, lead = _asked(segment)
    owner = _owner(principal.scope, request.form.get("owner_id", ""))
    assign_owner(principal.scope, lead.lead_id, owner, now=utc_now())
    before = str(lead.owner_id) if lead.owner_id else ""
    say(
        f"{owner.name} looks after this lead." if owner else "Nobody owns this lead.",
        undo=Undo(url=f"{lead_path(lead.lead_id)}/owner", fields={"owner_id": before}),
    )
    return lead_back(lead, HEAD)


@pages.post("/leads/<segment>/watch")
def watch(segment: str) -> AnyResponse:
    principal = require_member(Permission.READ)
    lead, member = get_lead(principal.scope, lead_id_of(segment)), _member(principal)
    if request.form.get("watch") == "1":
        watching.watch(
            principal.scope,
            member.org_member_id,
            lead.lead_id,
            prediction=None,
            notes=None,
            now=utc_now(),
        )
        undo = Undo(url=f"{lead_path(lead.lead_id)}/watch", fields={"watch": "0"})
        say("You watch this lead.", undo=undo)
    else:
        _unwatch(principal.scope, member, lead)
    return lead_back(lead, HEAD)


def _unwatch(scope: Scope, member: Member, lead: Lead) -> None:
    watches = watching.list_watches(scope, member.org_member_id)
    of_lead = [it for it in watches if it.lead_id == lead.lead_id]
    has_more = any(it.prediction or it.prediction_notes for it in of_lead)
    with suppress(NotWatchedError):  # ended in another window: it is what was asked for
        watching.unwatch(scope, member.org_member_id, lead.lead_id)
    # What the member had written beside it would not come back.
    undo = Undo(url=f"{lead_path(lead.lead_id)}/watch", fields={"watch": "1"})
    say("You do not watch this lead any more.", undo=None if has_more else undo)


@pages.post("/leads/<segment>/notes")
def write_note(segment: str) -> AnyResponse:
    principal, lead = _asked(segment)
    form = NoteForm(request.form)
    if not form.validate():
        return show(principal, lead, drafts=Drafts(note=form), status=UNPROCESSABLE_ENTITY)
    notes.write_note(
        principal.scope, _member(principal), lead.lead_id, form.text.data or "", now=utc_now()
    )
    flash("The note is added.", Tone.OK)
    return lead_back(lead, HISTORY)


@pages.post("/leads/<segment>/notes/<uuid:note_id>")
def edit_note(segment: str, note_id: UUID) -> AnyResponse:
    principal, lead = _asked(segment)
    form, author = NoteForm(request.form), _member(principal)
    drafts = Drafts(note=form, note_id=str(note_id))
    if not form.validate():
        return show(principal, lead, drafts=drafts, status=UNPROCESSABLE_ENTITY)
    try:
        notes.edit_note(
            principal.scope,
            author,
            lead.lead_id,
            note_id,
            form.text.data or "",
            moderates=can(principal, Permission.OWN),
            seen_at=_instant(form.state.data),
            now=utc_now(),
        )
    except NoteChangedError as error:
        current = notes.get_note(principal.scope, lead.lead_id, note_id)
        form.state.data = current.updated_at.isoformat()
        form.show(error)
        return show(principal, lead, drafts=drafts, status=CONFLICT)
    flash("The note is saved.", Tone.OK)
    return lead_back(lead, HISTORY)


@pages.post("/leads/<segment>/notes/<uuid:note_id>/delete")
def delete_note(segment: str, note_id: UUID) -> AnyResponse:
    principal, lead = _asked(segment)
    moderates = can(principal, Permission.OWN)
    notes.delete_note(
        principal.scope, _member(principal), lead.lead_id, note_id, moderates=moderates
    )
    flash("The note is deleted.", Tone.OK)
    return lead_back(lead, HISTORY)


@pages.post("/leads/<segment>/aliases")
def add_alias(segment: str) -> AnyResponse:
    principal, lead = _asked(segment)
    form = AliasForm(request.form)
    if not form.validate():
        return show(principal, lead, drafts=Drafts(alias=form), status=UNPROCESSABLE_ENTITY)
    try:
        alias = make_alias(form.kind.data, form.value.data or "")
        editing.add_alias(principal.scope, lead.lead_id, alias, now=utc_now())
    except (InvalidError, ConflictError) as error:
        form.value.errors = [error.message]
        return show(principal, lead, drafts=Drafts(alias=form), status=UNPROCESSABLE_ENTITY)
    flash(f"The lead is known as “{alias.raw_value}” from now on.", Tone.OK)
    return lead_back(lead, ALIASES)


@pages.post("/leads/<segment>/aliases/<uuid:alias_id>/remove")
def remove_alias(segment: str, alias_id: UUID) -> AnyResponse:
    principal, lead = _asked(segment)
    known = {it.alias_id: it.kind for it in list_aliases(principal.scope, lead.lead_id)}
    spelled = editing.remove_alias(principal.scope, lead.lead_id, alias_id, now=utc_now())
    say(
        f"The lead is not known as “{spelled}” any more.",
        undo=Undo(
            url=f"{lead_path(lead.lead_id)}/aliases",
            fields={"kind": known.get(alias_id, ""), "value": spelled},
        ),
    )
    return lead_back(lead, ALIASES)


@pages.post("/leads/<segment>/property")
def set_property(segment: str) -> AnyResponse:
    principal, lead = _asked(segment)
    form, removes = PropertyForm(request.form), request.form.get("do") == REMOVE
    if not removes and not form.validate():
        return _refuse_property(principal, lead, form, UNPROCESSABLE_ENTITY)
    name = form.name.data or ""
    try:
        changed = editing.set_property(
            principal.scope,
            lead.lead_id,
            name,
            None if removes else form.parsed,
            state=form.state.data or "",
            now=utc_now(),
        )
    except PropertyChangedError as error:
        form.state.data = editing.state_of(lead.metadata.get(name))
        return _refuse_property(principal, lead, form, CONFLICT, error)
    except (InvalidError, TooLargeError) as error:
        return _refuse_property(principal, lead, form, UNPROCESSABLE_ENTITY, error)
    said = f"“{name}” is {'removed' if removes else 'saved'}."
    say(said, undo=_put_back(lead, name, state=editing.state_of(changed.metadata.get(name))))
    return lead_back(lead, PROPERTIES)


def _put_back(lead: Lead, name: str, *, state: str) -> Undo:
    """Return the form that gives a property the value that it had; `state` is its present one."""
    url, was = f"{lead_path(lead.lead_id)}/property", lead.metadata.get(name)
    if was is None:
        return Undo(url=url, fields={"name": name, "state": state, "do": REMOVE})
    data = PropertyForm.of(name, was, state).data
    return Undo(url=url, fields={it: str(data[it]) for it in ("name", "kind", "value", "state")})


@pages.post("/leads/<segment>/properties")
def set_properties(segment: str) -> AnyResponse:
    principal, lead = _asked(segment)
    form = DocumentForm(request.form)
    drafts, state = Drafts(document=form), form.state.data or ""
    if not form.validate():
        return show(principal, lead, drafts=drafts, status=UNPROCESSABLE_ENTITY)
    try:
        editing.set_properties(
            principal.scope, lead.lead_id, form.parsed, state=state, now=utc_now()
        )
    except PropertyChangedError as error:
        form.state.data = editing.state_of(lead.metadata)
        form.show(error)
        return show(principal, lead, drafts=drafts, status=CONFLICT)
    except (InvalidError, TooLargeError) as error:
        form.show(error)
        return show(principal, lead, drafts=drafts, status=UNPROCESSABLE_ENTITY)
    flash("The properties are saved.", Tone.OK)
    return lead_back(lead, PROPERTIES)


def _refuse_property(
    principal: Principal,
    lead: Lead,
    form: PropertyForm,
    status: int,
    error: LeadvibeError | None = None,
) -> AnyResponse:
    _show(form, error)
    return show(principal, lead, drafts=Drafts(property=form), status=status)


def _show(form: MemberForm, error: LeadvibeError | None) -> None:
    if error is not None:
        form.show(error)


def _asked(segment: str) -> tuple[Principal, Lead]:
    principal = require_member(Permission.WRITE_DATA)
    return principal, get_lead(principal.scope, lead_id_of(segment))


def _member(principal: Principal) -> Member:
    assert principal.member_id is not None, "only members get as far as this"
    return get_member(principal.member_id)


def _owner(scope: Scope, text: str) -> Member | None:
    """Return the member of the unit that a form names, None for nobody."""
    if not text:
        return None
    wanted = parse_id(text)
    for it in list_members(scope):
        if it.member.org_member_id == wanted and it.unit_role:
            return it.member
    raise InvalidError("Only members of this unit own its leads: choose one of them.")


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None


def lead_back(lead: Lead, anchor: str) -> AnyResponse:
    """Lead back to the page as it was shown; htmx follows, and replaces the part it asked with."""
    state = read_state(lead_path(lead.lead_id), asked_for=())
    return redirect(state.url() if request.htmx else f"{state.url()}#{anchor}", 303)
