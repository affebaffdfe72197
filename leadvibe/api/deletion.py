"""Deleting for good: whole leads, and all events of a type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leadvibe.events.type_deletion import get_type_deletion
from leadvibe.events.types import TypeDeletion
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.leads.deletion import get_deletion
from leadvibe.leads.types import DeletionState
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline import deletion, type_deletion

PATIENCE_SECONDS = 2.0
"""How long somebody who deletes a type's events waits before the rest is left to a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionBegun:
    message: str
    lead_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionStatus:
    """How far the deletion of a lead is; `events_deleted` are those deleted so far."""

    lead_id: str
    status: DeletionState
    events_deleted: int
    requested_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDeletionCount:
    """What deleting the events of a type would delete."""

    events_count: int
    event_scores_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDeleted:
    """What has been deleted of a type; with `in_progress` a worker goes on with the rest."""

    events_deleted: int
    event_scores_deleted: int
    status: DeletionState
    requested_at: datetime
    finished_at: datetime | None


def delete_lead(principal: Principal, lead_id: str) -> DeletionBegun:
    """Delete a lead and all its data for good: it is out of sight at once, the rest follows.

    What comes in later under its id or its aliases makes a new lead.
    """
    wanted = deletion.request_deletion(
        principal, principal.scope, lead_id, queue=job_queue(), now=utc_now()
    )
    return DeletionBegun(message="Lead deletion initiated", lead_id=wanted.lead_id)


def get_status(principal: Principal, lead_id: str) -> DeletionStatus:
    """How far the deletion of a lead is; it can be asked for 30 days after its end."""
    found = get_deletion(principal.scope, lead_id)
    return DeletionStatus(
        lead_id=found.lead_id,
        status=found.state,
        events_deleted=found.events_deleted,
        requested_at=found.requested_at,
        finished_at=found.finished_at,
    )


def count_type(principal: Principal, event_type: str) -> TypeDeletionCount:
    """What deleting all events of a type would delete; it changes nothing."""
    counted = type_deletion.count_type(principal.scope, event_type)
    return TypeDeletionCount(events_count=counted.events, event_scores_count=counted.entries)


def delete_type(principal: Principal, event_type: str) -> TypeDeleted:
    """Delete all events of a type for good; the scores of their leads follow.

    A type that an active rule scores, or that Leadvibe writes itself, is protected.
    """
    done = type_deletion.delete_type(
        principal,
        principal.scope,
        event_type,
        queue=job_queue(),
        now=utc_now(),
        patience_seconds=PATIENCE_SECONDS,
    )
    return _type_deleted(done)


def get_type_status(principal: Principal, event_type: str) -> TypeDeleted:
    """How far the deletion of a type's events is."""
    return _type_deleted(get_type_deletion(principal.scope, event_type))


def _type_deleted(it: TypeDeletion) -> TypeDeleted:
    return TypeDeleted(
        events_deleted=it.events_deleted,
        event_scores_deleted=it.entries_deleted,
        status=it.state,
        requested_at=it.requested_at,
        finished_at=it.finished_at,
    )
