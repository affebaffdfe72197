"""Things done to many leads of the list: asked about first where they matter, then done.

How far the last one is stands above the list, for as long as the address names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.bulk import service
from leadvibe.bulk.queries import get_action
from leadvibe.bulk.types import BulkAction, BulkKind, Selection
from leadvibe.engine.rules import Config
from leadvibe.http.permissions import require_member
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import get_member_of, list_members
from leadvibe.identity.types import Member, Principal, Scope
from leadvibe.leadlist.export import write_leads
from leadvibe.leadlist.queries import count_matching
from leadvibe.leadlist.types import LeadFilter
from leadvibe.leads.queries import list_names
from leadvibe.leads.types import Lead
from leadvibe.leadviews.queries import get_look
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import rollback
from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError
from leadvibe.lib.ids import parse_id
from leadvibe.pipeline import merging
from leadvibe.scoring import queries as scoring
from leadvibe.segments import service as segment_service
from leadvibe.segments.queries import list_segments
from leadvibe.web.forms.segments import SegmentForm
from leadvibe.web.lead_filters import owner_choices
from leadvibe.web.lead_merging import unmerging
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.lead_query import ME, NOBODY, LeadQuery
from leadvibe.web.lead_views import read_sent_query
from leadvibe.web.leads import EXPORT, LIST, csv_file, read_query, shown_columns
from leadvibe.web.notices import say
from leadvibe.web.pages.bulk import BulkForm, MergeSide
from leadvibe.web.pages.display import Choice, Fact, Tone, counted, query_url, thousands
from leadvibe.web.rendering import render, wanted_fragment

BULK = f"{LEADS}/bulk"
DIALOG = "lead-dialog"
TAKE, MERGE, EXPORT_ACTION = "take", "merge", "export"
MERGED_AT_ONCE = 2

pages = Blueprint("bulk", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to do, to which leads of which list."""

    principal: Principal
    config: Config
    action: str
    params: Mapping[str, str]
    """Of the list that it was asked from."""
    wanted: LeadQuery
    lead_ids: tuple[str, ...]
    is_all: bool

    @property
    def scope(self) -> Scope:
        return self.principal.scope

    @property
    def selection(self) -> Selection:
        return (
            Selection(criteria=self.wanted.lead_filter) if self.is_all else Selection(self.lead_ids)
        )

    def count(self) -> int:
        if self.is_all:
            return count_matching(self.scope, self.wanted.lead_filter)
        return len(list_names(self.scope, self.lead_ids))


_RIGHTS = {
    "assign_owner": Permission.WRITE_DATA,
    TAKE: Permission.WRITE_DATA,
    "watch": Permission.READ,
    "unwatch": Permission.READ,
    EXPORT_ACTION: Permission.READ,
    "rescore": Permission.CONFIGURE,
    MERGE: Permission.WRITE_DATA,
    "delete": Permission.WRITE_DATA,
    BulkKind.ADD_TO_SEGMENT: Permission.WRITE_DATA,
    BulkKind.REMOVE_FROM_SEGMENT: Permission.WRITE_DATA,
}


@pages.post("/leads/bulk")
def act() -> AnyResponse:
    """Do something to leads, or ask first: then the same is sent again with `confirmed`."""
    action = request.form.get("action", "")
    if action not in _RIGHTS:
        raise InvalidError("Nothing to do was sent: reload the page and try again.")
    asked = _read(require_member(_RIGHTS[action]), action)
    try:
        return _answer(asked)
    except (ConflictError, InvalidError, NotFoundError) as error:
        rollback()
        flash(error.message, Tone.BAD)
        return redirect(query_url(LEADS, asked.params), 303)


@pages.post("/leads/bulk/<uuid:action_id>/undo")
def undo(action_id: UUID) -> AnyResponse:
    principal = require_member(Permission.READ)
    action = get_action(principal.scope, action_id)
    require_member(_RIGHTS[action.kind.value])
    params = read_sent_query()
    is_personal = action.kind in {BulkKind.WATCH, BulkKind.UNWATCH}
    if is_personal and action.member_id != principal.member_id:
        raise NotFoundError("There is no such action of yours.")
    try:
        undone = service.undo(principal, action_id, queue=job_queue(), now=utc_now())
    except ConflictError as error:
        flash(error.message, Tone.BAD)
        return redirect(query_url(LEADS, params), 303)
    return _back(params, undone)


