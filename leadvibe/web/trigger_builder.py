"""The page that a trigger is built on: its rows as controls, with suggestions of what is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from leadvibe.engine.conditions import Operator
from leadvibe.engine.rules import LevelKind
from leadvibe.engine.triggers import TriggerKind
from leadvibe.events.queries import list_metadata_keys
from leadvibe.http.slack import slack_memory, slack_site
from leadvibe.identity.types import Scope
from leadvibe.leads import documents
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import LeadvibeError
from leadvibe.notifications.slack_workspace import offer_channels
from leadvibe.scoring.condition_words import OPERATOR_LABELS
from leadvibe.scoring.event_types import list_known_types
from leadvibe.scoring.queries import get_settings
from leadvibe.triggers.checks import MOST_STEPS, MOST_TESTS
from leadvibe.triggers.filtering import OWN_PROPERTIES
from leadvibe.web.forms.triggers import MilestoneForm, TriggerForm, choices_of
from leadvibe.web.pages.display import Choice, query_url
from leadvibe.web.pages.triggers import (
    CheckList,
    ConditionRow,
    SlackField,
    StepRow,
    Suggestions,
)
from leadvibe.web.trigger_facts import Facts
from leadvibe.web.trigger_paths import SLACK_CHANNELS
from leadvibe.web.trigger_rows import ANY_WORD, ConditionInput, Rows, StepInput

OFFERED = 300
"""Suggestions for one control: what else there is can be typed."""
TYPES_LOOKED_INTO = 5
"""Event types whose metadata is looked through for suggestions: each costs some milliseconds."""
EVENT_TYPES, LEAD_PROPERTIES = "event-types", "lead-properties"
_LEVELS = (
    ("engagement_levels", LevelKind.ENGAGEMENT, "Engagement level"),
    ("profile_levels", LevelKind.PROFILE, "Profile level"),
    ("account_levels", LevelKind.ACCOUNT, "Account level"),
)


def list_suggestions(scope: Scope, rows: Rows) -> tuple[Suggestions, ...]:
    types = [it.name for it in list_known_types(scope) if not it.hidden]
    own = [it for it in OWN_PROPERTIES if it != "lead_id"]
    suggestions = {
        EVENT_TYPES: types,
        LEAD_PROPERTIES: [*own, *documents.list_properties(scope, documents.LEAD)],
    }
    for name, id_ in _lists_of_types(rows).items():
        suggestions[id_] = list_metadata_keys(scope, name)
    return tuple(
        Suggestions(id=id_, values=tuple(dict.fromkeys(values))[:OFFERED])
        for id_, values in suggestions.items()
    )


def _lists_of_types(rows: Rows) -> dict[str, str]:
    """Return ids of the suggestions for an event's properties, by event type."""
    asked = dict.fromkeys(
        step.event_type
        for step in rows.steps
        if step.conditions and step.event_type not in {"", ANY_WORD}
    )
    return {name: f"event-properties-{n}" for n, name in enumerate([*asked][:TYPES_LOOKED_INTO])}


def show_steps(rows: Rows) -> tuple[StepRow, ...]:
    lists = _lists_of_types(rows)
    last = len(rows.steps) - 1
    return tuple(
        StepRow(
            number=number,
            label=f"Step {number + 1}",
            event_type=step.event_type,
            min_count=step.min_count,
            conditions=tuple(_conditions_of(step, number, lists)),
            can_move_up=number > 0,
            can_move_down=number < last,
            can_add=len(step.conditions) < MOST_TESTS,
        )
        for number, step in enumerate(rows.steps)
    )


def _conditions_of(step: StepInput, number: int, lists: dict[str, str]) -> Iterator[ConditionRow]:
    for place, condition in enumerate(step.conditions):
        yield _condition(
            condition,
            prefix=f"steps-{number}-conditions-{place}",
            label=f"condition {place + 1} of step {number + 1}",
            key_list=lists.get(step.event_type, ""),
            remove=f"remove-condition:{number}:{place}",
        )


def show_conditions(rows: Rows) -> tuple[ConditionRow, ...]:
    return tuple(
        _condition(
            condition,
            prefix=f"conditions-{place}",
            label=f"condition {place + 1}",
            key_list=LEAD_PROPERTIES,
            remove=f"remove-condition:{place}",
        )
        for place, condition in enumerate(rows.conditions)
    )


