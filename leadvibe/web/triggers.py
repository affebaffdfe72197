"""Triggers: the list of each kind, with what they look for and how often they have fired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.triggers import TriggerKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.triggers import queries, service
from leadvibe.triggers.types import Fired, Trigger
from leadvibe.triggers.wording import name_of
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Choice, Moment, Tone, counted
from leadvibe.web.pages.notices import Undo
from leadvibe.web.pages.triggers import Health, KindCard, TriggerRow, TriggersPage
from leadvibe.web.rendering import render
from leadvibe.web.trigger_facts import Facts, look_up
from leadvibe.web.trigger_health import examine
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
    ANYTHING,
    KIND_LABELS,
    say_filters,
    say_pace,
    say_recipients,
    say_shape,
)

FRAGMENTS = {"trigger-list": "triggers/_list.html"}
FIRED_WITHIN = timedelta(days=7)
KINDS: Mapping[TriggerKind, tuple[str, str]] = {
    TriggerKind.MILESTONE: (
        "gauge",
        (
            "Fires when a lead's score reaches a number: “at 80 points, tell the lead's owner in"
            " Slack”, say."
        ),
    ),
    TriggerKind.SEQUENCE: (
        "layers",
        (
            "Fires when a lead takes several steps within a time: “pricing_view, then demo_request"
            " within 2 days”, say."
        ),
    ),
    TriggerKind.PATTERN: (
        "list-filter",
        (
            "Fires when a lead does enough of several things within a time: “page_view 5 times and"
            " email_click 2 times within 7 days”, say."
        ),
    ),
    TriggerKind.SURGE: (
        "zap",
        "Fires when a lead does a lot in a short time: “10 events within 15 minutes”, say.",
    ),
}
"""The icon of each kind, and what it is good for."""

pages = Blueprint("triggers", __name__)


@pages.get("/triggers")
def show_triggers() -> AnyResponse:
    principal, kind = require(Permission.READ), _kind(request.args.get("kind", ""))
    triggers = queries.list_triggers(principal.scope, kind)
    page = TriggersPage(
        tabs=tuple(_tabs(kind)),
        kind=kind or "",
        kinds=tuple(_card(it) for it in TriggerKind if kind in {it, None}),
        triggers=tuple(_rows(principal, triggers, kind)),
        history_url=HISTORY,
        can_edit=can(principal, Permission.CONFIGURE),
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
    back = {"active": "0" if trigger.active else "1"}
    say(
        f"“{trigger.name}” is {'active again' if trigger.active else 'paused'}.",
        undo=Undo(url=request.full_path.rstrip("?"), fields=back),
    )
    return redirect(_where_from(of_kind), 303)


@pages.post(f"{ONE}/copy")
def copy(kind: str, trigger_id: UUID) -> AnyResponse:
    principal, of_kind = require(Permission.CONFIGURE), TriggerKind(kind)
    made = service.copy_trigger(principal, principal.scope, of_kind, trigger_id, now=utc_now())
    flash(f"This is a copy, called “{made.name}”. It is paused until you make it active.", Tone.OK)
    return redirect(trigger_path(of_kind, made.trigger_id), 303)


@pages.post(f"{ONE}/delete")
def delete(kind: str, trigger_id: UUID) -> AnyResponse:
    scope, of_kind = require(Permission.CONFIGURE).scope, TriggerKind(kind)
    trigger = queries.get_trigger(scope, of_kind, trigger_id)
    service.delete_trigger(scope, of_kind, trigger_id)
    flash(f"“{trigger.name}” is deleted. Its history stays.", Tone.OK)
    return redirect(_where_from(of_kind), 303)


def _where_from(kind: TriggerKind) -> str:
    """Lead back to the list of all, where somebody came from there."""
    return list_path(None if request.args.get("list") == "all" else kind)


def _kind(text: str) -> TriggerKind | None:
    return TriggerKind(text) if text in set(TriggerKind) else None


def _tabs(kind: TriggerKind | None) -> Iterator[Choice]:
    yield Choice("All", "", kind is None, list_path(None))
    for it in TriggerKind:
        yield Choice(KIND_LABELS[it][1], it, it is kind, list_path(it))


def _card(kind: TriggerKind) -> KindCard:
    label, plural = KIND_LABELS[kind]
    icon, text = KINDS[kind]
    return KindCard(
        icon=icon,
        label=label,
        none=f"No {plural.lower()} yet",
        text=text,
        new_url=new_path(kind),
    )


def _rows(
    principal: Principal, triggers: Sequence[Trigger], kind: TriggerKind | None
) -> Iterator[TriggerRow]:
    scope, now = principal.scope, utc_now()
    facts, health = look_up(scope), examine(scope, triggers, now=now)
    fired = queries.summarize_firings(scope, kind, since=now - FIRED_WITHIN)
    for trigger in triggers:
        row = _row(trigger, facts, fired.get(trigger.trigger_id, Fired(None, 0)))
        yield replace(
            row,
            kind="" if kind else row.kind,
            health=health[trigger.trigger_id],
            edit_url=row.edit_url if can(principal, Permission.CONFIGURE) else "",
        )


def _headed(looks_for: str) -> str:
    """Begin with a capital letter, unless an event type does: that stays as it is sent."""
    is_word = looks_for.startswith(f"{ANYTHING} ")
    return f"{looks_for[0].upper()}{looks_for[1:]}" if is_word else looks_for


def _row(trigger: Trigger, facts: Facts, fired: Fired) -> TriggerRow:
    kind, trigger_id = trigger.kind, trigger.trigger_id
    looks_for = say_shape(trigger.shape, facts.names)
    is_named = trigger.name != name_of(trigger.shape)
    return TriggerRow(
        id=str(trigger_id),
        name=trigger.name if is_named else _headed(looks_for),
        kind=KIND_LABELS[kind][0],
        icon=KINDS[kind][0],
        looks_for=_headed(looks_for) if is_named else "",
        whom=say_filters(trigger.filters),
        told=say_recipients(trigger.recipients, facts.names),
        health=Health(),
        often=say_pace(trigger),
        last_fired=Moment.of(fired.last_at) if fired.last_at else None,
        fired=counted(fired.times, "time") if fired.times else "",
        is_active=trigger.active,
        warnings=tuple(facts.warnings(trigger)),
        edit_url=trigger_path(kind, trigger_id),
        history_url=history_path(trigger_id=str(trigger_id)),
        switch_url=trigger_path(kind, trigger_id, "/active"),
        copy_url=trigger_path(kind, trigger_id, "/copy"),
        delete_url=trigger_path(kind, trigger_id, "/delete"),
    )
