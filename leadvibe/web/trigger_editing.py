"""Building a trigger: one form with all its steps and conditions, and a place to try it.

Without scripts every button sends the form and gets the page again; with them the form alone, and
what it says in words follows by itself while somebody types.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.triggers import TriggerKind
from leadvibe.http.auditing import only_tried
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import LeadvibeError
from leadvibe.triggers import queries, service
from leadvibe.triggers.errors import BadTriggerError, TriggerChangedError
from leadvibe.triggers.types import Trigger
from leadvibe.web import trigger_builder as builder
from leadvibe.web.delivery_paths import DELIVERIES
from leadvibe.web.forms.member_form import read_seen
from leadvibe.web.forms.triggers import FORMS, TriggerForm
from leadvibe.web.pages.display import Alert, Link, Moment, Tone, query_url
from leadvibe.web.pages.triggers import EditPage, Says, SlackPick, Trial
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.trigger_drafts import Draft, Edited, draft_of
from leadvibe.web.trigger_facts import Facts, look_up
from leadvibe.web.trigger_paths import KIND, ONE, TRIGGERS, history_path, trigger_path
from leadvibe.web.trigger_rows import (
    Errors,
    Rows,
    control_of,
    focus_after,
    read_rows,
    rearranged,
    without_blanks,
)
from leadvibe.web.trigger_trials import failed, tried, untried
from leadvibe.web.trigger_words import KIND_LABELS, say_whole

FORM, SAYS, TRIAL = "trigger-form", "trigger-says", "trigger-trial"
FRAGMENTS = {
    FORM: "triggers/_form.html",
    SAYS: "triggers/_says.html",
    TRIAL: "triggers/_trial.html",
}
ROWS_CHANGED = json.dumps({"rows-changed": {}})
"""What the words listen for, since a changed form does not tell them of removed rows."""

pages = Blueprint("trigger-editing", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The form as it was sent, and what came of it."""

    form: TriggerForm
    rows: Rows
    errors: Errors
    is_refused: bool = False
    draft: Draft | None
    """None for a form that nobody has touched."""
    focus: str = ""
    alert: Alert | None = None


@pages.get(f"/triggers/{KIND}/new")
def show_new(kind: str) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    return _show(Edited(principal.scope, TriggerKind(kind)))


@pages.post(f"/triggers/{KIND}/new")
def change_new(kind: str) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    return _change(principal, Edited(principal.scope, TriggerKind(kind)))


@pages.get(ONE)
def show_trigger(kind: str, trigger_id: UUID) -> AnyResponse:
    scope, of_kind = require(Permission.CONFIGURE).scope, TriggerKind(kind)
    return _show(Edited(scope, of_kind, queries.get_trigger(scope, of_kind, trigger_id)))


@pages.post(ONE)
def change(kind: str, trigger_id: UUID) -> AnyResponse:
    principal, of_kind = require(Permission.CONFIGURE), TriggerKind(kind)
    trigger = queries.get_trigger(principal.scope, of_kind, trigger_id)
    return _change(principal, Edited(principal.scope, of_kind, trigger))


@pages.get("/triggers/slack-channels")
def offer_channels() -> AnyResponse:
    """Ask Slack apart from the form, which must not wait for it."""
    scope = require(Permission.CONFIGURE).scope
    slack = builder.pick_channel(scope, request.args.get("chosen", ""))
    fragments = {"slack-target": "triggers/_slack.html"}
    page = SlackPick(slack=slack)
    return render("triggers/_slack.html", page=page, section=TRIGGERS, fragments=fragments)


def _show(edited: Edited) -> AnyResponse:
    draft = Draft(setup=edited.trigger) if edited.trigger else None
    attempt = Attempt(form=edited.form(), rows=edited.rows, errors={}, draft=draft)
    return _answer(edited, attempt)


def _change(principal: Principal, edited: Edited) -> AnyResponse:
    action = request.form.get("do", "")
    form, rows = FORMS[edited.kind](request.form), read_rows(request.form)
    if action == "save":
        return _save(principal, edited, form, without_blanks(rows))
    only_tried()
    rows = rearranged(rows, action)
    attempt = Attempt(
        form=form,
        rows=rows,
        errors={},
        draft=draft_of(edited, request.form),
        focus=focus_after(rows, action),
    )
    is_trial = action == "try" or wanted_fragment() == TRIAL
    return _answer(edited, attempt, trial=_try(edited, attempt) if is_trial else None)


def _try(edited: Edited, attempt: Attempt) -> Trial:
    assert attempt.draft is not None
    if attempt.draft.setup is None:
        return failed(request.form, f"It is not complete yet. {attempt.draft.missing[0]}")
    return tried(edited.scope, attempt.draft.setup, request.form)


