"""Reads of leads' scores and of the ledger that they are sums of, each confined to one unit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from leadvibe.engine.decay import Spell
from leadvibe.engine.facts import Entry, Standing
from leadvibe.events.types import Event
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.scoring.ledger_sums import WITHIN
from leadvibe.scoring.types import LeadScore, LedgerEntry


def get_standings(scope: Scope, lead_ids: Sequence[str]) -> dict[str, dict[UUID, Standing]]:
    """Return each lead's standing in every ruleset that has scored it."""
    statement = """
        SELECT lead_id, ruleset_id, score, seq FROM lead_scores
        WHERE unit_id = %s AND lead_id = ANY(%s)
    """
    standings: dict[str, dict[UUID, Standing]] = {}
    for lead_id, ruleset_id, score, seq in driver().execute(
        statement, (scope.unit_id, list(lead_ids))
    ):
        standings.setdefault(lead_id, {})[ruleset_id] = Standing(score, seq)
    return standings


def list_both_scores(
    scope: Scope, lead_ids: Sequence[str]
) -> tuple[dict[str, dict[UUID, int]], dict[str, dict[UUID, int]]]:
    """Return the engagement and the profile scores of leads, by ruleset; in one statement."""
    statement = """
        SELECT true, lead_id, ruleset_id, score FROM lead_scores
        WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s)
        UNION ALL
        SELECT false, lead_id, ruleset_id, score FROM lead_profile_scores
        WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s)
    """
    engagement: dict[str, dict[UUID, int]] = {}
    profile: dict[str, dict[UUID, int]] = {}
    bound = {"unit": scope.unit_id, "ids": list(lead_ids)}
    for is_engagement, lead_id, ruleset_id, score in driver().execute(statement, bound):
        scores = engagement if is_engagement else profile
        scores.setdefault(lead_id, {})[ruleset_id] = score
    return engagement, profile


def list_quiet_leads(
    scope: Scope, spells: Sequence[Spell], *, now: datetime, after: str, limit: int
) -> list[str]:
    """Return leads that have been quiet for so long that decay may be due, in order of their ids.

    Told by their last event and what decay took since; the engine decides (engine.decay).
    """
    statement = """
        SELECT l.lead_id FROM leads l
        WHERE l.unit_id = %(unit)s AND l.lead_id > %(after)s
          AND l.merged_into IS NULL AND l.last_event_at IS NOT NULL
          AND EXISTS (
            SELECT FROM unnest(%(periods)s::bigint[], %(starts)s::timestamptz[],
                               %(ends)s::timestamptz[]) AS spell (period, starts_at, ends_at)
            CROSS JOIN LATERAL (
                SELECT floor(extract(epoch FROM least(%(now)s, ends_at) - l.last_event_at) / period)
            ) AS passed (periods)
            CROSS JOIN LATERAL (
                SELECT l.last_event_at + periods * period * interval '1 second'
            ) AS latest (at)
            WHERE periods > 0 AND at >= starts_at
              AND at > coalesce(l.last_decay_at, l.last_event_at)
          )
          AND EXISTS (
            SELECT FROM lead_scores s
            WHERE s.unit_id = l.unit_id AND s.lead_id = l.lead_id AND s.score <> 0
          )
        ORDER BY l.lead_id LIMIT %(limit)s
    """
    bound = {
        "unit": scope.unit_id,
        "after": after,
        "now": now,
        "limit": limit,
        "periods": [int(spell.period.total_seconds()) for spell in spells],
        "starts": [spell.starts_at for spell in spells],
        "ends": [spell.ends_at for spell in spells],
    }
    return [lead_id for (lead_id,) in driver().execute(statement, bound)]


def list_scores(
    scope: Scope, lead_ids: Iterable[str], *, ruleset_id: UUID | None = None
) -> list[LeadScore]:
    """Return the leads' scores, in one ruleset or in all."""
    statement = """
        SELECT lead_id, ruleset_id, score, seq FROM lead_scores
        WHERE unit_id = %s AND lead_id = ANY(%s) AND (%s::uuid IS NULL OR ruleset_id = %s)
    """
    bound = (scope.unit_id, list(lead_ids), ruleset_id, ruleset_id)
    return [LeadScore(*row) for row in driver().execute(statement, bound)]