def _read(principal: Principal, action: str) -> Asked:
    scope = principal.scope
    config = scoring.get_config(scope, scoring.current_version(scope))
    params = read_sent_query()
    return Asked(
        principal=principal,
        config=config,
        action=action,
        params=params,
        wanted=read_query(principal, config, params),
        lead_ids=tuple(dict.fromkeys(request.form.getlist("lead"))),
        is_all=request.form.get("all") == "yes",
    )


def _answer(asked: Asked) -> AnyResponse:
    if not asked.is_all and not asked.lead_ids:
        raise InvalidError("Choose at least one lead first.")
    if asked.is_all and asked.wanted.error:
        raise InvalidError(asked.wanted.error)
    if asked.action == EXPORT_ACTION:
        return _export(asked)
    if asked.action == MERGE:
        return _merge(asked)
    is_harmless = asked.action in {"watch", "unwatch", TAKE} and not asked.is_all
    if not is_harmless and "confirmed" not in request.form:
        return _ask(_QUESTIONS[asked.action](asked))
    is_assigned = asked.action in {"assign_owner", TAKE}
    done = service.request_action(
        asked.principal,
        BulkKind.ASSIGN_OWNER if is_assigned else BulkKind(asked.action),
        asked.selection,
        owner=_owner(asked) if is_assigned else None,
        segment_id=_segment(asked),
        queue=job_queue(),
        now=utc_now(),
    )
    return _back(asked.params, done)


def _back(params: Mapping[str, str], done: BulkAction) -> AnyResponse:
    return redirect(query_url(LEADS, params, action=str(done.action_id)), 303)


def _owner(asked: Asked) -> Member | None:
    chosen = ME if asked.action == TAKE else request.form.get("owner", "")
    if chosen == NOBODY:
        return None
    member_id = asked.principal.member_id if chosen == ME else parse_id(chosen)
    may_own = {
        it.member.org_member_id for it in list_members(asked.scope) if it.unit_role is not None
    }
    if member_id is None or member_id not in may_own:
        raise InvalidError("Choose who is to look after them: somebody who works in this unit.")
    return get_member_of(asked.scope.org_id, member_id)


def _segment(asked: Asked) -> UUID | None:
    """Return which segment it is about; one that is named is made for it."""
    name = request.form.get("new_segment", "").strip()
    if asked.action == BulkKind.ADD_TO_SEGMENT and name:
        require_member(Permission.CONFIGURE)
        return make_segment(asked.principal, name)
    return parse_id(request.form.get("segment", ""))


def make_segment(principal: Principal, name: str) -> UUID:
    """Make a segment of a name, without rules. Raises InvalidError when the name does not do."""
    form = SegmentForm(data={"name": name, "active": True})
    if not form.validate():
        raise InvalidError(f"The new segment's name does not do. {form.name.errors[0]}")
    fields = {**form.fields_of_segment(), "description": ""}
    made = segment_service.create_segment(principal, principal.scope, fields, now=utc_now())
    return made.segment_id


def _export(asked: Asked) -> AnyResponse:
    if asked.is_all:
        return redirect(asked.wanted.export_url(EXPORT), 303)
    columns = shown_columns(asked.wanted, get_look(asked.principal))
    chosen = LeadFilter(lead_ids=asked.lead_ids)
    return csv_file(write_leads(asked.scope, asked.config, columns, chosen, asked.wanted.sort))


def _ask(form: BulkForm) -> AnyResponse:
    """Ask in a dialog over the list, or without scripts on a page of its own."""
    in_dialog = wanted_fragment() == LIST
    fragments = {LIST: "leads/_bulk.html"}
    response = render("leads/bulk.html", page=form, section=LEADS, fragments=fragments)
    if in_dialog:
        response.headers["HX-Retarget"] = f"#{DIALOG}"
        response.headers["HX-Push-Url"] = "false"
    return response


def _form(asked: Asked, *, title: str, text: str, button: str, is_danger: bool = False,
          owners: tuple[Choice, ...] = (), segments: tuple[Choice, ...] = (),
          has_new: bool = False) -> BulkForm:  # fmt: skip
    return BulkForm(
        title=title,
        text=text,
        button=button,
        action=asked.action,
        post_url=BULK,
        back_url=query_url(LEADS, asked.params),
        query=query_url("", asked.params).removeprefix("?"),
        lead_ids=() if asked.is_all else asked.lead_ids,
        is_all=asked.is_all,
        is_danger=is_danger,
        owners=owners,
        segments=segments,
        has_new=has_new,
    )


def _them(asked: Asked) -> str:
    """12 leads, or all 12,345 leads that match."""
    number = asked.count()
    return f"all {counted(number, 'lead')} that match" if asked.is_all else counted(number, "lead")


