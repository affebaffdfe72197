"""Accounts: the companies that leads belong to, with what their leads add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, Field

from leadvibe.api import attributes
from leadvibe.api.attributes import AttributeReasons
from leadvibe.api.fields import Instant, PageQuery, Score, Text
from leadvibe.api.ranges import NamedRange, span_of
from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import Level, LevelKind
from leadvibe.explain.profile import explain_attributes
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.accounts import (
    AccountEvent,
    AccountFilter,
    AccountLead,
    AccountSort,
    AccountSortKey,
    find_surging,
    list_account_events,
    list_account_leads,
    search_accounts,
)
from leadvibe.leadlist.similar_accounts import find_by_domain_or_name, find_similar
from leadvibe.leadlist.types import ScoreRange
from leadvibe.leads.accounts import Account, get_account
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import editing
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring import profiles, queries
from leadvibe.scoring.profiles import Side

MOST_DELETED = 500
MOST_LEADS = 100
MOST_EVENTS = 50
SURGE_LASTS = timedelta(hours=24)

INTENTS = ("low", "medium", "high")
_DEFAULT_CUTS = (ScoreRange(None, 24), ScoreRange(25, 49), ScoreRange(50, None))


class AccountsQuery(PageQuery):
    """Which accounts are asked for; only those that have leads are listed."""

    range: NamedRange = Field(NamedRange.ALL, description="Only accounts made within it.")
    search: Text = Field("", description="Part of a name or a domain.")
    intent_level: Literal["all", "low", "medium", "high"] = Field(
        "all",
        description="By the highest score of the leads, cut as levels Low, Medium and High.",
    )
    per_page: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="Another name of limit."
    )
    sort_by: AccountSortKey = Field(AccountSortKey.ENGAGEMENT, description="What comes first.")
    sort_order: Literal["asc", "desc"] | None = Field(
        None, description="asc or desc; names ascend and the rest descends when left out."
    )
    account_level: Text | None = Field(None, description="Name of an account level.")
    min_score: Score | None = Field(None, description="Of the account itself.")
    max_score: Score | None = Field(None, description="Of the account itself.")
    min_engagement: Score | None = Field(None, description="Of the highest score of its leads.")
    created_after: Instant | None = Field(None, description="Only accounts made since then.")
    created_before: Instant | None = Field(None, description="Only accounts made before.")
    last_activity_after: Instant | None = Field(None, description="Only accounts active since.")
    surge_status: Literal["all", "surging"] = Field("all", description="Only surging ones.")

    @property
    def wanted_page(self) -> PageRequest:
        return PageRequest(self.page, self.per_page or self.limit)

    @property
    def sort(self) -> AccountSort:
        usual = "asc" if self.sort_by is AccountSortKey.NAME else "desc"
        return AccountSort(self.sort_by, is_descending=(self.sort_order or usual) == "desc")

    def read(self, levels: Sequence[Level], *, now: datetime) -> AccountFilter:
        span = span_of(self.range, now=now)
        starts = [it for it in (span.start, self.created_after) if it is not None]
        ends = [it for it in (span.end, self.created_before) if it is not None]
        return AccountFilter(
            search=self.search,
            engagement=self._engagement(levels),
            score=ScoreRange(self.min_score, self.max_score),
            score_ranges=self._of_level(levels),
            created_from=max(starts, default=None),
            created_before=min(ends, default=None),
            active_since=self.last_activity_after,
            surged_since=now - SURGE_LASTS if self.surge_status == "surging" else None,
        )

    def _engagement(self, levels: Sequence[Level]) -> ScoreRange:
        low, high = None, None
        if self.intent_level != "all":
            low, high = _cuts(levels)[INTENTS.index(self.intent_level)]
        if self.min_engagement is not None:
            low = self.min_engagement if low is None else max(low, self.min_engagement)
        return ScoreRange(low, high)

    def _of_level(self, levels: Sequence[Level]) -> tuple[ScoreRange, ...] | None:
        if self.account_level is None:
            return None
        for level in levels:
            if level.name.casefold() == self.account_level.casefold():
                return (ScoreRange(level.min_score, level.max_score),)
        known = ", ".join(level.name for level in levels)
        problem = f"names no account level: use one of {known}"
        raise InvalidError(f"account_level {problem}.", fields={"account_level": problem})


class AccountsToDelete(BaseModel):
    """Accounts whose leads are taken out of them."""

    ids: list[ShortText] = Field(
        min_length=1,
        max_length=MOST_DELETED,
        validation_alias=AliasChoices("ids", "account_ids"),
        description="Ids of accounts; unknown ones are passed over.",
    )


class CompanyQuery(BaseModel):
    """What an account is looked for by: the domain first, then exactly the name."""

    domain: Text = Field("", description="The account's domain.")
    name: Text = Field("", description="The account's name, in any case.")


class NameQuery(BaseModel):
    """A name that is something like that of an account."""

    name: Annotated[Text, Field(min_length=1)] = Field(description="The name, spelled somehow.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountItem:
    """An account as a list shows it: what its leads add up to, and what it is worth itself.

    `top_score`, also called `engagement_score`, is the highest of its leads, whose owner is named;
    `account_score` and `account_level` come from the primary account ruleset.
    """

    id: str
    account_id: str
    org_id: UUID
    unit_id: UUID
    name: str
    domain: str | None
    metadata: Mapping[str, Any]
    top_score: int
    engagement_score: int
    leads_count: int
    total_leads: int
    session_count: int
    owner_name: str | None
    surging: bool
    surge_active: bool
    account_score: int
    account_level: str
    last_activity: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsPage:
    accounts: list[AccountItem]
    total: int
    page: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLeadItem:
    id: str
    lead_id: str
    name: str
    detail: str | None
    score: int
    engagement_level: str
    owner_name: str | None
    last_event_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEventItem:
    id: UUID
    lead_id: str
    event_type: str
    timestamp: datetime
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDetail(AccountItem):
    """An account with its leads, the highest score first, and what they did last."""

    account_scores: dict[str, int]
    leads: list[AccountLeadItem]
    recent_events: list[AccountEventItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsDeleted:
    """How many leads were taken out of accounts, and how many of these are gone."""

    unlinked: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountName:
    account_id: str
    name: str
    domain: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarAccountItem:
    """An account, and how similar its name is: 1 for the same letters."""

    account_id: str
    name: str
    domain: str | None
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReasons:
    """Why an account is worth what it is; `score` and level are of the primary ruleset."""

    account_id: str
    score: int
    account_level: str
    rulesets: list[AttributeReasons]


def list_accounts(principal: Principal, query: AccountsQuery) -> AccountsPage:
    """A page of the accounts that have leads, the most engaged first unless sorted otherwise."""
    scope, now = principal.scope, utc_now()
    queries.require_abm(scope)
    levels = queries.list_levels(scope, LevelKind.ACCOUNT)
    request = query.wanted_page
    found = search_accounts(scope, query.read(levels, now=now), query.sort, request)
    cut = LevelCut(levels)
    surging = find_surging(scope, [it.account_id for it in found.items], since=now - SURGE_LASTS)
    return AccountsPage(
        accounts=[AccountItem(**_fields(scope, it, cut, surging)) for it in found.items],
        total=found.total.count,
        page=request.page,
        limit=request.size,
    )


def get_account_detail(principal: Principal, account_id: str) -> AccountDetail:
    """The account of this id or domain, with its leads and their latest events."""
    scope = principal.scope
    queries.require_abm(scope)
    account = get_account(scope, account_id)
    account_id = account.account_id
    cut = LevelCut(queries.list_levels(scope, LevelKind.ACCOUNT))
    surging = find_surging(scope, [account_id], since=utc_now() - SURGE_LASTS)
    scores = profiles.list_scores(scope, Side.ACCOUNT, [account_id]).get(account_id, {})
    levels = LevelCut(queries.list_levels(scope, LevelKind.ENGAGEMENT))
    return AccountDetail(
        account_scores={str(ruleset_id): score for ruleset_id, score in scores.items()},
        leads=[_lead(it, levels) for it in list_account_leads(scope, account_id, limit=MOST_LEADS)],
        recent_events=[
            _event(it) for it in list_account_events(scope, account_id, limit=MOST_EVENTS)
        ],
        **_fields(scope, account, cut, surging),
    )


def delete_accounts(principal: Principal, body: AccountsToDelete) -> AccountsDeleted:
    """Take the unit's leads out of accounts, and delete those that nobody belongs to any more."""
    queries.require_abm(principal.scope)
    done = editing.delete_accounts(principal.scope, body.ids, now=utc_now())
    return AccountsDeleted(unlinked=done.leads, deleted=done.accounts)


