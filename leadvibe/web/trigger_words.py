"""Triggers in words: what each looks for, for whom, how often, and who is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from leadvibe.engine.conditions import ConditionError, Operator, parse_operator
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.triggers import (
    ANY_TYPE,
    Filters,
    FireMode,
    Milestone,
    Pattern,
    Sequence,
    Shape,
    Step,
    TriggerKind,
)
from leadvibe.scoring.condition_words import OPERATOR_LABELS, spell
from leadvibe.triggers.firings import spell_window
from leadvibe.triggers.types import Recipients, Setup
from leadvibe.web.pages.display import counted, thousands

WITHOUT_VALUE = frozenset({Operator.EXISTS, Operator.NOT_EXISTS})
KIND_LABELS: Mapping[TriggerKind, tuple[str, str]] = {
    TriggerKind.MILESTONE: ("Milestone", "Milestones"),
    TriggerKind.SEQUENCE: ("Sequence", "Sequences"),
    TriggerKind.PATTERN: ("Pattern", "Patterns"),
    TriggerKind.SURGE: ("Surge", "Surges"),
}
DELETED_RULESET = "a deleted ruleset"
ADDRESSES_NAMED = 2
"""E-mail addresses that are spelled out; more are counted."""
ANYTHING = "anything"
"""What a step of any type looks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the things are called that triggers name by their ids."""

    rulesets: Mapping[UUID, str] = field(default_factory=dict)
    primary: str = ""
    channels: Mapping[UUID, str] = field(default_factory=dict)
    default_target: str = ""
    """Where notices go that name no destination; empty for nowhere."""


def say_whole(setup: Setup, names: Names) -> str:
    """Restate a trigger as one sentence."""
    whom = say_filters(setup.filters)
    subject = "a lead's score" if isinstance(setup.shape, Milestone) else "a lead does"
    looks_for = say_shape(setup.shape, names)
    what = looks_for.removeprefix("Score ") if isinstance(setup.shape, Milestone) else looks_for
    only = f", and {whom}" if whom else ""
    often = say_pace(setup)
    told = say_recipients(setup.recipients, names) or "nobody yet"
    return f"When {subject} {what}{only}, tell {told}: {often[0].lower()}{often[1:]}."


def say_shape(shape: Shape, names: Names) -> str:
    """Say what a trigger looks for: "pricing_view, then demo_request within 2 days"."""
    if isinstance(shape, Milestone):
        ruleset = names.primary
        if shape.ruleset_id:
            ruleset = names.rulesets.get(shape.ruleset_id, DELETED_RULESET)
        through = f"through {shape.event_type}" if shape.event_type else "on any event"
        within = f" in {ruleset}" if ruleset else ""
        return f"Score reaches {thousands(shape.score_threshold)}{within} {through}"
    window = f"within {spell_window(shape.window_seconds)}"
    if isinstance(shape, Sequence):
        if shape.ordered:
            return f"{', then '.join(map(_step, shape.steps))} {window}"
        any_order = ", in any order," if len(shape.steps) > 1 else ""
        return f"{_listed(map(_step, shape.steps))}{any_order} {window}"
    if isinstance(shape, Pattern):
        return f"{_listed(_times(it.step, it.min_count) for it in shape.counts)} {window}"
    return f"{_times(Step(shape.event_type), shape.threshold_count)} {window}"


def _times(step: Step, count: int) -> str:
    return f"{_step(step)} {thousands(count)} times" if count > 1 else _step(step)


def _step(step: Step) -> str:
    name = ANYTHING if step.event_type == ANY_TYPE else step.event_type
    tests = " and ".join(map(say_test, step.tests))
    return f"{name} ({tests})" if tests else name


def say_test(test: FieldTest) -> str:
    try:
        operator = parse_operator(test.operator)
    except ConditionError:
        return f"{test.key} {test.operator} {spell(test.value)}"
    words = f"{test.key} {OPERATOR_LABELS[operator]}"
    return words if operator in WITHOUT_VALUE else f"{words} {spell(test.value)}"


def say_filters(filters: Filters) -> str:
    """Say for whom a trigger fires; empty for everybody."""
    levels = (
        ("engagement level", filters.engagement_levels),
        ("profile level", filters.profile_levels),
        ("account level", filters.account_levels),
    )
    parts = [f"{noun} is {' or '.join(names)}" for noun, names in levels if names]
    tests = map(say_test, (*filters.profile_tests, *filters.attribute_tests))
    return _listed([*parts, *tests])


def say_pace(setup: Setup) -> str:
    """Say how often it fires for one lead."""
    if setup.fire_mode is FireMode.ONCE:
        return "Once per lead"
    rest = spell_window(setup.cooldown_seconds) if setup.cooldown_seconds else ""
    return f"Each time, at most once in {rest}" if rest else "Each time"


def say_recipients(told: Recipients, names: Names) -> str:
    """Say who is told, in short; empty for nobody."""
    if told.are_none:
        return names.default_target
    return _listed(_recipients(told, names))


def _recipients(told: Recipients, names: Names) -> Iterator[str]:
    if told.webhook_url:
        yield f"the webhook at {_host(told.webhook_url)}"
    if len(told.emails) <= ADDRESSES_NAMED:
        yield from told.emails
    else:
        yield counted(len(told.emails), "e-mail address", "e-mail addresses")
    if told.slack_target_id:
        is_person = told.slack_target_kind == "user"
        yield f"Slack {'person' if is_person else 'channel'} {told.slack_target_id}"
    if told.teams_target_id:
        yield "Teams"
    if told.hubspot_sync:
        yield "HubSpot"
    for channel_id in told.channel_ids:
        yield names.channels.get(channel_id, "a deleted channel")
    if told.notify_owner:
        yield "the lead's owner"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _listed(parts: Iterable[str]) -> str:
    *others, last = [*parts] or [""]
    return f"{', '.join(others)} and {last}" if others else last