def _ask_owner(asked: Asked) -> BulkForm:
    return _form(
        asked,
        title=f"Assign {_them(asked)}",
        text="Whoever looks after them now is replaced. You can undo it.",
        button="Assign",
        owners=owner_choices(asked.scope, ME, ((ME, "Me"), (NOBODY, "Nobody"))),
    )


def _ask_watch(asked: Asked) -> BulkForm:
    verb = "Watch" if asked.action == "watch" else "Stop watching"
    return _form(
        asked,
        title=f"{verb} {_them(asked)}?",
        text="Your watch list is yours alone. You can undo it.",
        button=verb,
    )


def _ask_rescore(asked: Asked) -> BulkForm:
    return _form(
        asked,
        title=f"Rescore {_them(asked)}?",
        text="Their events are scored anew, as if today's rules had always been in force. Scores"
        " may go up or down, and the old ones are not kept.",
        button="Rescore",
    )


def _ask_delete(asked: Asked) -> BulkForm:
    return _form(
        asked,
        title=f"Delete {_them(asked)} for good?",
        text="Their events, scores and history go with them. What comes in later makes new leads."
        " This cannot be undone.",
        button="Delete for good",
        is_danger=True,
    )


def _ask_add(asked: Asked) -> BulkForm:
    return _form(
        asked,
        title=f"Add {_them(asked)} to a segment",
        text="They stay in it whatever its rules say, until somebody takes them out. You can undo"
        " it.",
        button="Add to segment",
        segments=_segment_choices(asked),
        has_new=can(asked.principal, Permission.CONFIGURE),
    )


def _ask_remove(asked: Asked) -> BulkForm:
    return _form(
        asked,
        title=f"Take {_them(asked)} out of a segment",
        text="They stay out of it even if its rules let them in. You can undo it.",
        button="Take out",
        segments=_segment_choices(asked),
    )


def _segment_choices(asked: Asked) -> tuple[Choice, ...]:
    shown = asked.params.get("segment", "")
    found = [(str(it.segment_id), it) for it in list_segments(asked.scope)]
    return tuple(
        Choice(it.name if it.active else f"{it.name} (off)", key, key == shown) for key, it in found
    )


_QUESTIONS: Mapping[str, Callable[[Asked], BulkForm]] = {
    "assign_owner": _ask_owner,
    "watch": _ask_watch,
    "unwatch": _ask_watch,
    TAKE: _ask_owner,
    "rescore": _ask_rescore,
    "delete": _ask_delete,
    BulkKind.ADD_TO_SEGMENT: _ask_add,
    BulkKind.REMOVE_FROM_SEGMENT: _ask_remove,
}


def _merge(asked: Asked) -> AnyResponse:
    if asked.is_all or len(asked.lead_ids) != MERGED_AT_ONCE:
        raise InvalidError("Two leads can be merged at a time: choose exactly two.")
    target = request.form.get("target", "")
    if "confirmed" not in request.form or target not in asked.lead_ids:
        return _ask(_merge_form(asked))
    sources = [it for it in asked.lead_ids if it != target]
    done = merging.merge(asked.principal, asked.scope, target, sources, now=utc_now())
    say(
        f"They are one lead now, {done.target.name}: {counted(done.moved_events, 'event')} moved.",
        undo=unmerging(target, sources[0]),
    )
    params = {name: value for name, value in asked.params.items() if value not in sources}
    return redirect(query_url(LEADS, params), 303)


def _merge_form(asked: Asked) -> BulkForm:
    """Ask which of two stays: at first the one with more events, which has more to lose."""
    preview = merging.preview(asked.scope, asked.lead_ids[0], asked.lead_ids[1:])
    both = sorted([preview.target, *preview.sources], key=lambda it: -it.event_count)
    moved = preview.target_events + preview.events
    form = _form(
        asked,
        title="Merge two leads",
        text="One stays and takes over what the other did and is known by. Its scores are worked"
        " out anew, as if they had been one from the start.",
        button="Merge them",
    )
    return replace(
        form,
        sides=tuple(_side(lead, is_chosen=lead is both[0]) for lead in both),
        facts=(
            Fact("Events together", thousands(moved)),
            Fact("Addresses that both have", thousands(preview.contested_aliases)),
        ),
    )


def _side(lead: Lead, *, is_chosen: bool) -> MergeSide:
    return MergeSide(
        id=lead.lead_id,
        name=lead.name,
        detail=lead.detail or "",
        score=thousands(lead.score),
        events=counted(lead.event_count, "event"),
        is_chosen=is_chosen,
    )
