"""A trigger as it stands in its form: read, and held against what is stored.

What is not whole yet says what is missing; nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from werkzeug.datastructures import MultiDict

from leadvibe.engine.triggers import FireMode, Milestone, TriggerKind
from leadvibe.identity.types import Scope
from leadvibe.lib.errors import LeadvibeError
from leadvibe.triggers.service import draft_trigger, fields_of
from leadvibe.triggers.types import Setup, Trigger, WindowUnit
from leadvibe.web.forms.triggers import FORMS, SECONDS_IN, TriggerForm
from leadvibe.web.trigger_paths import list_path, new_path, trigger_path
from leadvibe.web.trigger_rows import (
    Errors,
    Rows,
    StepInput,
    counts_of,
    judged,
    lead_tests_of,
    read_rows,
    rows_of,
    steps_of,
    tests_in,
    without_blanks,
)

OF_RECIPIENTS = frozenset({
    "webhook_url", "emails", "slack_target_kind", "slack_target_id", "teams_target_id",
    "channel_ids", "email_subject", "email_preheader", "email_message",
})  # fmt: skip
"""Fields that only say who is told, and so do not keep a trigger from being tried."""
TICKED = frozenset({"engagement_levels", "profile_levels", "account_levels", "channel_ids"})
WITH_STEPS = frozenset({TriggerKind.SEQUENCE, TriggerKind.PATTERN})
NO_STEPS = "Add at least one step."


@dataclass(frozen=True)
class Edited:
    """The trigger that a form is about, as it is stored; none for a new one."""

    scope: Scope
    kind: TriggerKind
    trigger: Trigger | None = None

    @property
    def url(self) -> str:
        if self.trigger is None:
            return new_path(self.kind)
        return trigger_path(self.kind, self.trigger.trigger_id)

    @property
    def list_url(self) -> str:
        return list_path(self.kind)

    @cached_property
    def rows(self) -> Rows:
        if self.trigger is not None:
            return rows_of(self.trigger)
        first_steps = {TriggerKind.SEQUENCE: 2, TriggerKind.PATTERN: 1}.get(self.kind, 0)
        return Rows(steps=(StepInput(),) * first_steps)

    def form(self) -> TriggerForm:
        """Return the form before anybody typed."""
        if self.trigger is None:
            usual = FireMode.ALWAYS if self.kind is TriggerKind.SURGE else FireMode.ONCE
            return FORMS[self.kind](data={"fire_mode": usual.value})
        return FORMS[self.kind](data=_typed(self.trigger))

    def judge_rows(self, rows: Rows) -> Errors:
        errors = judged(rows, has_counts=self.kind is TriggerKind.PATTERN)
        if self.kind in WITH_STEPS and not rows.steps:
            errors["steps"] = NO_STEPS
        return errors

    def read(self, form: TriggerForm, rows: Rows) -> dict[str, Any]:
        """Return the fields of triggers.service, of a form and rows that are whole."""
        kept = tests_in(self.trigger)
        given = form.read() | lead_tests_of(rows, kept)
        if self.kind is TriggerKind.SEQUENCE:
            given["steps"] = steps_of(rows, kept)
        elif self.kind is TriggerKind.PATTERN:
            given["counts"] = counts_of(rows, kept)
        return given

    def changes(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what differs from what is stored: the rest is not judged again."""
        assert self.trigger is not None
        stored = fields_of(self.trigger)
        return {
            name: value
            for name, value in given.items()
            if stored[name] != value and not _is_reordered(name, stored[name], value)
        }


def _is_reordered(name: str, stored: Any, value: Any) -> bool:
    """Say whether boxes are ticked that were ticked: a form has them in an order of its own."""
    return name in TICKED and set(stored) == set(value)


def _typed(trigger: Trigger) -> dict[str, Any]:
    """Return what somebody would have typed to get this trigger."""
    typed = fields_of(trigger) | {
        "fire_mode": trigger.fire_mode.value,
        "emails": ", ".join(trigger.recipients.emails),
        "channel_ids": [str(it) for it in trigger.recipients.channel_ids],
        "seen": trigger.updated_at.isoformat(),
    }
    typed["cooldown"], typed["cooldown_unit"] = _split(trigger.cooldown_seconds)
    if trigger.cooldown_seconds == 0:
        typed["cooldown"] = None
    if isinstance(trigger.shape, Milestone):
        typed["ruleset_id"] = str(trigger.shape.ruleset_id or "")
    else:
        seconds = trigger.shape.window_seconds
        typed["window"], typed["window_unit"] = _split(seconds, trigger.window_unit)
    return typed


def _split(seconds: int, unit: str = WindowUnit.SECONDS) -> tuple[int, str]:
    """Say a span in a unit or, where that is seconds or does not fit, in the largest that does."""
    if unit != WindowUnit.SECONDS and seconds % SECONDS_IN[unit] == 0:
        return seconds // SECONDS_IN[unit], unit
    if seconds == 0:
        return 0, WindowUnit.DAYS
    fitting = [it for it in WindowUnit if seconds % SECONDS_IN[it] == 0]
    return seconds // SECONDS_IN[fitting[-1]], fitting[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The trigger, or why it is none yet."""

    setup: Setup | None = None
    missing: tuple[str, ...] = ()


def draft_of(edited: Edited, sent: MultiDict[str, str]) -> Draft:
    """Read a trigger that is sent, wherever its notices are to go."""
    form, rows = FORMS[edited.kind](sent), without_blanks(read_rows(sent))
    form.validate()
    missing = [*_problems(form), *edited.judge_rows(rows).values()]
    if missing:
        return Draft(missing=tuple(dict.fromkeys(missing)))
    try:
        setup = draft_trigger(edited.scope, edited.kind, edited.read(form, rows))
    except LeadvibeError as error:
        return Draft(missing=(error.message,))
    return Draft(setup=setup)


def _problems(form: TriggerForm) -> Iterator[str]:
    for name, errors in form.errors.items():
        if name not in OF_RECIPIENTS:
            yield from map(str, errors)