def find_account(principal: Principal, query: CompanyQuery) -> AccountName | None:
    """The account of this domain, else the one of exactly this name; null when there is none."""
    scope = principal.scope
    queries.require_abm(scope)
    domain, name = query.domain.strip(), query.name.strip()
    if not domain and not name:
        problem = "is missing: give the domain, the name, or both"
        raise InvalidError(f"domain {problem}.", fields={"domain": problem})
    found = find_by_domain_or_name(scope, domain=domain, name=name)
    if found is None:
        return None
    return AccountName(account_id=found.account_id, name=found.name, domain=found.domain)


def match_accounts(principal: Principal, query: NameQuery) -> list[SimilarAccountItem]:
    """Up to five accounts whose name is more than 60 % similar, the most similar first."""
    queries.require_abm(principal.scope)
    return [
        SimilarAccountItem(**found._asdict()) for found in find_similar(principal.scope, query.name)
    ]


def explain(principal: Principal, account_id: str) -> AccountReasons:
    """Why the account has its scores: by ruleset, the rules that it meets."""
    scope = principal.scope
    queries.require_abm(scope)
    account = get_account(scope, account_id)
    levels = LevelCut(queries.list_levels(scope, LevelKind.ACCOUNT))
    return AccountReasons(
        account_id=account.account_id,
        score=account.score,
        account_level=levels.name_of(account.score),
        rulesets=[
            attributes.reasons(it)
            for it in explain_attributes(scope, Side.ACCOUNT, account.account_id)
        ],
    )


