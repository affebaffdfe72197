"""Leads and the ways to recognise them, as other packages see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


class AliasKind(StrEnum):
    """Kinds of identifier, in order of precedence when they name different leads."""

    EXTERNAL_ID = "external_id"
    EMAIL = "email"
    PHONE = "phone"
    SOCIAL = "social"
    COOKIE = "cookie"


class AliasKey(NamedTuple):
    """An identifier as it is looked up: kind and normalised value."""

    kind: str
    value: str


class Alias(NamedTuple):
    """An identifier with the spelling it came in."""

    kind: str
    value: str
    raw_value: str

    @property
    def key(self) -> AliasKey:
        return AliasKey(self.kind, self.value)


class Identity(NamedTuple):
    """How one event names its lead: an id, aliases, or both.

    `source` and `seen_at` become the source and birth of the lead when it is a new one. Aliases
    of the `decisive` kind say who it is before all others do.
    """

    lead_id: str | None
    aliases: tuple[Alias, ...]
    source: str
    seen_at: datetime
    decisive: AliasKind | None = None


class Birth(NamedTuple):
    """Where a new lead came from, and when."""

    source: str
    created_at: datetime
    has_own_id: bool


class Conflict(NamedTuple):
    """An alias that belongs to another lead than the one its event was given to."""

    lead_id: str
    other_lead_id: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class StoredAlias:
    alias_id: UUID
    kind: str
    value: str
    raw_value: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as it is stored, with the headline score that lists show."""

    lead_id: str
    org_id: UUID
    unit_id: UUID
    account_id: str | None
    owner_id: UUID | None
    owner_name: str | None
    name: str
    detail: str | None
    metadata: Mapping[str, Any]
    source: str
    merged_into: str | None
    created_at: datetime
    updated_at: datetime
    score: int
    ruleset_id: UUID | None
    last_event_at: datetime | None
    last_event_type: str | None
    event_count: int
    session_count: int


class LeadActivity(NamedTuple):
    """What an event changes on a lead: its headline score, and what its counted events add up to.

    `surge_place` and `last_decay_at` are as in engine.facts.LeadState; events of versions before
    `base_version` are scored under that one.
    """

    lead_id: str
    score: int
    ruleset_id: UUID | None
    last_event_at: datetime | None
    last_event_type: str | None
    last_receipt: int
    event_count: int
    session_count: int
    surge_place: int
    last_decay_at: datetime | None
    base_version: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which lead each event belongs to, in the order the identities were given.

    `folded` are anonymous leads that turned out to be somebody, and who: their events have moved.
    `created` are the leads that are new.
    """

    lead_ids: list[str]
    folded: Mapping[str, str]
    created: Collection[str]


NOBODY = ""
"""Whom a lead that is being deleted is merged into: no lead has this id.

So it leaves lists, indexes and counts at once and for the same reason as a merged one.
"""


class MergedLead(NamedTuple):
    """A lead that another stands for. `merged_by` is None when the pipeline folded it in.

    `lost_events` were left out when it was merged, and are gone.
    """

    lead_id: str
    merged_into: str
    merged_by: str | None
    lost_events: int


@dataclass(frozen=True, slots=True)
class MergeSuggestion:
    """Two leads that events have named together: they may be the same person.

    `lead_id` is the one the events were given to; `aliases` are those of the other one.
    """

    lead_id: str
    lead_name: str
    other_lead_id: str
    other_name: str
    aliases: tuple[AliasKey, ...]
    seen_at: datetime


class DeletionState(StrEnum):
    """How far a deletion is; `failed` ones are tried again when somebody asks again."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LeadDeletion:
    """The wish that a lead be gone. Its events up to `last_receipt` go, later ones stay."""

    deletion_id: UUID
    org_id: UUID
    unit_id: UUID
    lead_id: str
    state: DeletionState
    last_receipt: int
    attempts: int
    events_deleted: int
    requested_at: datetime
    requested_by: str
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        return self.state in {DeletionState.COMPLETED, DeletionState.FAILED}