def _condition(
    condition: ConditionInput, *, prefix: str, label: str, key_list: str, remove: str
) -> ConditionRow:
    return ConditionRow(
        prefix=prefix,
        label=label,
        key=condition.key,
        operators=tuple(
            Choice(OPERATOR_LABELS[it], it, it is condition.operator) for it in Operator
        ),
        value=condition.value,
        has_value=condition.needs_value,
        is_of_profile=condition.is_of_profile,
        key_list=key_list,
        remove=remove,
    )


def has_room(kind: TriggerKind, rows: Rows) -> tuple[bool, bool]:
    """Say whether there may be one more step, and one more condition."""
    has_steps = kind in {TriggerKind.SEQUENCE, TriggerKind.PATTERN}
    return has_steps and len(rows.steps) < MOST_STEPS, len(rows.conditions) < MOST_TESTS


def list_levels(scope: Scope, form: TriggerForm, facts: Facts) -> tuple[CheckList, ...]:
    """Return the levels to choose from; those that were chosen and are gone can be taken off."""
    has_accounts = get_settings(scope).abm_enabled
    found = []
    for name, kind, label in _LEVELS:
        chosen = form[name].data or ()
        if kind is LevelKind.ACCOUNT and not (has_accounts or chosen):
            continue
        known = dict.fromkeys([*facts.level_names(kind), *chosen])
        found.append(CheckList(name=name, label=label, choices=_choices(known, known, chosen)))
    return tuple(found)


def list_channels(form: TriggerForm, facts: Facts) -> CheckList | None:
    """Return the notification channels to choose from; None where there are none."""
    chosen = form.channel_ids.data or ()
    known = {str(it): name for it, name in facts.names.channels.items()}
    known |= {it: "A deleted channel" for it in chosen if it not in known}
    if not known:
        return None
    choices = _choices(known, known.values(), chosen)
    return CheckList(name="channel_ids", label="Notification channels", choices=choices)


def _choices(
    values: Iterable[str], labels: Iterable[str], chosen: Sequence[str]
) -> tuple[Choice, ...]:
    return tuple(
        Choice(label, value, value in chosen) for value, label in zip(values, labels, strict=True)
    )


def offer_rulesets(form: TriggerForm, facts: Facts) -> None:
    """Give the form of a milestone the rulesets to choose from."""
    if not isinstance(form, MilestoneForm):
        return
    primary = (
        f"The primary one, {facts.names.primary}" if facts.names.primary else "The primary one"
    )
    labels = {"": primary} | {str(it.ruleset_id): it.name for it in facts.rulesets}
    labels.setdefault(form.ruleset_id.data or "", "A deleted ruleset")
    form.ruleset_id.choices = choices_of(labels)


def slack_field(form: TriggerForm, facts: Facts) -> SlackField:
    target, is_person = form.slack_target_id.data or "", form.slack_target_kind.data == "user"
    if not facts.is_in_slack:
        return SlackField(target_id=target, hint="Slack is not connected yet: see Integrations.")
    problem = " ".join(map(str, form.slack_target_id.errors))
    hint = "The person's member ID, such as U0123ABCD." if is_person else "Such as C0123ABCD."
    pick_url = "" if is_person or problem else query_url(SLACK_CHANNELS, {"chosen": target})
    return SlackField(target_id=target, pick_url=pick_url, problem=problem, hint=hint)


def pick_channel(scope: Scope, chosen: str) -> SlackField:
    """Ask Slack for its channels, which may take seconds."""
    try:
        channels = offer_channels(scope, slack_site(), broker=slack_memory(), now=utc_now())
    except LeadvibeError as error:
        return SlackField(target_id=chosen, problem=error.message, hint="Such as C0123ABCD.")
    known = {"": "No channel", **{id_: f"#{name}" for id_, name in channels.items()}}
    known.setdefault(chosen, chosen)
    hint = "Private channels are listed once the app is invited there."
    choices = _choices(known, known.values(), (chosen,))
    return SlackField(target_id=chosen, choices=choices, hint=hint)
