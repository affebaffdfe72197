"""Merging leads: what it would do, doing it, undoing it, and which leads may be one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from leadvibe.api.answers import Counted
from leadvibe.api.fields import LARGEST_INTEGER, Instant, PageQuery
from leadvibe.api.leads import LeadRecord, record_of
from leadvibe.events.types import Truncation, TruncationPolicy
from leadvibe.identity.types import Principal
from leadvibe.leads import suggestions
from leadvibe.leads.types import Lead, MergeSuggestion
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline import merging
from leadvibe.pipeline.intake import ShortText
from leadvibe.pipeline.merging import ScoreChange

MOST_SOURCES = 100
ALL_BACK = "Each lead has back what was its own; what came in since the merge stays."
GONE_FOR_GOOD = f"{ALL_BACK} Events that the merge left out were deleted and do not come back."

LeadIds = Annotated[list[ShortText], Field(min_length=1, max_length=MOST_SOURCES)]


class TruncateRule(BaseModel):
    """What is left out of the sources' events, and so deleted; the target's own always stay."""

    policy: TruncationPolicy = Field(
        TruncationPolicy.NONE,
        description="none: all events move; before: those from `before` on; limit: the newest"
        " `keep` of all sources together.",
    )
    before: Instant | None = Field(None, description="With before: when the first one happened.")
    keep: int | None = Field(
        None, ge=0, le=LARGEST_INTEGER, description="With limit: how many events move."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        needed = {TruncationPolicy.BEFORE: "before", TruncationPolicy.LIMIT: "keep"}
        field = needed.get(self.policy)
        if field is not None and getattr(self, field) is None:
            raise PydanticCustomError(
                "incomplete", "is missing: the policy needs it", {"field": field}
            )
        return self

    def read(self) -> Truncation:
        return Truncation(self.policy, self.before, self.keep)


class MergePlan(BaseModel):
    """Which leads become part of which."""

    model_config = ConfigDict(populate_by_name=True)

    target_id: ShortText = Field(alias="targetLeadId", description="The lead that stays.")
    source_ids: LeadIds = Field(alias="sourceLeadIds", description="Leads that become part of it.")


class MergeOrder(MergePlan):
    """Which leads become part of which, and what is left out."""

    truncate: TruncateRule | None = Field(None, description="All events move when left out.")


class UnmergeOrder(BaseModel):
    """Which leads stand for themselves again."""

    source_ids: LeadIds | None = Field(
        None,
        validation_alias=AliasChoices("sourceLeadIds", "source_lead_ids"),
        description="Leads that were merged into this one; all that somebody merged if left out.",
    )


class LeadPair(BaseModel):
    """Two leads that a suggestion names."""

    lead_id: ShortText
    other_lead_id: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePreview:
    """What a merge would do. `total_events`, `_aliases` and `_sessions` would move.

    `duplicate_aliases` are those of them that events of the target have named as well.
    """

    target_lead_id: str
    source_lead_ids: list[str]
    target_events: int
    total_events: int
    total_aliases: int
    total_sessions: int
    duplicate_aliases: int
    target_score: int
    source_scores: dict[str, int]
    account_conflict: bool
    accounts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge did. `rescore` has the target's score by ruleset, and how many changed."""

    target: LeadRecord
    mergedSources: list[str]  # noqa: N815 - the contract's spelling
    movedEvents: int  # noqa: N815
    truncatedEvents: int  # noqa: N815
    rescore: Mapping[str, ScoreChange | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmerged:
    """What undoing a merge did. `lost_events`, by lead, are those that it cannot bring back."""

    target: LeadRecord
    restored: list[LeadRecord]
    moved_events: int
    lost_events: Mapping[str, int]
    message: str
    rescore: Mapping[str, ScoreChange | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAlias:
    alias_kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionItem:
    """Two leads that may be one person: events of `lead_id` named aliases of the other."""

    lead_id: str
    lead_name: str
    other_lead_id: str
    other_lead_name: str
    aliases: list[SharedAlias]
    seen_at: datetime


def preview(principal: Principal, body: MergePlan) -> MergePreview:
    """What merging leads would do; it changes nothing."""
    seen = merging.preview(principal.scope, body.target_id, body.source_ids)
    accounts = _accounts([seen.target, *seen.sources])
    return MergePreview(
        target_lead_id=seen.target.lead_id,
        source_lead_ids=[source.lead_id for source in seen.sources],
        target_events=seen.target_events,
        total_events=seen.events,
        total_aliases=seen.aliases,
        total_sessions=seen.sessions,
        duplicate_aliases=seen.contested_aliases,
        target_score=seen.target.score,
        source_scores={source.lead_id: source.score for source in seen.sources},
        account_conflict=len(accounts) > 1,
        accounts=accounts,
    )


def merge(principal: Principal, body: MergeOrder) -> Merged:
    """Fold leads into one: it gets their events, aliases and orders, and is scored anew."""
    done = merging.merge(
        principal,
        principal.scope,
        body.target_id,
        body.source_ids,
        truncation=body.truncate.read() if body.truncate else merging.KEEP_ALL,
        now=utc_now(),
    )
    return Merged(
        target=record_of(done.target),
        mergedSources=list(done.source_ids),
        movedEvents=done.moved_events,
        truncatedEvents=done.lost_events,
        rescore=_rescore(done.scores),
    )


def unmerge(principal: Principal, lead_id: str, body: UnmergeOrder) -> Unmerged:
    """Take leads out of the one they were merged into; each gets back what was its own.

    What came in for the lead since then stays with it, and what truncation deleted stays deleted.
    """
    done = merging.unmerge(principal, principal.scope, lead_id, body.source_ids, now=utc_now())
    return Unmerged(
        target=record_of(done.target),
        restored=[record_of(lead) for lead in done.released],
        moved_events=done.moved_events,
        lost_events=done.lost_events,
        message=GONE_FOR_GOOD if done.lost_events else ALL_BACK,
        rescore=_rescore(done.scores),
    )


def list_suggestions(principal: Principal, query: PageQuery) -> Counted[SuggestionItem]:
    """Pairs of leads that one event has named together, the latest first."""
    page = suggestions.list_suggestions(principal.scope, query.request)
    return Counted([_suggestion(it) for it in page.items], page.total.count)


def dismiss_suggestion(principal: Principal, body: LeadPair) -> None:
    """Never suggest to merge these two again."""
    suggestions.dismiss(
        principal.scope,
        body.lead_id,
        body.other_lead_id,
        by=principal.label,
        now=utc_now(),
    )


def _accounts(leads: list[Lead]) -> list[str]:
    return sorted({lead.account_id for lead in leads if lead.account_id is not None})


def _rescore(scores: Mapping[UUID, ScoreChange]) -> dict[str, ScoreChange | int]:
    changed = sum(change.before != change.after for change in scores.values())
    by_ruleset = {str(ruleset_id): change for ruleset_id, change in scores.items()}
    return {**by_ruleset, "rulesets_updated": changed}


def _suggestion(it: MergeSuggestion) -> SuggestionItem:
    return SuggestionItem(
        lead_id=it.lead_id,
        lead_name=it.lead_name,
        other_lead_id=it.other_lead_id,
        other_lead_name=it.other_name,
        aliases=[SharedAlias(alias_kind=kind, value=value) for kind, value in it.aliases],
        seen_at=it.seen_at,
    )
