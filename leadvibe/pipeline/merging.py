"""Merging leads and undoing it: events, aliases and orders change hands, and scores follow.

Both wait for the pipeline's batch of the unit and hold its lock, so that no event slips between.
Scores are replayed: the target's as if all of it had been one lead's from the start. What a merge
was told to leave out is deleted, and undoing the merge does not bring it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadvibe.engine.policies import LEAD_MERGED_TYPE, LEAD_UNMERGED_TYPE
from leadvibe.events import service as events
from leadvibe.events import transfers
from leadvibe.events.sessions import count_sessions
from leadvibe.events.types import Truncation
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import merging, suggestions
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.types import Lead
from leadvibe.pipeline.retelling import retell_leads
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as score_queries
from leadvibe.segments.picking import hand_over_picks
from leadvibe.triggers.memory import hand_over_memories

KEEP_ALL = Truncation()


@dataclass(frozen=True, slots=True)
class ScoreChange:
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would move; `contested_aliases` are claimed by the target as well."""

    target: Lead
    sources: Sequence[Lead]
    target_events: int
    events: int
    aliases: int
    contested_aliases: int
    sessions: int


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge did. `scores` are the target's, by ruleset."""

    target: Lead
    source_ids: Sequence[str]
    moved_events: int
    lost_events: int
    scores: Mapping[UUID, ScoreChange]


@dataclass(frozen=True, slots=True)
class Unmerge:
    """What undoing a merge did. `lost_events` were left out by the merge and stay deleted."""

    target: Lead
    released: Sequence[Lead]
    moved_events: int
    lost_events: Mapping[str, int]
    scores: Mapping[UUID, ScoreChange]


def preview(scope: Scope, target_id: str, source_ids: Sequence[str]) -> Preview:
    """Return what `merge` would do, changing nothing. Raises as that does."""
    target, sources = merging.get_mergeable(scope, target_id, source_ids)
    ids = [source.lead_id for source in sources]
    counts = transfers.count_events(scope, [target_id, *ids])
    return Preview(
        target=target,
        sources=sources,
        target_events=counts[target_id],
        events=sum(counts[lead_id] for lead_id in ids),
        aliases=merging.count_aliases(scope, ids),
        contested_aliases=merging.count_contested_aliases(scope, target_id, ids),
        sessions=sum(count_sessions(scope, ids).values()),
    )


def merge(
    principal: Principal,
    scope: Scope,
    target_id: str,
    source_ids: Sequence[str],
    *,
    truncation: Truncation = KEEP_ALL,
    now: datetime,
) -> Merge:
    """Fold leads into one that stands for them from now on.

    Raises SelfMergeError, LeadNotFoundError, and AlreadyMergedError when one of them is part of
    another lead already: of two merges that cross, the second is refused.
    """
    leads.lock_identities(scope)
    _, sources = merging.get_mergeable(scope, target_id, source_ids)
    ids = [source.lead_id for source in sources]
    before = _scores(scope, target_id)
    lost = transfers.truncate(scope, ids, truncation)
    moved = sum(transfers.count_events(scope, ids).values())
    events.move_events(scope, dict.fromkeys(ids, target_id))
    hand_over_memories(scope, dict.fromkeys(ids, target_id))
    hand_over_picks(scope, dict.fromkeys(ids, target_id))
    merging.absorb(scope, target_id, lost, by=principal.label, now=now)
    retell_leads(scope, [target_id, *ids], now=now)
    transfers.record_system_event(
        scope,
        target_id,
        LEAD_MERGED_TYPE,
        {
            "source_lead_ids": ids,
            "events_moved": moved,
            "events_truncated": sum(lost.values()),
            "merged_by": principal.label,
        },
        version=score_queries.current_version(scope),
        now=now,
    )
    return Merge(
        target=lead_queries.get_lead(scope, target_id),
        source_ids=ids,
        moved_events=moved,
        lost_events=sum(lost.values()),
        scores=_changes(before, _scores(scope, target_id)),
    )


def unmerge(
    principal: Principal,
    scope: Scope,
    target_id: str,
    source_ids: Sequence[str] | None = None,
    *,
    now: datetime,
) -> Unmerge:
    """Take leads out of the one they were merged into; without names, all that somebody merged.

    Each gets back what was its own, and what had been merged into it before. What came in for the
    target since then stays with it. They are not suggested for merging again. Raises
    LeadNotFoundError, AlreadyMergedError and NotMergedError.
    """
    leads.lock_identities(scope)
    merging.get_standing(scope, target_id)
    merged = merging.list_merged(scope, target_id)
    released = merging.choose_released(target_id, merged, source_ids)
    heirs = merging.heirs_of(merged, released)
    before = _scores(scope, target_id)
    moved = transfers.give_back(scope, target_id, heirs)
    merging.release(scope, target_id, released, heirs, now=now)
    suggestions.keep_apart(scope, target_id, released, by=principal.label, now=now)
    retell_leads(scope, [target_id, *released], now=now)
    transfers.record_system_event(
        scope,
        target_id,
        LEAD_UNMERGED_TYPE,
        {
            "source_lead_ids": released,
            "events_moved": moved,
            "unmerged_by": principal.label,
        },
        version=score_queries.current_version(scope),
        now=now,
    )
    return Unmerge(
        target=lead_queries.get_lead(scope, target_id),
        released=[lead_queries.get_lead(scope, lead_id) for lead_id in released],
        moved_events=moved,
        lost_events={
            it.lead_id: it.lost_events for it in merged if it.lead_id in released and it.lost_events
        },
        scores=_changes(before, _scores(scope, target_id)),
    )


def _scores(scope: Scope, lead_id: str) -> dict[UUID, int]:
    standings = lead_scores.get_standings(scope, [lead_id]).get(lead_id, {})
    return {ruleset_id: standing.score for ruleset_id, standing in standings.items()}


def _changes(before: Mapping[UUID, int], after: Mapping[UUID, int]) -> dict[UUID, ScoreChange]:
    return {
        ruleset_id: ScoreChange(before.get(ruleset_id, 0), after.get(ruleset_id, 0))
        for ruleset_id in sorted(before.keys() | after.keys())
    }
