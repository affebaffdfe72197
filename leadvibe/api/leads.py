"""Leads: the list with scores, single leads, search and aliases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic_core import to_json

from leadvibe.api.answers import ROWS_AT_ONCE, JsonStream
from leadvibe.api.fields import PageQuery, Score, Text
from leadvibe.api.profile_scores import ProfileScores
from leadvibe.api.ranges import NamedRange, span_of
from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.events.sessions import count_sessions
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.queries import search_leads, stream_leads
from leadvibe.leadlist.types import LeadFilter, LeadLine, Sort
from leadvibe.leads import accounts, queries
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import read_by_statements
from leadvibe.pipeline import editing
from leadvibe.pipeline.intake import ShortText, check_metadata
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as scoring

SOURCE = "api"
MOST_FOUND = 10
ACTIVE_WITHIN = {"7d": timedelta(days=7), "30d": timedelta(days=30)}


class LeadsQuery(PageQuery):
    """Which leads are asked for; with `page` or `limit` a page of them, else all."""

    range: NamedRange = Field(
        NamedRange.ALL, description="Only leads made within it; bounds their sessions, too."
    )
    min_score: Score | None = Field(None, description="Only leads with at least this score.")
    max_score: Score | None = Field(None, description="Only leads with at most this score.")
    event_type: Text | None = Field(None, description="Only leads whose last event is of it.")
    last_active: Literal["any", "7d", "30d"] = Field("any", description="Only if active since.")

    @property
    def is_paged(self) -> bool:
        return not self.model_fields_set.isdisjoint({"page", "limit"})

    def read(self, *, now: datetime) -> LeadFilter:
        span = span_of(self.range, now=now)
        within = ACTIVE_WITHIN.get(self.last_active)
        return LeadFilter(
            min_score=self.min_score,
            max_score=self.max_score,
            event_type=self.event_type,
            active_since=now - within if within else None,
            created_from=span.start,
            created_before=span.end,
        )


class SearchQuery(BaseModel):
    """What a lead is looked for by."""

    q: Text = Field(
        description="The start of an id or any part of an alias; 2 characters must begin a word."
    )


class NewLead(BaseModel):
    """A lead under an id of your choice."""

    id: ShortText = Field(description="The lead's id, unique in the unit.")
    metadata: dict[str, Any] = Field(
        default_factory=dict, description="What is known about it, up to 100 KB of JSON."
    )
    account_id: ShortText | None = Field(None, description="The account it belongs to.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredLead:
    """A lead with its scores; `ruleset_id` is the one behind `score`, empty when unscored.

    `session_count` are the sessions that began within the range, all of them without one.
    """

    org_id: UUID
    lead_id: str
    score: int
    ruleset_id: str
    last_event_at: datetime | None
    created_at: datetime
    updated_at: datetime
    owner_name: str | None
    session_count: int
    engagement_scores: dict[str, int]
    profile_scores: dict[str, int]
    ruleset_names: dict[str, str]
    engagement_primary_ruleset_name: str
    profile_primary_ruleset_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsPage:
    leads: list[ScoredLead]
    total: int
    page: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRecord:
    """A lead as it is stored."""

    id: str
    org_id: UUID
    unit_id: UUID
    account_id: str | None
    owner_id: UUID | None
    owner_name: str | None
    created_at: datetime
    updated_at: datetime
    merged_into: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAccount:
    """The account that a lead belongs to."""

    account_id: str
    name: str
    domain: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadWithAccount:
    """A lead and the account it belongs to, null when it belongs to none."""

    lead: LeadRecord
    account: LeadAccount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDetail:
    """A lead and its account, with the lead's main fields beside them too."""

    lead: LeadRecord
    account: LeadAccount | None
    lead_id: str
    org_id: UUID
    score: int
    last_event_at: datetime | None
    created_at: datetime
    updated_at: datetime
    owner_name: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLead:
    """A lead that a search found, by its id or by an alias."""

    id: str
    match_type: Literal["id", "alias"]
    best_alias: str
    engagement_level: str
    profile_level: str


class Scores:
    """The scores of leads by ruleset, as the configuration in force names these."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        config = _current_config(scope)
        self.profile = ProfileScores(scope, config)
        self._ids = {ruleset.ruleset_id: str(ruleset.ruleset_id) for ruleset in config.rulesets}
        self.rulesets = {str(it.ruleset_id): it for it in config.rulesets}
        self.primary_name = next((it.name for it in config.rulesets if it.is_primary), "")

    def by_lead(self, lead_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return each lead's score by ruleset id; those of deleted rulesets show no more."""
        engagement, _ = self.of_both_kinds(lead_ids)
        return engagement

    def of_both_kinds(
        self, lead_ids: Sequence[str]
    ) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
        """Return the engagement scores, as by_lead does, and the profile scores."""
        engagement, profile = lead_scores.list_both_scores(self._scope, lead_ids)
        return {
            lead_id: {self._ids[key]: score for key, score in scores.items() if key in self._ids}
            for lead_id, scores in engagement.items()
        }, self.profile.complete(profile, lead_ids)

    def names(self, ruleset_ids: Iterable[str]) -> dict[str, str]:
        return {each: self.rulesets[each].name for each in ruleset_ids}


def list_leads(principal: Principal, query: LeadsQuery) -> LeadsPage | JsonStream[ScoredLead]:
    """Leads with their scores, the highest first: a page of them, or all as a bare array."""
    scope, wanted = principal.scope, query.read(now=utc_now())
    if not query.is_paged:
        return JsonStream(lambda: _all_leads(scope, wanted))
    read_by_statements()
    page = search_leads(scope, wanted, Sort(), query.request, count_cap=None)
    return LeadsPage(
        leads=_scored(scope, Scores(scope), page.items, wanted),
        total=page.total.count,
        page=query.page,
        limit=query.limit,
    )


