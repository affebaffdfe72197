"""Triggers: the list of each kind, with what they look for and how often they have fired."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.triggers import TriggerKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.triggers import queries, service
from leadvibe.triggers.types import Trigger
from leadvibe.triggers.wording import name_of
from leadvibe.web.pages.display import Choice, Tone, counted
from leadvibe.web.pages.triggers import Example, TriggerRow, TriggersPage
from leadvibe.web.rendering import render
from leadvibe.web.trigger_facts import Facts, look_up
from leadvibe.web.trigger_paths import (
    HISTORY,
    ONE,
    TRIGGERS,
    history_path,
    list_path,
    new_path,
    trigger_path,
)
from leadvibe.web.trigger_words import (
    KIND_LABELS,
    say_filters,
    say_pace,
    say_recipients,
    say_shape,
)

FRAGMENTS = {"trigger-list": "triggers/_list.html"}
FIRED_WITHIN = timedelta(days=30)
EXAMPLES: Mapping[TriggerKind, Example] = {
    TriggerKind.MILESTONE: Example(
        icon="gauge",
        title="No milestones yet",
        text="A milestone fires when a lead's score reaches a number: “at 80 points, tell the"
        " lead's owner in Slack”, say.",
    ),
    TriggerKind.SEQUENCE: Example(
        icon="layers",
        title="No sequences yet",
        text="A sequence fires when a lead takes several steps within a time: “pricing_view, then"
        " demo_request within 2 days”, say.",
    ),
    TriggerKind.PATTERN: Example(
        icon="list-filter",
        title="No patterns yet",
        text="A pattern fires when a lead does enough of several things within a time: “page_view"
        " 5 times and email_click 2 times within 7 days”, say.",
    ),
    TriggerKind.SURGE: Example(
        icon="zap",
        title="No surges yet",
        text="A surge fires when a lead does a lot in a short time: “10 events within 15 minutes”,"
        " say.",
    ),
}

pages = Blueprint("triggers", __name__)


@pages.get("/triggers")
def show_triggers() -> AnyResponse:
    principal = require(Permission.READ)
    scope, kind = principal.scope, _kind()
    facts, can_edit = look_up(scope), can(principal, Permission.CONFIGURE)
    fired = queries.count_emitted(scope, kind, since=utc_now() - FIRED_WITHIN)
    page = TriggersPage(
        tabs=tuple(Choice(KIND_LABELS[it][1], it, it is kind, list_path(it)) for it in TriggerKind),
        kind=kind,
        triggers=tuple(
            _row(it, facts, fired.get(it.trigger_id, 0), can_edit=can_edit)
            for it in queries.list_triggers(scope, kind)
        ),
        example=EXAMPLES[kind],
        new_url=new_path(kind),
        history_url=HISTORY,
        can_edit=can_edit,
    )
    return render("triggers/page.html", page=page, section=TRIGGERS, fragments=FRAGMENTS)


@pages.post(f"{ONE}/active")
def switch(kind: str, trigger_id: UUID) -> AnyResponse:
    principal, wanted = require(Permission.CONFIGURE), request.form.get("active")
    if wanted not in {"0", "1"}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    changes, of_kind = {"active": wanted == "1"}, TriggerKind(kind)
    trigger = service.update_trigger(
        principal, principal.scope, of_kind, trigger_id, changes, now=utc_now()
    )
    flash(f"“{trigger.name}” is switched {'on' if trigger.active else 'off'}.", Tone.OK)
    return redirect(list_path(of_kind), 303)


@pages.post(f"{ONE}/delete")
def delete(kind: str, trigger_id: UUID) -> AnyResponse:
    scope, of_kind = require(Permission.CONFIGURE).scope, TriggerKind(kind)
    trigger = queries.get_trigger(scope, of_kind, trigger_id)
    service.delete_trigger(scope, of_kind, trigger_id)
    flash(f"“{trigger.name}” is deleted. Its history stays.", Tone.OK)
    return redirect(list_path(of_kind), 303)


def _kind() -> TriggerKind:
    text = request.args.get("kind", "")
    return TriggerKind(text) if text in set(TriggerKind) else TriggerKind.MILESTONE


def _row(trigger: Trigger, facts: Facts, fired: int, *, can_edit: bool) -> TriggerRow:
    kind, trigger_id = trigger.kind, trigger.trigger_id
    looks_for = say_shape(trigger.shape, facts.names)
    is_named = trigger.name != name_of(trigger.shape)
    return TriggerRow(
        id=str(trigger_id),
        name=trigger.name if is_named else looks_for,
        looks_for=looks_for if is_named else "",
        whom=say_filters(trigger.filters),
        told=say_recipients(trigger.recipients, facts.names),
        often=say_pace(trigger),
        fired=counted(fired, "time"),
        is_active=trigger.active,
        warnings=tuple(facts.warnings(trigger)),
        edit_url=trigger_path(kind, trigger_id) if can_edit else "",
        history_url=history_path(trigger_id=str(trigger_id)),
        switch_url=trigger_path(kind, trigger_id, "/active"),
        delete_url=trigger_path(kind, trigger_id, "/delete"),
    )
