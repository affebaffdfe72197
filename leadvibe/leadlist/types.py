"""What a list of leads can be narrowed to, ordered by, and shows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


class Comparison(NamedTuple):
    """A condition on what is recorded: eq, in, gte, gt, lte, lt with a value, exists with a bool.

    `column` is one of leadlist.records.
    """

    column: str
    operator: str
    value: Any


class SortKey(StrEnum):
    SCORE = "score"
    LAST_ACTIVE = "last_active"
    CREATED = "created"
    NAME = "name"


class Sort(NamedTuple):
    key: SortKey = SortKey.SCORE
    is_descending: bool = True


class ScoreRange(NamedTuple):
    """A range of scores, both ends included; None leaves an end open."""

    low: int | None
    high: int | None


class LeadFilter(NamedTuple):
    """Conditions that all hold; None, empty or False leaves one out.

    `score_ranges` are alternatives: a level is one range, "Unclassified" the gaps between levels.
    """

    search: str = ""
    min_score: int | None = None
    max_score: int | None = None
    score_ranges: tuple[ScoreRange, ...] | None = None
    event_type: str | None = None
    active_since: datetime | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    is_unresolved: bool | None = None
    """True: those that belong to no account. There is no False."""
    owner_id: UUID | None = None
    is_unowned: bool | None = None
    account_id: str | None = None
    watched_by: UUID | None = None
    """The member whose watch list they are on."""
    lead_ids: tuple[str, ...] | None = None
    """Leads that are named; the others are left out."""
    segment_id: UUID | None = None
    profile_level: str | None = None
    """The name of the level by the primary profile ruleset."""
    recorded: tuple[Comparison, ...] | None = None
    """What must be recorded of them."""


class LeadLine(NamedTuple):
    """A lead as a list shows it."""

    lead_id: str
    name: str
    detail: str | None
    score: int
    ruleset_id: UUID | None
    owner_name: str | None
    last_event_at: datetime | None
    last_event_type: str | None
    event_count: int
    session_count: int
    created_at: datetime
    updated_at: datetime
