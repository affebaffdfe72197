"""One thing done to many leads: given to an owner, watched, put into a segment, and so on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool

from leadvibe.api.fields import BulkActionId, Instant, Score, Text, storable
from leadvibe.bulk import queries, service
from leadvibe.bulk.types import BulkAction, BulkKind, BulkState, Selection
from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.rules import LevelKind
from leadvibe.http.workers import job_queue
from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.queries import get_member_of
from leadvibe.identity.types import Member, Principal, Scope
from leadvibe.leadlist.types import LeadFilter
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.scoring import queries as scoring

_LeadId = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(storable)]


class LeadCriteria(BaseModel):
    """What leads must meet, all of it; an empty object means all leads of the unit."""

    search: Text = Field("", description="A part of an id, an alias or a name.")
    min_score: Score | None = Field(None, description="At least this score.")
    max_score: Score | None = Field(None, description="At most this score.")
    event_type: Text | None = Field(None, description="The type of their last event.")
    active_since: Instant | None = Field(None, description="Their last event is no older.")
    created_from: Instant | None = Field(None, description="Made then or later.")
    created_before: Instant | None = Field(None, description="Made before then.")
    owner_id: UUID | None = Field(None, description="Whose they are.")
    unowned: StrictBool = Field(False, description="Only those that are nobody's.")
    account_id: Text | None = Field(None, description="The account they belong to.")
    segment_id: UUID | None = Field(None, description="The segment they are in.")
    profile_level: Text | None = Field(None, description="By the primary profile ruleset.")

    def read(self) -> LeadFilter:
        fields = self.model_dump(exclude={"unowned"})
        return LeadFilter(**fields, is_unowned=True if self.unowned else None)


class NewBulkAction(BaseModel):
    """What to do, and to which leads: `lead_ids` or `criteria`."""

    action: BulkKind = Field(description="What is done to each of them.")
    lead_ids: list[_LeadId] | None = Field(
        None, min_length=1, max_length=service.MOST_NAMED, description="Leads by their ids."
    )
    criteria: LeadCriteria | None = Field(None, description="All leads that meet this.")
    owner_id: UUID | None = Field(
        None, description="For assign_owner: the member they are given to; null for nobody."
    )
    segment_id: UUID | None = Field(
        None, description="For add_to_segment and remove_from_segment: which one."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """How far it is. `leads_changed` were not so already; the others were, or are gone."""

    action_id: UUID
    action: BulkKind
    status: BulkState
    owner_id: UUID | None
    owner_name: str | None
    segment_id: UUID | None
    leads_total: int
    leads_done: int
    leads_changed: int
    can_be_undone: bool
    undoes: UUID | None
    error: str | None
    created_at: datetime
    created_by: str
    finished_at: datetime | None


def start_action(principal: Principal, body: NewBulkAction) -> BulkItem:
    """Do something to many leads: at once when they are few, else a worker does.

    Watching is for members, each for themselves. Who is put into a segment or taken out of it
    stays so, whatever its rules say.
    """
    made = service.request_action(
        principal,
        body.action,
        _selection(principal.scope, body),
        owner=_owner(principal.scope, body.owner_id),
        segment_id=body.segment_id,
        queue=job_queue(),
        now=utc_now(),
    )
    return _item(made)


def get_action(principal: Principal, action_id: BulkActionId) -> BulkItem:
    """How far it is; it can be asked for some days."""
    return _item(queries.get_action(principal.scope, action_id))


def undo_action(principal: Principal, action_id: BulkActionId) -> BulkItem:
    """Take back what was done where nobody has changed it since; not rescoring, nor deleting."""
    return _item(service.undo(principal, action_id, queue=job_queue(), now=utc_now()))


def _selection(scope: Scope, body: NewBulkAction) -> Selection:
    if (body.lead_ids is None) == (body.criteria is None):
        raise InvalidError(
            "Name leads by lead_ids, or describe them by criteria: one of the two.",
            fields={"lead_ids": "or criteria is needed, and not both"},
        )
    if body.criteria is None:
        return Selection(tuple(body.lead_ids or ()))
    level = body.criteria.profile_level
    names = {it.name for it in scoring.list_levels(scope, LevelKind.PROFILE)} | {UNCLASSIFIED}
    if level is not None and level not in names:
        raise InvalidError(
            f"There is no profile level '{level}'.",
            fields={"criteria.profile_level": "is the name of no profile level"},
        )
    return Selection(criteria=body.criteria.read())


def _owner(scope: Scope, owner_id: UUID | None) -> Member | None:
    if owner_id is None:
        return None
    try:
        return get_member_of(scope.org_id, owner_id)
    except MemberNotFoundError:
        problem = "is no member of the organisation"
        raise InvalidError(f"owner_id {problem}.", fields={"owner_id": problem}) from None


def _item(action: BulkAction) -> BulkItem:
    return BulkItem(
        action_id=action.action_id,
        action=action.kind,
        status=action.state,
        owner_id=action.owner_id,
        owner_name=action.owner_name,
        segment_id=action.segment_id,
        leads_total=action.leads_total,
        leads_done=action.leads_done,
        leads_changed=action.leads_changed,
        can_be_undone=action.can_be_undone,
        undoes=action.undoes,
        error=action.error,
        created_at=action.created_at,
        created_by=action.created_by,
        finished_at=action.finished_at,
    )
