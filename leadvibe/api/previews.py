"""What a configuration would make of history, before anybody makes it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from leadvibe.api.answers import Counted, Pending
from leadvibe.api.config_documents import ConfigDocument
from leadvibe.api.fields import PageQuery, PreviewId, Score, UnitId
from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.rescoring import previewing, queries, service
from leadvibe.rescoring.findings import Comparison, Movement
from leadvibe.rescoring.types import Preview, PreviewKind, WalkState, ruleset_names
from leadvibe.scoring import queries as scoring
from leadvibe.scoring import versions
from leadvibe.scoring.checks import check_config

PATIENCE_SECONDS = 3.0
"""How long a request waits for its preview before it answers that this takes longer."""

MOST_THRESHOLDS = 20
LONGEST_SECONDS = 90
"""Up to which a duration is told in seconds."""


class ProfilePreviewRequest(BaseModel):
    """Which configuration to preview: the current one, unless another is named."""

    draft_id: UUID | None = Field(None, description="A draft, as publishing it would score.")
    version: int | None = Field(None, ge=1, description="An older version, as going back would.")
    config: ConfigDocument | None = Field(None, description="A configuration, as export gives it.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = [name for name in ("draft_id", "version", "config") if getattr(self, name)]
        if len(named) > 1:
            raise PydanticCustomError(
                "several_configurations",
                "does not go together with {other}: give one of them",
                {"field": named[1], "other": named[0]},
            )
        return self


class PreviewRequest(ProfilePreviewRequest):
    """Which configuration to preview, and which thresholds to watch."""

    thresholds: list[Score] = Field(
        default_factory=list,
        max_length=MOST_THRESHOLDS,
        description="Scores of milestones: how often would history have risen to each?",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelShare:
    """How many leads have a level before and after."""

    level: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBucket:
    """How many leads have a score in a range before and after; both ends belong to it."""

    low: int
    high: int
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetMovement:
    """What would happen to the scores in one ruleset."""

    rulesetId: UUID  # noqa: N815 - as the contract spells its neighbours
    name: str
    increases: int
    decreases: int
    totalChange: int  # noqa: N815


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewMilestone:
    """Scores would have risen to the threshold so many `times`, those of so many `leads`.

    `entering` leads are below it now and would not be; `leaving` ones the other way round.
    """

    threshold: int
    times: int
    leads: int
    entering: int
    leaving: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewItem:
    """What a preview has found, every lead counted and none estimated; partial until finished.

    One of account scores is of accounts: they are what it calls leads. `averageScoreChange` is over
    all leads. Events that filters had put aside without a lead would
    come back (`returningEvents`) and make `newLeads`, which are in no other count of leads.
    """

    previewId: UUID  # noqa: N815 - the whole answer as the contract spells its parts
    kind: PreviewKind
    status: WalkState
    percent: int
    subject: str
    version: int
    totalLeads: int  # noqa: N815
    leadsDone: int  # noqa: N815
    affectedLeads: int  # noqa: N815
    estimatedIncreases: int  # noqa: N815
    estimatedDecreases: int  # noqa: N815
    estimatedUnchanged: int  # noqa: N815
    averageScoreChange: float  # noqa: N815
    executionTimeEstimate: str  # noqa: N815
    levelChanges: int  # noqa: N815
    newLeads: int  # noqa: N815
    returningEvents: int  # noqa: N815
    levels: list[LevelShare]
    scores: list[ScoreBucket]
    rulesets: list[RulesetMovement]
    milestones: list[PreviewMilestone]
    error: str | None
    createdAt: datetime  # noqa: N815
    createdBy: str  # noqa: N815
    finishedAt: datetime | None  # noqa: N815


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLead:
    """A lead before and after; `lead_id` is null for one that would come to be.

    In a preview of account scores it is the account's key.
    """

    lead_id: str | None
    old_score: int
    new_score: int
    change: int
    old_level: str | None
    new_level: str


def preview_rescore(
    principal: Principal,
    unit_id: UnitId,  # noqa: ARG001 - the caller works in it by now
    body: PreviewRequest,
) -> PreviewItem | Pending[PreviewItem]:
    """What rescoring would change, lead by lead, under the current configuration or another.

    Nothing is changed. Answers 202 with the preview so far when it takes longer than moments:
    follow it, or cancel it.
    """
    return _preview(principal, body, PreviewKind.ENGAGEMENT, thresholds=body.thresholds)


def preview_profile_rescore(
    principal: Principal,
    unit_id: UnitId,  # noqa: ARG001 - the caller works in it by now
    body: ProfilePreviewRequest,
) -> PreviewItem | Pending[PreviewItem]:
    """What scoring all profiles anew would change, under the current configuration or another."""
    return _preview(principal, body, PreviewKind.PROFILE, thresholds=[])


def preview_account_rescore(
    principal: Principal,
    unit_id: UnitId,  # noqa: ARG001 - the caller works in it by now
    body: ProfilePreviewRequest,
) -> PreviewItem | Pending[PreviewItem]:
    """What scoring all accounts anew would change, under the current configuration or another.

    Its leads are accounts.
    """
    scoring.require_abm(principal.scope)
    return _preview(principal, body, PreviewKind.ACCOUNT, thresholds=[])


def list_previews(principal: Principal, query: PageQuery) -> Counted[PreviewItem]:
    """The unit's previews of the last week, the latest first."""
    scope = principal.scope
    page = queries.search_previews(scope, query.request)
    return Counted([_item(scope, preview) for preview in page.items], page.total.count)