def _save(principal: Principal, edited: Edited, form: TriggerForm, rows: Rows) -> AnyResponse:
    errors, is_valid = edited.judge_rows(rows), form.validate()
    draft = draft_of(edited, request.form)
    attempt = Attempt(form=form, rows=rows, errors=errors, is_refused=True, draft=draft)
    if errors or not is_valid:
        return _answer(edited, attempt, status=UNPROCESSABLE_ENTITY)
    try:
        saved = _store(principal, edited, form, rows)
    except TriggerChangedError:
        return _answer_stale(edited, attempt)
    except BadTriggerError as error:
        for field, problem in error.fields.items():
            _blame(attempt, control_of(field, rows), f"This {problem}.")
    except LeadvibeError as error:
        form.show(error)
    else:
        flash(f"“{saved.name}” is saved.", Tone.OK)
        return _leave_for(edited.list_url)
    return _answer(edited, attempt, status=UNPROCESSABLE_ENTITY)


def _store(principal: Principal, edited: Edited, form: TriggerForm, rows: Rows) -> Trigger:
    given, now = edited.read(form, rows), utc_now()
    if edited.trigger is None:
        return service.create_trigger(principal, edited.scope, edited.kind, given, now=now)
    return service.update_trigger(
        principal,
        edited.scope,
        edited.kind,
        edited.trigger.trigger_id,
        edited.changes(given),
        seen_at=read_seen(form.seen.data),
        now=now,
    )


def _blame(attempt: Attempt, control: str, problem: str) -> None:
    if control in attempt.form:
        field = attempt.form[control]
        field.errors = [*field.errors, problem]
    else:
        attempt.errors[control] = problem


def _leave_for(url: str) -> AnyResponse:
    if not request.htmx:
        return redirect(url, 303)
    # htmx would follow a redirect and put the whole page where the form was.
    response = make_response("", 200)
    response.headers["HX-Redirect"] = url
    return response


def _answer_stale(edited: Edited, attempt: Attempt) -> AnyResponse:
    """Say who was quicker and keep what was written; saved once more, it replaces theirs."""
    trigger = edited.trigger
    assert trigger is not None
    alert = Alert(
        f"This trigger has changed since you opened it, last by {trigger.updated_by} on"
        f" {Moment.of(trigger.updated_at).text}. Nothing is saved yet: save again to replace it"
        " with what stands below, or",
        Tone.WARN,
        Link("drop your changes and see theirs.", edited.url),
    )
    attempt.form.seen.data = trigger.updated_at.isoformat()
    stale = replace(attempt, errors={}, alert=alert)
    return _answer(edited, stale, status=CONFLICT)


def _answer(
    edited: Edited, attempt: Attempt, *, trial: Trial | None = None, status: int = 200
) -> AnyResponse:
    page = _page(edited, attempt, trial)
    response = render(
        "triggers/edit.html", page=page, section=TRIGGERS, fragments=FRAGMENTS, status=status
    )
    if wanted_fragment() == FORM:
        response.headers["HX-Trigger"] = ROWS_CHANGED
    return response


def _page(edited: Edited, attempt: Attempt, trial: Trial | None) -> EditPage:
    """Return the page or, for a fragment that is not the form, as much of it as that shows."""
    form, rows, wanted = attempt.form, attempt.rows, wanted_fragment()
    facts = look_up(edited.scope)
    label, plural = KIND_LABELS[edited.kind]
    name = edited.trigger.name if edited.trigger else ""
    is_whole = wanted not in {SAYS, TRIAL}
    can_add_step, can_add_condition = builder.has_room(edited.kind, rows)
    builder.offer_rulesets(form, facts)
    trigger_id = edited.trigger.trigger_id if edited.trigger else None
    return EditPage(
        title=f"Edit {name}" if name else f"New {label.lower()}",
        kind=edited.kind,
        form=form,
        steps=builder.show_steps(rows) if is_whole else (),
        conditions=builder.show_conditions(rows) if is_whole else (),
        can_add_step=can_add_step,
        can_add_condition=can_add_condition,
        levels=builder.list_levels(edited.scope, form, facts) if is_whole else (),
        channels=builder.list_channels(form, facts) if is_whole else None,
        slack=builder.slack_field(form, facts) if is_whole else None,
        suggestions=builder.list_suggestions(edited.scope, rows) if is_whole else (),
        errors=attempt.errors,
        focus=attempt.focus,
        is_refused=attempt.is_refused,
        nobody=facts.names.default_target,
        post_url=edited.url,
        list_url=edited.list_url,
        list_label=plural,
        history_url=history_path(trigger_id=str(trigger_id)) if trigger_id else "",
        deliveries_url=query_url(DELIVERIES, {"trigger_id": str(trigger_id)}) if trigger_id else "",
        copy_url=trigger_path(edited.kind, trigger_id, "/copy") if trigger_id else "",
        delete_url=trigger_path(edited.kind, trigger_id, "/delete") if trigger_id else "",
        says=_says(attempt.draft, facts),
        trial=trial or untried(request.form),
        alert=attempt.alert,
    )


def _says(draft: Draft | None, facts: Facts) -> Says:
    if draft is None:
        return Says()
    if draft.setup is None:
        return Says(missing=draft.missing)
    return Says(
        sentence=say_whole(draft.setup, facts.names), warnings=tuple(facts.warnings(draft.setup))
    )
