"""What is done to many leads at once, to which, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from leadvibe.leadlist.types import LeadFilter


class BulkKind(StrEnum):
    ASSIGN_OWNER = "assign_owner"
    WATCH = "watch"
    UNWATCH = "unwatch"
    RESCORE = "rescore"
    DELETE = "delete"
    ADD_TO_SEGMENT = "add_to_segment"
    REMOVE_FROM_SEGMENT = "remove_from_segment"

    @property
    def can_be_undone(self) -> bool:
        return self not in {BulkKind.RESCORE, BulkKind.DELETE}

    @property
    def is_of_segment(self) -> bool:
        return self in {BulkKind.ADD_TO_SEGMENT, BulkKind.REMOVE_FROM_SEGMENT}


class BulkState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Selection:
    """Leads that are named, or all that a filter leaves at the time it is done."""

    lead_ids: Sequence[str] = ()
    criteria: LeadFilter | None = None


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something that is done to leads. It changes some of them: others are so already, or gone."""

    action_id: UUID
    org_id: UUID
    unit_id: UUID
    kind: BulkKind
    state: BulkState
    selection: Selection
    member_id: UUID | None
    owner_id: UUID | None
    owner_name: str | None
    segment_id: UUID | None
    undoes: UUID | None
    undone_by: UUID | None
    after_lead: str
    leads_total: int
    leads_done: int
    leads_changed: int
    attempts: int
    error: str | None
    created_at: datetime
    created_by: str
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        return self.state in {BulkState.FINISHED, BulkState.FAILED}

    @property
    def can_be_undone(self) -> bool:
        return (
            self.kind.can_be_undone
            and self.state is BulkState.FINISHED
            and self.leads_changed > 0
            and self.undoes is None
            and self.undone_by is None
        )