def get_preview(principal: Principal, preview_id: PreviewId) -> PreviewItem:
    """How far a preview is, and what it has found."""
    scope = principal.scope
    return _item(scope, queries.get_preview(scope, preview_id))


def list_preview_leads(
    principal: Principal, preview_id: PreviewId, query: PageQuery
) -> Counted[PreviewLead]:
    """The leads whose score or level would be another, the largest change first."""
    scope = principal.scope
    queries.get_preview(scope, preview_id)
    page = queries.search_preview_leads(scope, preview_id, query.request)
    return Counted([_lead(lead) for lead in page.items], page.total.count)


def cancel_preview(principal: Principal, preview_id: PreviewId) -> PreviewItem:
    """End a preview that is under way; one that has ended stays as it is."""
    scope = principal.scope
    return _item(scope, service.cancel_preview(scope, preview_id, now=utc_now()))


def _preview(
    principal: Principal, body: ProfilePreviewRequest, kind: PreviewKind, *, thresholds: list[int]
) -> PreviewItem | Pending[PreviewItem]:
    scope = principal.scope
    config, subject = _wanted(scope, body)
    asked = service.request_preview(
        principal,
        scope,
        config,
        kind=kind,
        subject=subject,
        thresholds=thresholds,
        queue=job_queue(),
        now=utc_now(),
    )
    preview = previewing.await_preview(scope, asked.walk_id, seconds=PATIENCE_SECONDS)
    item = _item(scope, preview)
    return item if preview.is_complete else Pending(item, f"/scoring/previews/{preview.walk_id}")


def _wanted(scope: Scope, body: ProfilePreviewRequest) -> tuple[Config, str]:
    """Return the configuration that is meant, and its name in words."""
    current = scoring.current_version(scope)
    if body.draft_id is not None:
        draft = scoring.get_draft(scope, body.draft_id)
        return scoring.get_draft_config(scope, draft.draft_id), f"draft {draft.name}"
    if body.version is not None and body.version != current:
        older = versions.get_version_config(scope, body.version)
        return scoring.fit_config(scope, older), f"version {body.version}"
    if body.config is not None:
        fitted = scoring.fit_config(scope, body.config.to_config())
        check_config(fitted, prefix="config.")
        return replace(fitted, version=current + 1), "a configuration of its own"
    return scoring.get_config(scope, current), "the current configuration"


def _item(scope: Scope, preview: Preview) -> PreviewItem:
    found = preview.findings
    moved = found.movement
    before = scoring.get_config(scope, preview.version)
    return PreviewItem(
        previewId=preview.walk_id,
        kind=preview.kind,
        status=preview.state,
        percent=preview.percent,
        subject=preview.subject,
        version=preview.version,
        totalLeads=preview.leads_total,
        leadsDone=preview.leads_done,
        affectedLeads=found.affected,
        estimatedIncreases=moved.increases,
        estimatedDecreases=moved.decreases,
        estimatedUnchanged=found.leads - found.affected,
        averageScoreChange=round(moved.total / found.leads, 2) if found.leads else 0.0,
        executionTimeEstimate=_duration(preview.rescore_seconds),
        levelChanges=found.level_changes,
        newLeads=found.new_leads,
        returningEvents=found.events_returning or 0,
        levels=list(_levels(preview, before)),
        scores=[
            ScoreBucket(low=low, high=high, before=before, after=after)
            for low, high, before, after in found.buckets()
        ],
        rulesets=list(_rulesets(preview, before)),
        milestones=[
            PreviewMilestone(
                threshold=threshold,
                times=it.times,
                leads=it.leads,
                entering=it.entering,
                leaving=it.leaving,
            )
            for threshold, it in sorted(found.milestones.items())
        ],
        error=preview.error,
        createdAt=preview.created_at,
        createdBy=preview.created_by,
        finishedAt=preview.finished_at,
    )


def _levels(preview: Preview, before: Config) -> Iterator[LevelShare]:
    """Yield the levels there will be, lowest first, then those there are only now."""
    kind = LevelKind(preview.kind)
    known = (*preview.config.levels_of(kind), *before.levels_of(kind))
    old, new = preview.findings.old_levels, preview.findings.new_levels
    for name in dict.fromkeys((*(level.name for level in known), UNCLASSIFIED)):
        yield LevelShare(level=name, before=old.get(name, 0), after=new.get(name, 0))


def _rulesets(preview: Preview, before: Config) -> Iterator[RulesetMovement]:
    names = {**ruleset_names(before, preview.kind), **ruleset_names(preview.config, preview.kind)}
    for ruleset_id, name in names.items():
        moved = preview.findings.rulesets.get(ruleset_id, Movement())
        yield RulesetMovement(
            rulesetId=ruleset_id,
            name=name,
            increases=moved.increases,
            decreases=moved.decreases,
            totalChange=moved.total,
        )


def _lead(lead: Comparison) -> PreviewLead:
    return PreviewLead(
        lead_id=None if lead.is_new else lead.lead_id,
        old_score=lead.old_score,
        new_score=lead.new_score,
        change=lead.change,
        old_level=None if lead.is_new else lead.old_level,
        new_level=lead.new_level,
    )


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds <= LONGEST_SECONDS:
        return f"about {seconds:.0f} seconds"
    return f"about {seconds / 60:.0f} minutes"
