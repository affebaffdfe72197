"""What the answers ask for, item by item. Pure; does not know what is there already."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.policies import DecayRule, FieldTest, VelocityFilter
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.engine.triggers import (
    Count,
    FireMode,
    Milestone,
    Pattern,
    Shape,
    TriggerKind,
    to_json,
)
from leadvibe.engine.triggers import Sequence as StepsInOrder
from leadvibe.engine.triggers import Step as SequenceStep
from leadvibe.quickstart.types import Answers, Body, Item, Part, Sensitivity
from leadvibe.scoring.condition_words import words_of_test
from leadvibe.scoring.templates import (
    TEMPLATES,
    Template,
    TemplateDecay,
    TemplateLevel,
    TemplateTest,
)
from leadvibe.scoring.wording import rate_of, words_of_decay

_NOBODY, _ONCE = UUID(int=0), datetime(2000, 1, 1, tzinfo=UTC)
"""Of rules that are only put into words."""

HOUR, DAY, WEEK = 3600, 86_400, 604_800
_ROUND = 5
"""Thresholds are multiples of it, for nobody believes in a level that begins at 37."""


class Manner(NamedTuple):
    """How a sensitivity bends a template."""

    thresholds_percent: int
    decay_percent: int
    surge_events: int


MANNERS = {
    Sensitivity.FEW: Manner(150, 150, 12),
    Sensitivity.BALANCED: Manner(100, 100, 8),
    Sensitivity.MANY: Manner(60, 50, 5),
}

_CHANNELS = (
    ("Email", ("email", "newsletter")),
    ("Webinars and events", ("webinar", "event_attended", "podcast")),
    ("Sales", ("demo", "meeting", "proposal", "contract", "marked", "call_", "deal_")),
    (
        "Product",
        ("trial", "product", "plan", "integration", "teammate", "onboarding", "report", "feature",
         "account_", "docs", "security_docs"),
    ),
)  # fmt: skip
OTHER_CHANNEL = "Website"
CHANNELS = (OTHER_CHANNEL, *(name for name, _ in _CHANNELS))

_SETBACK = re.compile(r"(?i)(?:^|[^a-z])(?:lost|cancell?ed|rejected|declined|refunded|bounced)$")
_SETBACK_WEIGHT = -10
_REASONS = {rule.event_type: rule for template in TEMPLATES for rule in template.rules}


def channel_of_type(event_type: str) -> str:
    """Return under which heading an event type is offered."""
    lowered = event_type.lower().replace("-", "_")
    found = (name for name, starts in _CHANNELS if lowered.startswith(starts))
    return next(found, OTHER_CHANNEL)


def is_setback(event_type: str) -> bool:
    """Whether a type that no template knows bears a name of what speaks against buying."""
    return event_type not in _REASONS and _SETBACK.search(event_type) is not None


def ladder(levels: Sequence[TemplateLevel], percent: int = 100) -> list[list[Any]]:
    """Return levels as name, first and last score, and colour; thresholds bent by a percentage."""
    starts = [_rounded(it.min_score, percent) for it in levels]
    ends = [*(start - 1 for start in starts[1:]), None]
    return [
        [it.name, start, end, it.color] for it, start, end in zip(levels, starts, ends, strict=True)
    ]


def wanted_items(
    template: Template, answers: Answers, ladders: Mapping[LevelKind, Any], config: Config
) -> Iterator[Item]:
    """Yield all items that the answers ask for, also those that are switched off.

    `ladders` are the levels that will stand afterwards: segments and triggers go by them.
    """
    manner = MANNERS[answers.sensitivity]
    yield from _rules(template, answers.event_types)
    yield from _tests(Part.FIT, template.fit)
    if config.policies.abm_enabled:
        yield from _tests(Part.ACCOUNT, template.accounts)
    yield from wanted_levels(template, answers, has_accounts=config.policies.abm_enabled)
    yield _decay(template.decays, manner)
    yield from _filters(answers.event_types)
    yield from _segments(ladders)
    yield from _triggers(answers.event_types, ladders, manner)


def wanted_levels(template: Template, answers: Answers, *, has_accounts: bool) -> Iterator[Item]:
    """Yield the levels, a kind at a time."""
    percent = MANNERS[answers.sensitivity].thresholds_percent
    for kind, levels in template.levels.items():
        if kind is LevelKind.ACCOUNT and not has_accounts:
            continue
        steps = ladder(levels, percent if kind is LevelKind.ENGAGEMENT else 100)
        yield Item(
            key=f"levels:{kind}",
            part=Part.LEVELS,
            title=f"{kind.value.capitalize()} levels",
            sentence=", ".join(f"{name} from {start}" for name, start, _, _ in steps) + ".",
            body={"levels": steps},
        )


def _rules(template: Template, event_types: Iterable[str]) -> Iterator[Item]:
    chosen = dict.fromkeys(event_types)
    known = {rule.event_type: rule for rule in template.rules}
    ordered = [*(it for it in known if it in chosen), *(it for it in chosen if it not in known)]
    for event_type in ordered:
        rule = known.get(event_type) or _REASONS.get(event_type)
        weight = _SETBACK_WEIGHT if is_setback(event_type) else 1
        yield Item(
            key=f"rule:{event_type}",
            part=Part.RULE,
            title=event_type,
            sentence=rule.reason + "." if rule else "Yours alone: say what it is worth to you.",
            body={"weight": rule.weight if rule else weight, "active": True},
        )


def _tests(part: Part, tests: Iterable[TemplateTest]) -> Iterator[Item]:
    for it in tests:
        words = words_of_test(it.test)
        yield Item(
            key=test_key(part, it.test),
            part=part,
            title=words,
            sentence=f"A {'lead' if part is Part.FIT else 'company'} that says so fits"
            f" {'better' if it.weight > 0 else 'worse'}.",
            body={"weight": it.weight, "test": [it.test.key, it.test.operator, it.test.value]},
        )


def test_key(part: Part, test: FieldTest) -> str:
    """Return the key of a rule about a property."""
    return f"{part}:{test.key} {test.operator} {json.dumps(test.value)}"


def _decay(decays: Iterable[TemplateDecay], manner: Manner) -> Item:
    bent = [
        it._replace(decrease=max(1, it.decrease * manner.decay_percent // 100)) for it in decays
    ]
    words = (words_of_decay(DecayRule(_NOBODY, *it, created_at=_ONCE)) for it in bent)
    return Item(
        key="decay",
        part=Part.DECAY,
        title="Decay",
        sentence=_sentence("; ".join(words)),
        body={"decays": [[it.inactive_for, it.unit.value, it.decrease] for it in bent]},
    )


def _filters(event_types: Sequence[str]) -> Iterator[Item]:
    for event_type in ("page_view", "email_opened", "email_clicked"):
        if event_type not in event_types:
            continue
        body = {"count_threshold": 20, "time_window_ms": 10_000, "group_events": True}
        rate = rate_of(VelocityFilter(_NOBODY, event_type, 20, 10_000, True))
        yield Item(
            key=f"filter:velocity {event_type}",
            part=Part.FILTER,
            title=f"Bursts of {event_type}",
            sentence=f"At most {rate} count.",
            body=body,
        )
    yield Item(
        key="filter:Robots",
        part=Part.FILTER,
        title="Robots",
        sentence="Events whose user_agent contains “bot” do not count.",
        body={"event_type": "", "conditions": [["user_agent", "contains", "bot"]], "enabled": True},
    )


def _segments(ladders: Mapping[LevelKind, Any]) -> Iterator[Item]:
    engagement, profile = ladders[LevelKind.ENGAGEMENT], ladders[LevelKind.PROFILE]
    if not engagement:
        return
    top, bottom = engagement[-1][0], engagement[0][0]
    fitting = [level[0] for level in profile[-2:]]
    yield _segment("Hottest leads", f"Everybody at level {top}.", _at("engagement_level", [top]))
    if fitting and len(engagement) > 1:
        names = " or ".join(fitting)
        warm = [level[0] for level in engagement[-2:]]
        yield _segment(
            "Ready and a good fit",
            f"At {' or '.join(warm)}, and a fit of {names}: call these first.",
            _at("engagement_level", warm), _at("profile_level", fitting),
        )  # fmt: skip
        yield _segment(
            "Good fit, still quiet",
            f"A fit of {names}, but still {bottom}: worth a campaign.",
            _at("profile_level", fitting), _at("engagement_level", [bottom]),
        )  # fmt: skip


def _segment(name: str, sentence: str, *rules: Body) -> Item:
    body = {"name": name, "description": sentence, "active": True, "rules": list(rules)}
    return Item(key=f"segment:{name}", part=Part.SEGMENT, title=name, sentence=sentence, body=body)


def _at(rule_type: str, names: list[str]) -> Body:
    return {
        "name": "", "rule_type": rule_type, "field": "", "operator": "in", "value": names,
        "event_type": "", "group": 0, "logic_op": "AND", "active": True,
    }  # fmt: skip


def _triggers(
    event_types: Sequence[str], ladders: Mapping[LevelKind, Any], manner: Manner
) -> Iterator[Item]:
    engagement = ladders[LevelKind.ENGAGEMENT]
    if engagement:
        name, start = engagement[-1][:2]
        words = f"Tells the lead's owner once, when the score reaches {start}."
        yield _trigger("reached", f"Became {name}", words, Milestone(start))
    words = f"Tells the owner of {manner.surge_events} events within an hour, once a day at most."
    yield _trigger("surge", "Sudden interest", words, _burst(manner.surge_events))
    asked = next((it for it in ("demo_request", "form_submit") if it in event_types), None)
    if asked and "pricing_page_view" in event_types:
        steps = (SequenceStep("pricing_page_view"), SequenceStep(asked))
        words = f"Tells the owner when {asked} follows pricing_page_view within a week."
        shape = StepsInOrder(steps, WEEK, ordered=True)
        yield _trigger("priced", "Looked at prices, then asked", words, shape)


def _burst(events: int) -> Pattern:
    """Not a surge trigger, for such a one cannot tell the owner."""
    return Pattern((Count(SequenceStep(), events),), HOUR)


def _trigger(key: str, name: str, sentence: str, shape: Shape) -> Item:
    """Return a trigger that tells the owner: once, or once a day where it may come again."""
    may_repeat = isinstance(shape, Pattern)
    body = {
        "kind": _KINDS[type(shape)].value,
        "name": name,
        "description": sentence,
        "active": True,
        "fire_mode": (FireMode.ALWAYS if may_repeat else FireMode.ONCE).value,
        "cooldown_seconds": DAY if may_repeat else 0,
        "shape": to_json(shape),
        "filters": None,
        "notify_owner": True,
    }
    return Item(key=f"trigger:{key}", part=Part.TRIGGER, title=name, sentence=sentence, body=body)


_KINDS: Mapping[type[Shape], TriggerKind] = {
    Milestone: TriggerKind.MILESTONE,
    StepsInOrder: TriggerKind.SEQUENCE,
    Pattern: TriggerKind.PATTERN,
}


def _rounded(score: int, percent: int) -> int:
    if percent == 100 or score == 0:  # noqa: PLR2004
        return score
    return max(_ROUND, round(score * percent / 100 / _ROUND) * _ROUND)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."
