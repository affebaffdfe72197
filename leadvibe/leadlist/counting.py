"""Totals that are known without counting: of all leads, and of filters by one thing."""

from __future__ import annotations

from leadvibe.identity.types import Scope
from leadvibe.leadlist.types import LeadFilter, ScoreRange
from leadvibe.leads import histograms
from leadvibe.leads.histograms import Moment
from leadvibe.leads.queries import count_listed

LOWEST_SCORE, HIGHEST_SCORE = -(2**31), 2**31 - 1
"""Of the column: the ends of a range that is open."""

_SCORE = {"min_score", "max_score"}
_MADE = {"created_from", "created_before"}


def closed(bounds: ScoreRange) -> tuple[int, int]:
    """Return a range's two ends."""
    low, high = bounds
    return LOWEST_SCORE if low is None else low, HIGHEST_SCORE if high is None else high


def known_total(scope: Scope, wanted: LeadFilter) -> int | None:
    """Return how many leads a filter leaves, or None when that has to be counted."""
    fields = {
        name for name, value in wanted._asdict().items() if value is not None and name != "search"
    }
    if wanted.search.strip():
        return None
    if not fields:
        return count_listed(scope)
    if fields <= _SCORE:
        bounds = ScoreRange(wanted.min_score, wanted.max_score)
        return histograms.count_scores(scope, [closed(bounds)])
    if fields <= _MADE:
        since, before = wanted.created_from, wanted.created_before
        return histograms.count_between(scope, Moment.CREATED, since=since, before=before)
    return _total_of_one(scope, wanted) if len(fields) == 1 else None


def _total_of_one(scope: Scope, wanted: LeadFilter) -> int | None:
    if wanted.score_ranges is not None:
        return histograms.count_scores(scope, [closed(each) for each in wanted.score_ranges])
    if wanted.event_type is not None:
        return histograms.count_event_type(scope, wanted.event_type)
    if wanted.active_since is not None:
        since = wanted.active_since
        return histograms.count_between(scope, Moment.ACTIVE, since=since, before=None)
    return None
