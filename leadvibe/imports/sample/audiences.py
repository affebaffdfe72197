"""Segments and triggers that the sample year comes with, so that its pages have something to show.

The triggers' webhook can lead nowhere: names that end in .invalid are no addresses (RFC 6761).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from leadvibe.engine.conditions import Joiner
from leadvibe.engine.triggers import Count, FireMode, Step, TriggerKind
from leadvibe.segments.types import RuleDraft, RuleType

NOWHERE = "https://example.invalid/leadvibe"
_MINUTE, _DAY = 60, 24 * 60 * 60
_NOTE = "Sample: its webhook leads nowhere. Name who should be told."


class SampleSegment(NamedTuple):
    name: str
    description: str
    rules: tuple[RuleDraft, ...]


class SampleTrigger(NamedTuple):
    kind: TriggerKind
    fields: dict[str, Any]


def _lead(field: str, operator: str, value: Any, *, order: int, **more: Any) -> RuleDraft:
    return RuleDraft(
        rule_type=RuleType.LEAD_METADATA,
        field=field,
        operator=operator,
        value=value,
        order=order,
        **more,
    )


def _event(event_type: str, field: str, operator: str, value: Any, *, order: int) -> RuleDraft:
    return RuleDraft(
        rule_type=RuleType.EVENT_METADATA,
        event_type=event_type,
        field=field,
        operator=operator,
        value=value,
        order=order,
    )


SAMPLE_SEGMENTS = (
    SampleSegment(
        "Decision makers who warm up",
        "Directors and above who are at least warm.",
        (
            _lead("title", "contains", "Director", order=0),
            _lead("title", "contains", "VP", order=1, logic_op=Joiner.OR),
            _lead("title", "contains", "Chief", order=2, logic_op=Joiner.OR),
            RuleDraft(
                rule_type=RuleType.ENGAGEMENT_LEVEL,
                operator="in",
                value=["Warm", "Hot", "Very Hot"],
                group=1,
                order=0,
            ),
        ),
    ),
    SampleSegment(
        "Studied the prices",
        "Whoever stayed on the pricing page for a minute or more.",
        (_event("pricing_page_view", "duration_seconds", "gte", 60, order=0),),
    ),
    SampleSegment(
        "Trials in Europe",
        "Signed up for a trial, from one of our European markets.",
        (
            _event("trial_signup", "channel", "exists", None, order=0),
            _lead(
                "country",
                "in",
                ["Germany", "France", "Netherlands", "United Kingdom", "Spain"],
                order=1,
            ),
        ),
    ),
)

SAMPLE_TRIGGERS = (
    SampleTrigger(
        TriggerKind.MILESTONE,
        {"name": "Ready for sales", "score_threshold": 200},
    ),
    SampleTrigger(
        TriggerKind.SEQUENCE,
        {
            "name": "From prices to a demo",
            "steps": (Step("pricing_page_view"), Step("demo_request")),
            "ordered": True,
            "window_seconds": 7 * _DAY,
            "window_unit": "days",
        },
    ),
    SampleTrigger(
        TriggerKind.PATTERN,
        {
            "name": "Reads up on us",
            "counts": (Count(Step("docs_view"), 5), Count(Step("pricing_page_view"), 2)),
            "window_seconds": 14 * _DAY,
            "window_unit": "days",
        },
    ),
    SampleTrigger(
        TriggerKind.SURGE,
        {
            "name": "All over the site",
            "threshold_count": 15,
            "window_seconds": 60 * _MINUTE,
            "window_unit": "minutes",
            "fire_mode": FireMode.ALWAYS,
            "cooldown_seconds": _DAY,
        },
    ),
)
"""One of each kind; their fields as triggers.service calls them."""

TOLD: dict[str, Any] = {"description": _NOTE, "webhook_url": NOWHERE}