def create_lead(principal: Principal, body: NewLead) -> LeadRecord:
    """Make a lead under an id of your choice."""
    check_metadata(to_json(body.metadata))
    made = editing.create_lead(
        principal.scope,
        lead_id=body.id,
        metadata=body.metadata,
        account_id=body.account_id,
        source=SOURCE,
        now=utc_now(),
    )
    return record_of(made)


def search(principal: Principal, query: SearchQuery) -> list[FoundLead]:
    """Up to ten leads whose id starts with the text or whose alias contains it, in any case."""
    scope = principal.scope
    found = queries.search_leads(scope, query.q, limit=MOST_FOUND)
    activities = queries.load_activities(scope, [lead_id for lead_id, _, _ in found])
    levels = LevelCut(scoring.list_levels(scope, LevelKind.ENGAGEMENT))
    profile_levels = ProfileScores(scope, _current_config(scope)).levels_of(list(activities))
    return [
        FoundLead(
            id=lead_id,
            match_type="id" if match_type == "id" else "alias",
            best_alias=best_alias,
            engagement_level=levels.name_of(activities[lead_id].score),
            profile_level=profile_levels[lead_id],
        )
        for lead_id, match_type, best_alias in found
    ]


def get_lead(principal: Principal, lead_id: str) -> LeadWithAccount:
    """The lead, or the one it was merged into, with its account."""
    scope = principal.scope
    lead = queries.get_lead(scope, lead_id)
    return LeadWithAccount(lead=record_of(lead), account=account_of(scope, lead))


def get_lead_detail(principal: Principal, lead_id: str) -> LeadDetail:
    """The lead, or the one it was merged into, with its account and its main fields beside."""
    lead = queries.get_lead(principal.scope, lead_id)
    return LeadDetail(
        lead=record_of(lead),
        account=account_of(principal.scope, lead),
        lead_id=lead.lead_id,
        org_id=lead.org_id,
        score=lead.score,
        last_event_at=lead.last_event_at,
        created_at=lead.created_at,
        updated_at=lead.updated_at,
        owner_name=lead.owner_name,
        metadata=lead.metadata,
    )


def account_of(scope: Scope, lead: Lead) -> LeadAccount | None:
    """Return the lead's account as the API writes it."""
    found = accounts.find_account(scope, lead.account_id) if lead.account_id else None
    if found is None:
        return None
    return LeadAccount(
        account_id=found.account_id,
        name=found.name,
        domain=found.domain,
        metadata=found.metadata,
    )


def record_of(lead: Lead) -> LeadRecord:
    """Return the lead as the API writes it."""
    return LeadRecord(
        id=lead.lead_id,
        org_id=lead.org_id,
        unit_id=lead.unit_id,
        account_id=lead.account_id,
        owner_id=lead.owner_id,
        owner_name=lead.owner_name,
        created_at=lead.created_at,
        updated_at=lead.updated_at,
        merged_into=lead.merged_into,
        metadata=lead.metadata,
    )


def _current_config(scope: Scope) -> Config:
    return scoring.get_config(scope, scoring.current_version(scope))


def _all_leads(scope: Scope, wanted: LeadFilter) -> Iterator[ScoredLead]:
    scores = Scores(scope)
    lines = stream_leads(scope, wanted, Sort())
    while chunk := list(islice(lines, ROWS_AT_ONCE)):
        yield from _scored(scope, scores, chunk, wanted)


def scored_leads(scope: Scope, lines: list[LeadLine]) -> list[ScoredLead]:
    """Return leads as the list of leads shows them."""
    return _scored(scope, Scores(scope), lines, LeadFilter())


def _scored(
    scope: Scope, scores: Scores, lines: list[LeadLine], wanted: LeadFilter
) -> list[ScoredLead]:
    lead_ids = [line.lead_id for line in lines]
    batch = _Batch(*scores.of_both_kinds(lead_ids), _sessions(scope, lines, wanted))
    return [_scored_lead(scope, line, scores, batch) for line in lines]


class _Batch(NamedTuple):
    """What is read for many leads at once, by lead."""

    engagement: Mapping[str, dict[str, int]]
    profile: Mapping[str, dict[str, int]]
    sessions: Mapping[str, int]


def _sessions(scope: Scope, lines: list[LeadLine], wanted: LeadFilter) -> dict[str, int]:
    """Return how many sessions each lead had within the range, which is about the leads as well."""
    since, before = wanted.created_from, wanted.created_before
    if since is None and before is None:
        return {line.lead_id: line.session_count for line in lines}
    return count_sessions(scope, [line.lead_id for line in lines], since=since, before=before)


def _scored_lead(scope: Scope, line: LeadLine, scores: Scores, batch: _Batch) -> ScoredLead:
    engagement = batch.engagement.get(line.lead_id, {})
    profile = batch.profile[line.lead_id]
    return ScoredLead(
        org_id=scope.org_id,
        lead_id=line.lead_id,
        score=line.score,
        ruleset_id=str(line.ruleset_id or ""),
        last_event_at=line.last_event_at,
        created_at=line.created_at,
        updated_at=line.updated_at,
        owner_name=line.owner_name,
        engagement_scores=engagement,
        profile_scores=profile,
        session_count=batch.sessions[line.lead_id],
        ruleset_names=scores.names(engagement) | scores.profile.names(profile),
        engagement_primary_ruleset_name=scores.primary_name,
        profile_primary_ruleset_name=scores.profile.primary_name,
    )
