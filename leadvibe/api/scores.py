"""Scores of leads, and the reasons behind them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.fields import Instant, Text
from leadvibe.api.leads import Scores
from leadvibe.api.ranges import NamedRange, span_of
from leadvibe.engine.explain import Driver, RuleInForce, Step, SurgeBoost
from leadvibe.engine.facts import Entry
from leadvibe.explain.queries import explain_window
from leadvibe.explain.types import Window, WindowExplanation
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import queries as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import history, lead_scores
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.types import Ruleset

PRIMARY = "primary"
MOST_LEADS = 500
DEFAULT_HOURS = 24
MOST_HOURS = 1_000_000  # more than a century: every event there is
EARLIEST = datetime.min.replace(tzinfo=UTC)
INSTANT = timedelta(microseconds=1)  # as finely as times are told
AS_OF = "As of this time: what happened later is not in it. Now when left out."


class ScoresWanted(BaseModel):
    """Leads whose scores are asked for."""

    lead_ids: list[ShortText] = Field(
        min_length=1, max_length=MOST_LEADS, description="Ids of leads; unknown ones are left out."
    )
    ruleset: Text = Field(PRIMARY, description="'primary', or the id or name of a ruleset.")


class ScoreQuery(BaseModel):
    """In which ruleset the score is asked for, and as of when."""

    ruleset_id: UUID | None = Field(
        None, description="Id of a ruleset; without it the highest score of all active ones."
    )
    as_of: Instant | None = Field(None, description=AS_OF)


class ExplainQuery(BaseModel):
    """What to explain, and how far back."""

    hours: int = Field(DEFAULT_HOURS, ge=1, le=MOST_HOURS, description="The last so many hours.")
    range: NamedRange | None = Field(
        None, description="Instead of hours: a named range, such as all for all there is."
    )
    ruleset_id: UUID | None = Field(
        None, description="Id of a ruleset; without it the one behind the lead's score."
    )
    as_of: Instant | None = Field(None, description=AS_OF)

    def window(self, *, now: datetime) -> Window:
        """Return the time that is meant; without as_of, what is dated ahead of now is in it."""
        end = self.as_of or now
        if self.range is None:
            since = max(end, EARLIEST + timedelta(hours=self.hours)) - timedelta(hours=self.hours)
            return Window(since, self.as_of)
        span = span_of(self.range, now=end)
        return Window(span.start, span.end - INSTANT if span.end else self.as_of)

    def range_hours(self, window: Window, *, now: datetime) -> int:
        """Return how many hours that is, begun ones included; 0 for all there is."""
        if self.range is None:
            return self.hours
        if window.since is None:
            return 0
        return math.ceil(((window.until or now) - window.since) / timedelta(hours=1))


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
    """One bar of the waterfall that ends in the score, with the ledger lines that it sums.

    There are `count` of them. In a window with more than 2,000, each bar has its newest 100.
    """

    label: str
    kind: str
    delta: int
    running_total: int
    count: int
    entries: list[EntryItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReasons:
    """Why the score is what it is. `waterfall` begins with what was brought forward.

    `range_hours` is 0 when all time is explained; `inorganic_count` events in it do not count.
    """

    lead_id: str
    score: int
    ruleset_id: str
    top_drivers: list[DriverItem]
    snapshot: list[RuleWeight]
    surge_boost: list[BoostItem]
    surge_total: int
    surge_event_count: int
    decay_applied: int
    inorganic_count: int
    range_hours: int
    waterfall: list[StepItem]


def list_scores(principal: Principal, body: ScoresWanted) -> list[LeadScoreItem]:
    """Scores of many leads, in the primary ruleset unless another is named; 0 without one."""
    scope = principal.scope
    ruleset = _named_ruleset(scope, body.ruleset)
    targets = leads.merge_targets(scope, set(body.lead_ids))
    scores: dict[str, int] = {}
    if ruleset is not None:
        found = lead_scores.list_scores(scope, set(targets.values()), ruleset_id=ruleset.ruleset_id)
        scores = {it.lead_id: it.score for it in found}
    return [
        LeadScoreItem(lead_id, scores.get(targets[lead_id], 0))
        for lead_id in dict.fromkeys(body.lead_ids)
        if lead_id in targets
    ]


def get_score(principal: Principal, lead_id: str, query: ScoreQuery) -> LeadScoreDetail:
    """The lead's score in a ruleset, or its highest across the active ones: now, or as of then."""
    scope = principal.scope
    lead = leads.get_lead(scope, lead_id)
    scores = Scores(scope)
    by_ruleset = _scores_by_ruleset(scores, scope, lead.lead_id, query.as_of)
    ruleset_id, score = _asked_score(scope, query, scores, by_ruleset)
    return LeadScoreDetail(
        lead_id=lead.lead_id,
        score=score,
        ruleset_id=ruleset_id,
        engagement_scores=by_ruleset,
        profile_scores=scores.profile.by_lead([lead.lead_id])[lead.lead_id],
    )


def explain(principal: Principal, lead_id: str, query: ExplainQuery) -> ScoreReasons:
    """Which events gave which points during the last hours, down to the ledger.

    Or in a named range, and before any instant of the past. The steps add up to the score.
    """
    scope, now = principal.scope, utc_now()
    lead = leads.get_lead(scope, lead_id)
    if query.ruleset_id is not None:
        scoring.get_ruleset(scope, query.ruleset_id)
    window = query.window(now=now)
    found = explain_window(scope, lead, window, ruleset_id=query.ruleset_id, now=now)
    return _reasons(lead.lead_id, found, range_hours=query.range_hours(window, now=now))


def _scores_by_ruleset(
    scores: Scores, scope: Scope, lead_id: str, as_of: datetime | None
) -> dict[str, int]:
    if as_of is None:
        return scores.by_lead([lead_id]).get(lead_id, {})
    then = history.scores_at(scope, lead_id, as_of)
    return {str(key): score for key, score in then.items() if str(key) in scores.rulesets}


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
    # A ruleset that has not scored the lead says 0, as it does when it is asked for by its id.
    active = (
        (by_ruleset.get(ruleset_id, 0), ruleset_id in by_ruleset, ruleset_id)
        for ruleset_id, ruleset in scores.rulesets.items()
        if ruleset.active
    )
    score, has_scored, ruleset_id = max(active, default=(0, False, ""))
    return ruleset_id if has_scored else "", score


def _reasons(lead_id: str, found: WindowExplanation, *, range_hours: int) -> ScoreReasons:
    recent = found.window
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
        inorganic_count=found.suppressed,
        range_hours=range_hours,
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
            count=step.count,
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
