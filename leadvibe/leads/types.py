"""Leads and the ways to recognise them, as other packages see them."""

from __future__ import annotations

from collections.abc import Mapping
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

    `source` and `seen_at` become the source and birth of the lead when it is a new one.
    """

    lead_id: str | None
    aliases: tuple[Alias, ...]
    source: str
    seen_at: datetime


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


class ActivityCount(NamedTuple):
    """What a lead's counted events add up to so far."""

    last_event_at: datetime | None
    last_receipt: int
    event_count: int
    session_count: int


class LeadActivity(NamedTuple):
    """What an event changes on a lead: its headline score and its last activity."""

    lead_id: str
    score: int
    ruleset_id: UUID | None
    last_event_at: datetime | None
    last_event_type: str | None
    last_receipt: int
    event_count: int
    session_count: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which lead each event belongs to, in the order the identities were given.

    `folded` are anonymous leads that turned out to be somebody, and who: their events have moved.
    """

    lead_ids: list[str]
    folded: Mapping[str, str]
