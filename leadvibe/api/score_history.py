"""Scores over time: a lead's history, who gained most, and who is on top."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from leadvibe.api.fields import Instant
from leadvibe.api.ranges import NamedRange, span_of
from leadvibe.engine.history import Point
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.queries import search_leads
from leadvibe.leadlist.types import LeadFilter, Sort
from leadvibe.leads.queries import get_lead
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.paging import MAX_PAGE_SIZE, PageRequest
from leadvibe.scoring import history, queries, snapshots

DEFAULT_DAYS = 30
MOST_DAYS = 90
LONGEST_PERIOD = timedelta(days=366)
DEFAULT_LIMIT = 10
BEGINNING_OF_TIME = datetime.fromisoformat("0001-01-01T00:00:00Z")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _whole_day(text: object) -> object:
    is_day = isinstance(text, str) and _DAY.fullmatch(text)
    return f"{text}T23:59:59.999999Z" if is_day else text


EndOfDay = Annotated[Instant, BeforeValidator(_whole_day)]
"""An instant; a mere date is the end of that day."""


class Source(StrEnum):
    """Where the history comes from."""

    LEDGER = "ledger"
    SNAPSHOTS = "snapshots"


class HistoryQuery(BaseModel):
    """Which time the history is of: the last days, or from a start to an end."""

    days: int = Field(DEFAULT_DAYS, ge=1, le=MOST_DAYS, description="The last so many days.")
    start_date: Instant | None = Field(
        None, description="Instead of days: from this date, or date and time, on."
    )
    end_date: EndOfDay | None = Field(
        None, description="Up to this date, its whole day included, or date and time."
    )
    ruleset_id: UUID | None = Field(
        None, description="Id of a ruleset; without it the one behind the lead's score."
    )
    source: Source = Field(
        Source.LEDGER,
        description="ledger: what the score was, hour by hour, as it is known today. snapshots:"
        " what was shown at the time, which a rescore does not change; kept for 90 days.",
    )


class RankingQuery(BaseModel):
    """How many leads."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_PAGE_SIZE, description="How many leads.")


class GainsQuery(RankingQuery):
    """Gains since when, and how many leads."""

    range: NamedRange = Field(NamedRange.LAST_7D, description="When the points were gained.")


class Period(NamedTuple):
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotItem:
    """What a score was at an instant."""

    snapshot_at: datetime
    score: int
    ruleset_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodItem:
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHistory:
    """A score at the start, at every full hour and at the end; empty without any ruleset."""

    lead_id: str
    snapshots: list[SnapshotItem]
    count: int
    period: PeriodItem


@dataclass(frozen=True, slots=True, kw_only=True)
class TopLead:
    lead_id: str
    score: int
    last_event_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GainingLead:
    """A lead, its score, and how much of that it gained."""

    lead_id: str
    score: int
    score_gain: int
    last_event_at: datetime


def show_history(principal: Principal, lead_id: str, query: HistoryQuery) -> ScoreHistory:
    """What the lead's score was over time, exactly: read from the ledger, hour by hour.

    An event counts from its own time on, whenever it came in.
    """
    scope = principal.scope
    lead = get_lead(scope, lead_id)
    period = _period(query, now=utc_now())
    ruleset_id = _ruleset_id(scope, lead, query)
    points = _points(scope, lead, ruleset_id, query, period) if ruleset_id else []
    found = [
        SnapshotItem(snapshot_at=point.at, score=point.score, ruleset_id=ruleset_id)
        for point in points
        if ruleset_id is not None
    ]
    return ScoreHistory(
        lead_id=lead.lead_id,
        snapshots=found,
        count=len(found),
        period=PeriodItem(start=period.start, end=period.end),
    )


def list_top_leads(principal: Principal, query: RankingQuery) -> list[TopLead]:
    """The leads with the highest scores."""
    page = search_leads(principal.scope, LeadFilter(), Sort(), PageRequest(1, query.limit))
    return [
        TopLead(lead_id=lead.lead_id, score=lead.score, last_event_at=lead.last_event_at)
        for lead in page.items
    ]


def list_gains(principal: Principal, query: GainsQuery) -> list[GainingLead]:
    """The leads whose score has risen most within a range of time, by their events' own times."""
    span = span_of(query.range, now=utc_now())
    start = span.start or BEGINNING_OF_TIME
    found = history.list_gains(principal.scope, start=start, end=span.end, limit=query.limit)
    return [
        GainingLead(
            lead_id=it.lead_id,
            score=it.score,
            score_gain=it.gain,
            last_event_at=it.last_event_at,
        )
        for it in found
    ]


def _period(query: HistoryQuery, *, now: datetime) -> Period:
    end = min(query.end_date or now, now)
    start = query.start_date or end - timedelta(days=query.days)
    if start >= end:
        raise InvalidError(
            "The period is over before it begins: give a start_date in the past and before"
            " end_date.",
            fields={"start_date": "must be in the past and before end_date"},
        )
    if end - start > LONGEST_PERIOD:
        raise InvalidError(
            f"The period is longer than {LONGEST_PERIOD.days} days: ask for less at a time.",
            fields={"start_date": f"must be at most {LONGEST_PERIOD.days} days before end_date"},
        )
    return Period(start, end)


def _ruleset_id(scope: Scope, lead: Lead, query: HistoryQuery) -> UUID | None:
    if query.ruleset_id is not None:
        return queries.get_ruleset(scope, query.ruleset_id).ruleset_id
    if lead.ruleset_id is not None:
        return lead.ruleset_id
    primary = queries.find_primary(scope)
    return primary.ruleset_id if primary else None


def _points(
    scope: Scope, lead: Lead, ruleset_id: UUID, query: HistoryQuery, period: Period
) -> list[Point]:
    read = snapshots.list_snapshots if query.source is Source.SNAPSHOTS else history.look_back
    return read(scope, lead.lead_id, ruleset_id, start=period.start, end=period.end)
