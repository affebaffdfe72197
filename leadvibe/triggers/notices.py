"""What is told of firings: each lead as it is now, why its score moved, and what it did last.

Reads for many leads at once, in as many statements as for one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.events.queries import get_events
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.notifications.types import (
    Cause,
    Notice,
    NoticeLead,
    Reason,
    RecentAction,
    TriggerName,
)
from leadvibe.scoring.profiles import Side, list_scores, primary_of
from leadvibe.triggers.firings import Firing, summarise

MOST_REASONS = 3
MOST_ACTIONS = 5
RECENT_ENTRIES = 1_000
"""Of a lead's ledger: what moved its score lately says more than what did years ago."""


class LeadFacts(NamedTuple):
    """What notices say of a lead."""

    name: str
    email: str | None
    score: int
    ruleset_id: UUID | None
    owner_id: UUID | None
    owner_name: str | None
    metadata: Mapping[str, Any]


def read_leads(scope: Scope, lead_ids: Collection[str]) -> dict[str, LeadFacts]:
    """Return what notices say of leads."""
    statement = """
        SELECT l.lead_id, l.name,
            coalesce(
                (SELECT a.raw_value FROM lead_aliases a
                 WHERE a.unit_id = l.unit_id AND a.lead_id = l.lead_id AND a.kind = 'email'
                 ORDER BY a.created_at, a.value LIMIT 1),
                l.metadata ->> 'email'
            ),
            l.score, l.ruleset_id, l.owner_id, l.owner_name, l.metadata
        FROM leads l WHERE l.unit_id = %s AND l.lead_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {lead_id: LeadFacts(*columns) for lead_id, *columns in rows}


def make_notices(
    scope: Scope,
    firings: Sequence[tuple[UUID, Firing]],
    leads: Mapping[str, LeadFacts],
    config: Config,
    *,
    now: datetime,
) -> list[Notice]:
    """Word firings, each under its id, for leads that are there."""
    ids = sorted({firing.lead_id for _, firing in firings})
    reasons, actions = _reasons(scope, ids, leads), _actions(scope, ids)
    profiles = _profile_scores(scope, ids, config)
    causes = get_events(scope, {firing.cause_id for _, firing in firings})
    cuts = {kind: LevelCut(config.levels_of(kind)) for kind in LevelKind}
    notices = []
    for notice_id, firing in firings:
        lead = leads[firing.lead_id]
        score = lead.score if firing.score is None else firing.score
        cause = causes.get(firing.cause_id)
        level = cuts[LevelKind.ENGAGEMENT].name_of(lead.score)
        notices.append(
            Notice(
                event=firing.event,
                id=notice_id,
                fired_at=now,
                org_id=scope.org_id,
                unit_id=scope.unit_id,
                trigger=TriggerName(
                    trigger_id=str(firing.trigger.trigger_id),
                    name=firing.trigger.name,
                    type=firing.trigger.kind,
                ),
                lead=NoticeLead(
                    lead_id=firing.lead_id,
                    best_alias=lead.name,
                    email=lead.email,
                    score=lead.score,
                    engagement_level=level,
                    profile_level=cuts[LevelKind.PROFILE].name_of(profiles.get(firing.lead_id, 0)),
                    owner_name=lead.owner_name,
                    metadata=lead.metadata,
                ),
                cause=Cause(
                    event_id=firing.cause_id,
                    event_type=firing.event_type,
                    timestamp=firing.occurred_at,
                    metadata=cause.metadata if cause else {},
                ),
                summary=summarise(firing),
                reasons=tuple(reasons.get(firing.lead_id, ())),
                recent=tuple(actions.get(firing.lead_id, ())),
                details={"score": score, **firing.details},
            )
        )
    return notices


def _profile_scores(scope: Scope, lead_ids: Sequence[str], config: Config) -> dict[str, int]:
    primary = primary_of(config.policies.profile_rulesets)
    if primary is None:
        return {}
    scores = list_scores(scope, Side.PROFILE, lead_ids)
    return {lead_id: of.get(primary.ruleset_id, 0) for lead_id, of in scores.items()}


def _reasons(
    scope: Scope, lead_ids: Sequence[str], leads: Mapping[str, LeadFacts]
) -> dict[str, list[Reason]]:
    """Return what moved each headline score most lately, the strongest first."""
    statement = """
        SELECT wanted.lead_id, why.event_type, why.points, why.events
        FROM unnest(%s::text[], %s::uuid[]) AS wanted (lead_id, ruleset_id)
        CROSS JOIN LATERAL (
            SELECT e.event_type, sum(s.delta)::int AS points,
                   count(DISTINCT s.event_id)::int AS events
            FROM (
                SELECT event_id, delta FROM score_entries
                WHERE unit_id = (SELECT %s::uuid) AND lead_id = wanted.lead_id
                  AND ruleset_id = wanted.ruleset_id
                ORDER BY seq DESC LIMIT %s
            ) s
            JOIN events e ON e.unit_id = (SELECT %s::uuid) AND e.event_id = s.event_id
            GROUP BY e.event_type HAVING sum(s.delta) <> 0
            ORDER BY abs(sum(s.delta)) DESC, e.event_type LIMIT %s
        ) why
        ORDER BY wanted.lead_id, abs(why.points) DESC, why.event_type
    """
    rulesets = [leads[lead_id].ruleset_id for lead_id in lead_ids]
    bound = (
        list(lead_ids), rulesets, scope.unit_id, RECENT_ENTRIES, scope.unit_id, MOST_REASONS,
    )  # fmt: skip
    reasons: dict[str, list[Reason]] = {}
    for lead_id, event_type, points, count in driver().execute(statement, bound):
        reasons.setdefault(lead_id, []).append(
            Reason(event_type=event_type, points=points, count=count)
        )
    return reasons


def _actions(scope: Scope, lead_ids: Sequence[str]) -> dict[str, list[RecentAction]]:
    """Return what each lead did last, the latest first."""
    statement = """
        SELECT wanted.lead_id, latest.event_type, latest.occurred_at, latest.channel
        FROM unnest(%s::text[]) AS wanted (lead_id)
        CROSS JOIN LATERAL (
            SELECT event_type, occurred_at, receipt, channel FROM events
            WHERE unit_id = (SELECT %s::uuid) AND lead_id = wanted.lead_id
              AND suppression_reason IS NULL AND receipt > 0
            ORDER BY occurred_at DESC, receipt DESC LIMIT %s
        ) latest
        ORDER BY wanted.lead_id, latest.occurred_at DESC, latest.receipt DESC
    """
    actions: dict[str, list[RecentAction]] = {}
    bound = (list(lead_ids), scope.unit_id, MOST_ACTIONS)
    for lead_id, event_type, at, channel in driver().execute(statement, bound):
        actions.setdefault(lead_id, []).append(
            RecentAction(event_type=event_type, timestamp=at, channel=channel)
        )
    return actions
