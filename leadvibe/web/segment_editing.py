"""Building a segment: one form with all its rules, saved together or not at all.

Without scripts every button sends the form and gets the page again; with them the form alone, and
whom its rules match is asked for by itself while somebody types.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.auditing import only_tried
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.segments import queries, service
from leadvibe.segments.errors import SegmentChangedError
from leadvibe.segments.types import Segment, SegmentRule, last_change, state_of
from leadvibe.web.forms.segments import SegmentForm
from leadvibe.web.pages.display import Alert, Link, Moment, Tone
from leadvibe.web.pages.segments import BuilderPage, Preview
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.segment_builder import has_room, learn, preview, show_rules
from leadvibe.web.segment_paths import NEW_SEGMENT, SEGMENTS, segment_path
from leadvibe.web.segment_rules import (
    RuleInput,
    Stored,
    drafts_of,
    inputs_of,
    judged,
    read_rules,
    rearranged,
)

FORM, PREVIEW = "segment-form", "segment-preview"
FRAGMENTS = {FORM: "segments/_form.html", PREVIEW: "segments/_preview.html"}
RULES_CHANGED = json.dumps({"rules-changed": {}})
"""What the preview listens for, since a changed form does not tell it of removed rules."""

pages = Blueprint("segment-editing", __name__)


@dataclass(frozen=True)
class Edited:
    """The segment that the form is about, as it is stored; none for a new one."""

    scope: Scope
    segment: Segment | None = None

    @cached_property
    def rules(self) -> list[SegmentRule]:
        return queries.list_rules(self.scope, self.segment.segment_id) if self.segment else []

    @property
    def stored(self) -> Stored:
        return {rule.rule_id: rule for rule in self.rules}

    @property
    def state(self) -> str:
        return state_of(self.segment, self.rules) if self.segment else ""

    @property
    def url(self) -> str:
        return segment_path(self.segment.segment_id, "/edit") if self.segment else NEW_SEGMENT


@pages.get("/segments/new")
def show_new() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    return _answer(Edited(principal.scope), SegmentForm(), [RuleInput()])


@pages.post("/segments/new")
def change_new() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    return _change(principal, Edited(principal.scope))


@pages.get("/segments/<uuid:segment_id>/edit")
def show_builder(segment_id: UUID) -> AnyResponse:
    scope = require(Permission.CONFIGURE).scope
    segment = queries.get_segment(scope, segment_id)
    edited = Edited(scope, segment)
    form = SegmentForm(
        data={
            "name": segment.name,
            "description": segment.description,
            "active": segment.active,
            "state": edited.state,
        }
    )
    return _answer(edited, form, inputs_of(edited.rules))


@pages.post("/segments/<uuid:segment_id>/edit")
def change(segment_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    return _change(
        principal, Edited(principal.scope, queries.get_segment(principal.scope, segment_id))
    )


def _change(principal: Principal, edited: Edited) -> AnyResponse:
    form, action = SegmentForm(request.form), request.form.get("do", "")
    rules = rearranged(read_rules(request.form), action)
    if action == "save":
        return _save(principal, edited, form, rules)
    only_tried()
    tried = None
    if action == "preview" or wanted_fragment() == PREVIEW:
        tried = _preview(edited, form, rules)
    return _answer(edited, form, rules, tried=tried)


def _preview(edited: Edited, form: SegmentForm, rules: Sequence[RuleInput]) -> Preview:
    whole = judged(edited.scope, rules, edited.stored)
    return preview(edited.scope, whole, edited.stored, is_active=form.active.data)


def _save(
    principal: Principal, edited: Edited, form: SegmentForm, rules: Sequence[RuleInput]
) -> AnyResponse:
    whole = judged(edited.scope, rules, edited.stored)
    is_valid = form.validate()
    if not is_valid or any(rule.errors for rule in whole):
        return _answer(edited, form, whole, status=UNPROCESSABLE_ENTITY)
    try:
        saved = service.save_segment(
            principal,
            edited.scope,
            edited.segment.segment_id if edited.segment else None,
            form.fields_of_segment(),
            drafts_of(whole, edited.stored),
            state=form.state.data or "",
            now=utc_now(),
        )
    except SegmentChangedError:
        return _answer_stale(edited, form, whole)
    except (InvalidError, ConflictError) as error:
        form.show(error)
        return _answer(edited, form, whole, status=UNPROCESSABLE_ENTITY)
    flash(f"“{saved.name}” is saved.", Tone.OK)
    return _leave_for(segment_path(saved.segment_id))


def _leave_for(url: str) -> AnyResponse:
    if not request.htmx:
        return redirect(url, 303)
    # htmx would follow a redirect and put the whole page where the form was.
    response = make_response("", 200)
    response.headers["HX-Redirect"] = url
    return response


def _answer_stale(edited: Edited, form: SegmentForm, rules: Sequence[RuleInput]) -> AnyResponse:
    """Say who was quicker and keep what was written; saved once more, it replaces theirs."""
    assert edited.segment is not None
    last = last_change(edited.segment, edited.rules)
    alert = Alert(
        f"This segment has changed since you opened it, last by {last.by} on"
        f" {Moment.of(last.at).text}. Nothing is saved yet: save again to replace it with what"
        " stands below, or",
        Tone.WARN,
        Link("drop your changes and see theirs.", edited.url),
    )
    form.state.data = edited.state
    return _answer(edited, form, rules, alert=alert, status=CONFLICT)


def _answer(
    edited: Edited,
    form: SegmentForm,
    rules: Sequence[RuleInput],
    *,
    tried: Preview | None = None,
    alert: Alert | None = None,
    status: int = 200,
) -> AnyResponse:
    wants_preview = wanted_fragment() == PREVIEW
    known = None if wants_preview else learn(edited.scope, rules)
    name = edited.segment.name if edited.segment else ""
    page = BuilderPage(
        title=f"Edit {name}" if name else "New segment",
        form=form,
        groups=show_rules(rules, known) if known else (),
        suggestions=known.suggestions if known else (),
        post_url=edited.url,
        cancel_url=edited.url.removesuffix("/edit") if edited.segment else SEGMENTS,
        can_add=has_room(rules),
        preview=tried,
        alert=alert,
    )
    response = render(
        "segments/builder.html", page=page, section=SEGMENTS, fragments=FRAGMENTS, status=status
    )
    if wanted_fragment() == FORM:
        response.headers["HX-Trigger"] = RULES_CHANGED
    return response
