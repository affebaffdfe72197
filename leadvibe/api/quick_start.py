"""A quick start: from a few answers to a whole way of scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.quickstart import service
from leadvibe.quickstart.types import MAX_WEIGHT, Answers, Part, Plan, Sensitivity, Standing

MOST_TYPES, MOST_ITEMS = 200, 500
LONGEST_TYPE, LONGEST_KEY = 255, 500

_Key = Annotated[str, Field(max_length=LONGEST_KEY)]


class QuickStartAnswers(BaseModel):
    """The answers; the plan shows the keys of the items that `off` and `weights` name."""

    industry: str = Field(
        description="`saas`, `product-led`, `content` or `enterprise-abm`.", max_length=40
    )
    event_types: list[Annotated[str, Field(min_length=1, max_length=LONGEST_TYPE)]] = Field(
        [], description="Those that get a rule.", max_length=MOST_TYPES
    )
    sensitivity: Sensitivity = Field(
        Sensitivity.BALANCED, description="How easily a lead is called hot."
    )
    off: list[_Key] = Field([], description="Items not to make.", max_length=MOST_ITEMS)
    weights: dict[_Key, Annotated[StrictInt, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT)]] = Field(
        {}, description="Points instead of those proposed.", max_length=MOST_ITEMS
    )

    def to_answers(self) -> Answers:
        return Answers(
            industry=self.industry,
            event_types=tuple(self.event_types),
            sensitivity=self.sensitivity,
            off=frozenset(self.off),
            weights=self.weights,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickStartItem:
    """One thing, and what applying does about it; `weight` where it has one."""

    key: str
    part: Part
    title: str
    sentence: str
    weight: int | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickStartPlan:
    added: int
    changed: int
    removed: int
    items: list[QuickStartItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickStartApplied(QuickStartPlan):
    """What was done; `version` is that of the configuration now."""

    version: int


def plan_quick_start(principal: Principal, body: QuickStartAnswers) -> QuickStartPlan:
    """What applying these answers would do now; nothing is changed."""
    planned = service.plan_quick_start(principal.scope, body.to_answers())
    return QuickStartPlan(
        added=planned.count(Standing.ADD),
        changed=planned.count(Standing.CHANGE),
        removed=planned.count(Standing.REMOVE),
        items=_items(planned),
    )


def apply_quick_start(principal: Principal, body: QuickStartAnswers) -> QuickStartApplied:
    """Make what the answers ask for, as one version of the configuration.

    Applied again it makes nothing twice: only what a quick start made and nobody has edited since
    is changed or removed.
    """
    applied = service.apply_quick_start(
        principal, principal.scope, body.to_answers(), now=utc_now()
    )
    planned = applied.plan
    return QuickStartApplied(
        added=planned.count(Standing.ADD),
        changed=planned.count(Standing.CHANGE),
        removed=planned.count(Standing.REMOVE),
        items=_items(planned),
        version=applied.version,
    )


def _items(planned: Plan) -> list[QuickStartItem]:
    return [
        QuickStartItem(
            key=step.item.key,
            part=step.item.part,
            title=step.item.title,
            sentence=step.item.sentence,
            weight=step.item.weight,
            standing=step.standing,
        )
        for step in planned.steps
    ]