def _cuts(levels: Sequence[Level]) -> Sequence[ScoreRange]:
    """Return which scores mean low, medium and high: those of levels that are called so."""
    by_name = {level.name.casefold(): level for level in levels}
    if set(by_name) != set(INTENTS):
        return _DEFAULT_CUTS
    chosen = (by_name[name] for name in INTENTS)
    return [ScoreRange(level.min_score, level.max_score) for level in chosen]


def _fields(scope: Scope, account: Account, levels: LevelCut, surging: set[str]) -> dict[str, Any]:
    is_surging = account.account_id in surging
    return {
        "id": account.account_id,
        "account_id": account.account_id,
        "org_id": scope.org_id,
        "unit_id": scope.unit_id,
        "name": account.name,
        "domain": account.domain,
        "metadata": account.metadata,
        "top_score": account.top_score,
        "engagement_score": account.top_score,
        "leads_count": account.leads_count,
        "total_leads": account.leads_count,
        "session_count": account.session_count,
        "owner_name": account.owner_name,
        "surging": is_surging,
        "surge_active": is_surging,
        "account_score": account.score,
        "account_level": levels.name_of(account.score),
        "last_activity": account.last_event_at,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


def _lead(lead: AccountLead, levels: LevelCut) -> AccountLeadItem:
    return AccountLeadItem(
        id=lead.lead_id, engagement_level=levels.name_of(lead.score), **lead._asdict()
    )


def _event(event: AccountEvent) -> AccountEventItem:
    return AccountEventItem(
        id=event.event_id,
        lead_id=event.lead_id,
        event_type=event.event_type,
        timestamp=event.occurred_at,
        channel=event.channel,
    )
