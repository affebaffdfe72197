"""Why scores are what they are, read from the ledger and never computed a second way."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from leadvibe.engine.explain import (
    BROUGHT_FORWARD,
    Reason,
    Step,
    build_waterfall,
    explain,
    list_rules_in_force,
)
from leadvibe.engine.facts import Entry
from leadvibe.events.queries import get_event
from leadvibe.explain.types import (
    EventExplanation,
    RecentExplanation,
    RulesetDelta,
    ScoreExplanation,
)
from leadvibe.identity.types import Scope
from leadvibe.leads.types import Lead
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.types import LedgerEntry, Ruleset


def explain_event(scope: Scope, event_id: UUID) -> EventExplanation:
    """Return what the event did in every ruleset, the primary first.

    Raises EventNotFoundError. Several rules of a ruleset are summed into one delta.
    """
    event = get_event(scope, event_id)
    entries = scoring.list_entries(scope, event.lead_id, event_ids=[event_id])
    deltas = [
        _delta(ruleset, [it for it in entries if it.ruleset_id == ruleset.ruleset_id])
        for ruleset in scoring.list_rulesets(scope)
        if any(it.ruleset_id == ruleset.ruleset_id for it in entries)
    ]
    return EventExplanation(
        event.event_id, event.lead_id, event.event_type, event.occurred_at, tuple(deltas)
    )


def explain_score(
    scope: Scope, lead_id: str, ruleset: Ruleset | None, *, since: datetime | None = None
) -> ScoreExplanation:
    """Return the lead's score in a ruleset as steps that end in it; none without a ruleset."""
    if ruleset is None:
        return ScoreExplanation(None, 0, since, (), {})
    entries = scoring.list_entries(scope, lead_id, ruleset_id=ruleset.ruleset_id, since=since)
    if entries:
        score = entries[-1].after
    else:
        stored = scoring.list_scores(scope, [lead_id], ruleset_id=ruleset.ruleset_id)
        score = stored[0].score if stored else 0
    reasons = [Reason(_entry(it), it.event_type) for it in entries]
    return ScoreExplanation(
        ruleset=ruleset,
        score=score,
        since=since,
        steps=build_waterfall(reasons),
        event_types={it.event_id: it.event_type for it in entries},
    )


def explain_recent(scope: Scope, lead: Lead, *, hours: int, now: datetime) -> RecentExplanation:
    """Return why the lead's headline score moved during the last hours, down to the ledger.

    The steps end in the score; the first of them is what it was before.
    """
    since = now - timedelta(hours=hours)
    reasons = [
        Reason(_entry(it), it.event_type)
        for it in scoring.list_entries(scope, lead.lead_id, since=since)
    ]
    shown = [reason for reason in reasons if reason.entry.ruleset_id == lead.ruleset_id]
    steps = build_waterfall(shown) or _unmoved(lead.score)
    return RecentExplanation(
        score=steps[-1].running_total if steps else 0,
        ruleset_id=lead.ruleset_id,
        recent=explain(reasons, ruleset_id=lead.ruleset_id, now=now, range_hours=hours),
        rules_in_force=list_rules_in_force(scoring.read_config(scope), now=now),
        steps=steps,
    )


def deltas_of_events(
    scope: Scope, lead_id: str, event_ids: list[UUID], *, ruleset_id: UUID
) -> dict[UUID, int]:
    """Return the points each event gave in a ruleset; events that no rule scores are left out."""
    deltas: dict[UUID, int] = {}
    for entry in scoring.list_entries(scope, lead_id, ruleset_id=ruleset_id, event_ids=event_ids):
        deltas[entry.event_id] = deltas.get(entry.event_id, 0) + entry.delta
    return deltas


def _unmoved(score: int) -> tuple[Step, ...]:
    return (Step(BROUGHT_FORWARD, "", score, score, ()),) if score else ()


def _delta(ruleset: Ruleset, entries: list[LedgerEntry]) -> RulesetDelta:
    return RulesetDelta(
        ruleset_id=ruleset.ruleset_id,
        ruleset_name=ruleset.name,
        rule_id=entries[0].rule_id,
        before=entries[0].before,
        delta=sum(entry.delta for entry in entries),
        after=entries[-1].after,
        base_weight=sum(entry.weight for entry in entries),
        multiplier_percent=entries[0].multiplier_percent,
    )


def _entry(it: LedgerEntry) -> Entry:
    return Entry(
        it.ruleset_id, it.seq, it.event_id, it.rule_id, it.version, it.kind, it.weight,
        it.multiplier_percent, it.before, it.delta, it.after, it.occurred_at,
    )  # fmt: skip
