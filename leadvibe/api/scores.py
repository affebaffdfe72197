"""Scores of leads, and the reasons behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.fields import Text
from leadvibe.api.leads import Scores
from leadvibe.engine.explain import Driver, RuleInForce, Step, SurgeBoost
from leadvibe.engine.facts import Entry
from leadvibe.explain.queries import explain_recent
from leadvibe.explain.types import RecentExplanation
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import queries as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.types import Ruleset

PRIMARY = "primary"
MOST_LEADS = 500
DEFAULT_HOURS = 24
MOST_HOURS = 1_000_000  # more than a century: every event there is


class ScoresWanted(BaseModel):
    """Leads whose scores are asked for."""

    lead_ids: list[ShortText] = Field(
        min_length=1, max_length=MOST_LEADS, description="Ids of leads; unknown ones are left out."
    )
    ruleset: Text = Field(PRIMARY, description="'primary', or the id or name of a ruleset.")


class ScoreQuery(BaseModel):
    """In which ruleset the score is asked for."""

    ruleset_id: UUID | None = Field(
        None, description="Id of a ruleset; without it the highest score of all active ones."
    )


class ExplainQuery(BaseModel):
    """How far back to explain."""

    hours: int = Field(DEFAULT_HOURS, ge=1, le=MOST_HOURS, description="The last so many hours.")


@dataclass(frozen=True, slots=True)
class LeadScoreItem:
    lead_id: str
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadScoreDetail:
    """A lead's score; `ruleset_id` is the one it is of, empty when none has scored the lead."""

    lead_id: str
    score: int
    ruleset_id: str
    engagement_scores: dict[str, int]
    profile_scores: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverItem:
    """What one event type did to the score; rule and weight are those of its newest event."""

    event_type: str
    total: int
    count: int
    rule_id: UUID | None
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWeight:
    """What an event of a type is worth now, in one ruleset."""

    event_type: str
    weight: int
    rule_id: UUID
    ruleset_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostItem:
    """What a multiplier added for one event type: `boost` points above the `base` weights."""

    event_type: str
    base: int
    multiplier: float
    boost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryItem:
    """One line of the ledger: `after` is `before` plus `delta`."""

    seq: int
    event_id: UUID
    rule_id: UUID | None
    version: int
    kind: str
    weight: int
    multiplier: float
    before: int
    delta: int
    after: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepItem:
    """One bar of the waterfall that ends in the score, with the ledger lines that it sums."""

    label: str
    kind: str
    delta: int
    running_total: int
    entries: list[EntryItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReasons:
    """Why the score is what it is. `waterfall` begins with what was brought forward."""

    lead_id: str
    score: int
    ruleset_id: str
    top_drivers: list[DriverItem]
    snapshot: list[RuleWeight]
    surge_boost: list[BoostItem]
    surge_total: int
    surge_event_count: int
    decay_applied: int
    range_hours: int
    waterfall: list[StepItem]


def list_scores(principal: Principal, body: ScoresWanted) -> list[LeadScoreItem]:
    """Scores of many leads, in the primary ruleset unless another is named; 0 without one."""
    scope = principal.scope
    ruleset = _named_ruleset(scope, body.ruleset)
    targets = leads.merge_targets(scope, set(body.lead_ids))
    scores: dict[str, int] = {}
    if ruleset is not None:
        found = scoring.list_scores(scope, set(targets.values()), ruleset_id=ruleset.ruleset_id)
        scores = {it.lead_id: it.score for it in found}
    return [
        LeadScoreItem(lead_id, scores.get(targets[lead_id], 0))
        for lead_id in dict.fromkeys(body.lead_ids)
        if lead_id in targets
    ]


def get_score(principal: Principal, lead_id: str, query: ScoreQuery) -> LeadScoreDetail:
    """The lead's score in a ruleset, or its highest across the active ones."""
    scope = principal.scope
    lead = leads.get_lead(scope, lead_id)
    scores = Scores(scope)
    by_ruleset = scores.by_lead([lead.lead_id]).get(lead.lead_id, {})
    ruleset_id, score = _asked_score(scope, query, scores, by_ruleset)
    return LeadScoreDetail(
        lead_id=lead.lead_id,
        score=score,
        ruleset_id=ruleset_id,
        engagement_scores=by_ruleset,
        profile_scores={},
    )


def explain(principal: Principal, lead_id: str, query: ExplainQuery) -> ScoreReasons:
    """Which events gave which points during the last hours, down to the ledger."""
    scope = principal.scope
    lead = leads.get_lead(scope, lead_id)
    found = explain_recent(scope, lead, hours=query.hours, now=utc_now())
    return _reasons(lead.lead_id, found)


def _named_ruleset(scope: Scope, name: str) -> Ruleset | None:
    """Return the ruleset that is meant, None for the primary when there is none."""
    for ruleset in scoring.list_rulesets(scope):
        if name == PRIMARY and ruleset.is_primary:
            return ruleset
        if name in {ruleset.name, str(ruleset.ruleset_id)}:
            return ruleset
    if name == PRIMARY:
        return None
    raise InvalidError(
        f"There is no ruleset '{name}' in this unit: give its id or name, or leave it out.",
        fields={"ruleset": "names no ruleset of this unit"},
    )


def _asked_score(
    scope: Scope, query: ScoreQuery, scores: Scores, by_ruleset: dict[str, int]
) -> tuple[str, int]:
    if query.ruleset_id is not None:
        ruleset_id = str(scoring.get_ruleset(scope, query.ruleset_id).ruleset_id)
        return ruleset_id, by_ruleset.get(ruleset_id, 0)
    active = (
        (score, ruleset_id)
        for ruleset_id, score in by_ruleset.items()
        if scores.rulesets[ruleset_id].active
    )
    score, ruleset_id = max(active, default=(0, ""))
    return ruleset_id, score


def _reasons(lead_id: str, found: RecentExplanation) -> ScoreReasons:
    recent = found.recent
    return ScoreReasons(
        lead_id=lead_id,
        score=found.score,
        ruleset_id=str(found.ruleset_id or ""),
        top_drivers=[_driver(driver) for driver in recent.top_drivers],
        snapshot=[_rule_weight(rule) for rule in found.rules_in_force],
        surge_boost=[_boost(boost) for boost in recent.surge_boosts],
        surge_total=recent.surge_total,
        surge_event_count=recent.surge_event_count,
        decay_applied=recent.decay_applied,
        range_hours=recent.range_hours,
        waterfall=list(_steps(found.steps)),
    )


def _driver(driver: Driver) -> DriverItem:
    return DriverItem(
        event_type=driver.event_type,
        total=driver.total,
        count=driver.count,
        rule_id=driver.rule_id,
        weight=driver.weight,
    )


def _rule_weight(rule: RuleInForce) -> RuleWeight:
    return RuleWeight(
        event_type=rule.event_type,
        weight=rule.weight,
        rule_id=rule.rule_id,
        ruleset_id=rule.ruleset_id,
    )


def _boost(boost: SurgeBoost) -> BoostItem:
    return BoostItem(
        event_type=boost.event_type,
        base=boost.base,
        multiplier=boost.multiplier_percent / 100,
        boost=boost.boost,
    )


def _steps(steps: Sequence[Step]) -> Iterator[StepItem]:
    for step in steps:
        yield StepItem(
            label=step.label,
            kind=step.kind,
            delta=step.delta,
            running_total=step.running_total,
            entries=[_entry(entry) for entry in step.entries],
        )


def _entry(entry: Entry) -> EntryItem:
    return EntryItem(
        seq=entry.seq,
        event_id=entry.event_id,
        rule_id=entry.rule_id,
        version=entry.version,
        kind=entry.kind,
        weight=entry.weight,
        multiplier=entry.multiplier_percent / 100,
        before=entry.before,
        delta=entry.delta,
        after=entry.after,
        occurred_at=entry.occurred_at,
    )