def list_ledger(scope: Scope, lead_ids: Sequence[str]) -> dict[str, list[Entry]]:
    """Return the whole ledger of the leads, as the engine would write it."""
    statement = """
        SELECT lead_id, ruleset_id, seq, event_id, rule_id, version, kind, weight,
               multiplier_percent, before, delta, after, occurred_at
        FROM score_entries WHERE unit_id = %s AND lead_id = ANY(%s)
        ORDER BY lead_id, ruleset_id, seq
    """
    ledger: dict[str, list[Entry]] = {}
    for lead_id, *values in driver().execute(statement, (scope.unit_id, list(lead_ids))):
        ledger.setdefault(lead_id, []).append(Entry(*values))
    return ledger


def sum_points(scope: Scope, events: Collection[Event]) -> dict[UUID, int]:
    """Return what events of any leads gave in the primary ruleset; only those that gave any."""
    statement = """
        SELECT s.event_id, sum(s.delta)::int
        FROM rulesets r
        JOIN score_entries s ON s.unit_id = r.unit_id AND s.ruleset_id = r.ruleset_id
        WHERE r.unit_id = %(unit)s AND r.is_primary
            AND s.lead_id = ANY(%(leads)s) AND s.event_id = ANY(%(events)s)
        GROUP BY s.event_id
    """
    bound = {
        "unit": scope.unit_id,
        "leads": sorted({event.lead_id for event in events if event.lead_id is not None}),
        "events": [event.event_id for event in events],
    }
    return dict(driver().execute(statement, bound).fetchall()) if events else {}


def sum_by_type(scope: Scope, lead_ids: Sequence[str]) -> dict[str, dict[UUID, dict[str, int]]]:
    """Return what each event type gave the leads in total, by ruleset."""
    statement = """
        SELECT s.lead_id, s.ruleset_id, e.event_type, sum(s.delta)
        FROM score_entries s JOIN events e USING (unit_id, event_id)
        WHERE s.unit_id = %s AND s.lead_id = ANY(%s)
        GROUP BY s.lead_id, s.ruleset_id, e.event_type
    """
    sums: dict[str, dict[UUID, dict[str, int]]] = {}
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    for lead_id, ruleset_id, event_type, total in rows:
        sums.setdefault(lead_id, {}).setdefault(ruleset_id, {})[event_type] = int(total)
    return sums


def list_entries(
    scope: Scope,
    lead_id: str,
    *,
    ruleset_id: UUID | None = None,
    event_ids: Sequence[UUID] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[LedgerEntry]:
    """Return ledger rows of one lead with their event types, oldest first; both ends included."""
    if event_ids is not None:
        since, until = span_of_events(scope, event_ids)
    bound = {
        "unit": scope.unit_id, "lead": lead_id, "since": since, "until": until,
        "ruleset": ruleset_id, "events": None if event_ids is None else list(event_ids),
    }  # fmt: skip
    return [LedgerEntry(*row) for row in driver().execute(_ENTRIES, bound)]


def span_of_events(
    scope: Scope, event_ids: Sequence[UUID]
) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the last of some events happened, as their entries say."""
    statement = """
        SELECT min(occurred_at), max(occurred_at) FROM events
        WHERE unit_id = %s AND event_id = ANY(%s)
    """
    row = driver().execute(statement, (scope.unit_id, list(event_ids))).fetchone()
    assert row is not None
    return row[0], row[1]


_ENTRIES = f"""
    SELECT s.ruleset_id, s.seq, s.event_id, e.event_type, s.rule_id, s.version, s.kind, s.weight,
           s.multiplier_percent, s.before, s.delta, s.after, s.occurred_at
    FROM (
        SELECT s.* FROM {WITHIN}
          AND (%(ruleset)s::uuid IS NULL OR s.ruleset_id = %(ruleset)s)
          AND (%(events)s::uuid[] IS NULL OR s.event_id = ANY(%(events)s))
    ) AS s
    CROSS JOIN LATERAL (
        SELECT event_type FROM events
        WHERE unit_id = (SELECT %(unit)s::uuid) AND event_id = s.event_id LIMIT 1
    ) AS e
    ORDER BY s.ruleset_id, s.seq
"""  # noqa: S608 - text of ours
