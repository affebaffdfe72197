"""Why scores are what they are, read from the ledger and never computed a second way."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from uuid import UUID

from leadvibe.engine.explain import (
    BROUGHT_FORWARD,
    Explanation,
    Reason,
    RuleInForce,
    Step,
    build_waterfall,
    explain,
    list_rules_in_force,
)
from leadvibe.engine.facts import Entry
from leadvibe.events.queries import count_suppressed, get_event
from leadvibe.explain.long_windows import explain_sums, steps_of
from leadvibe.explain.types import (
    EventExplanation,
    RulesetDelta,
    SpanExplanation,
    Window,
    WindowExplanation,
)
from leadvibe.identity.types import Scope
from leadvibe.leads.types import Lead
from leadvibe.scoring import history, lead_scores
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.movements import Opened, Span, group_entries, list_sums
from leadvibe.scoring.types import LedgerEntry, Ruleset

MOST_READ = 2_000
"""Entries that are read one by one: more than anybody goes through."""

LISTED_OF_MANY = 100


def explain_event(scope: Scope, event_id: UUID) -> EventExplanation:
    """Return what the event did in every ruleset, the primary first.

    Raises EventNotFoundError. Several rules of a ruleset are summed into one delta.
    """
    event = get_event(scope, event_id)
    lead_id = event.lead_id
    entries = (
        [] if lead_id is None else lead_scores.list_entries(scope, lead_id, event_ids=[event_id])
    )
    deltas = [
        _delta(ruleset, [it for it in entries if it.ruleset_id == ruleset.ruleset_id])
        for ruleset in scoring.list_rulesets(scope)
        if any(it.ruleset_id == ruleset.ruleset_id for it in entries)
    ]
    return EventExplanation(
        event.event_id, lead_id, event.event_type, event.occurred_at, tuple(deltas)
    )


def explain_span(
    scope: Scope,
    lead_id: str,
    ruleset_id: UUID,
    span: Span,
    *,
    newest: int,
    opened: Opened | None = None,
) -> SpanExplanation:
    """Return what led from the score at the beginning of a span to the one at its end.

    Gains come first, the largest before the others, then losses. Of each group the `newest` entries
    are read, of an `opened` one as many as it says.
    """
    groups = group_entries(scope, lead_id, ruleset_id, span, newest=newest, opened=opened)
    # The last entry says the score: asked for apart, an event might come in between.
    last = max((it.entries[0] for it in groups), key=lambda it: it.seq, default=None)
    score = last.after if last else _score_at(scope, lead_id, ruleset_id, span.until)
    return SpanExplanation(
        score=score,
        opening=score - sum(group.delta for group in groups),
        groups=tuple(
            sorted(groups, key=lambda it: (it.delta < 0, -abs(it.delta), it.kind, it.event_type))
        ),
    )


def explain_window(
    scope: Scope, lead: Lead, window: Window, *, ruleset_id: UUID | None = None, now: datetime
) -> WindowExplanation:
    """Return why the lead's score moved within a window, down to the ledger.

    In the ruleset that is named, or the one that stands for the lead. The steps end in the score
    at the window's end; the first of them is what it was at its beginning. Where more than
    MOST_READ entries moved it, each step has its newest LISTED_OF_MANY.
    """
    wanted = ruleset_id or lead.ruleset_id
    since, until = window
    if wanted is not None and _is_long(scope, lead.lead_id, window):
        explanation, steps = _explain_long(scope, lead.lead_id, wanted, window)
    else:
        reasons = [
            Reason(_entry(it), it.event_type)
            for it in lead_scores.list_entries(scope, lead.lead_id, since=since, until=until)
        ]
        shown = [reason for reason in reasons if reason.entry.ruleset_id == wanted]
        explanation = explain(reasons, ruleset_id=wanted, since=since)
        steps = build_waterfall(shown) or _unmoved(_score_at(scope, lead.lead_id, wanted, until))
    return WindowExplanation(
        score=steps[-1].running_total if steps else 0,
        ruleset_id=wanted,
        window=explanation,
        rules_in_force=_rules_in_force(scope, until or now),
        steps=steps,
        suppressed=count_suppressed(scope, lead.lead_id, since=since, until=until),
    )


def _is_long(scope: Scope, lead_id: str, window: Window) -> bool:
    """Say whether too many entries lie within a window to be read one by one."""
    scores = lead_scores.list_scores(scope, [lead_id])
    if all(it.seq <= MOST_READ for it in scores):
        return False
    span = Span(*window)
    sums = (it for one in scores for it in list_sums(scope, lead_id, one.ruleset_id, span))
    return sum(it.times for it in sums) > MOST_READ


def _explain_long(
    scope: Scope, lead_id: str, ruleset_id: UUID, window: Window
) -> tuple[Explanation, tuple[Step, ...]]:
    span = Span(*window)
    sums = {
        it.ruleset_id: list_sums(scope, lead_id, it.ruleset_id, span)
        for it in lead_scores.list_scores(scope, [lead_id])
    }
    explanation = explain_sums(
        sums.get(ruleset_id, []), chain.from_iterable(sums.values()), since=window.since
    )
    explained = explain_span(scope, lead_id, ruleset_id, span, newest=LISTED_OF_MANY)
    return explanation, tuple(steps_of(explained))


def deltas_of_events(
    scope: Scope, lead_id: str, event_ids: list[UUID], *, ruleset_id: UUID
) -> dict[UUID, int]:
    """Return the points each event gave in a ruleset; events that no rule scores are left out."""
    deltas: dict[UUID, int] = {}
    for entry in lead_scores.list_entries(
        scope, lead_id, ruleset_id=ruleset_id, event_ids=event_ids
    ):
        deltas[entry.event_id] = deltas.get(entry.event_id, 0) + entry.delta
    return deltas


def _rules_in_force(scope: Scope, at: datetime) -> tuple[RuleInForce, ...]:
    return list_rules_in_force(history.config_at(scope, at), now=at)


def _score_at(scope: Scope, lead_id: str, ruleset_id: UUID | None, until: datetime | None) -> int:
    if ruleset_id is None:
        return 0
    if until is not None:
        return history.scores_at(scope, lead_id, until).get(ruleset_id, 0)
    stored = lead_scores.list_scores(scope, [lead_id], ruleset_id=ruleset_id)
    return stored[0].score if stored else 0


def _unmoved(score: int) -> tuple[Step, ...]:
    return (Step(BROUGHT_FORWARD, "", score, score, (), 0),) if score else ()


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
