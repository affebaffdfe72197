"""What happened and what it added up to: the vocabulary that the whole engine shares.

Named tuples rather than dataclasses: the pipeline makes hundreds of thousands of them a second
and hands them to COPY as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID


class Event(NamedTuple):
    """Something a lead did, as far as scoring cares.

    `receipt` is the order in which events came in and decides between equal timestamps; `version`
    is the config version that the event is scored under, now and in every later replay. What of
    its metadata scoring cares about is told beforehand: `fingerprint` (engine.organic) where a
    velocity filter may ask for it, and `is_filtered` when a metadata filter takes the event out.
    """

    event_id: UUID
    event_type: str
    occurred_at: datetime
    receipt: int
    version: int
    fingerprint: int = 0
    is_filtered: bool = False


class EntryKind(StrEnum):
    """Why a ledger entry was written."""

    EVENT = "event"
    DECAY = "decay"
    MERGE = "merge"
    ADJUSTMENT = "adjustment"


class Entry(NamedTuple):
    """One line of a lead's ledger in one ruleset: `after` is `before` plus `delta`, always.

    `seq` counts a ruleset's entries from 1 without a gap, and `before` is the previous entry's
    `after`. `weight` and `multiplier_percent` (100 leaves it as it is) say what the rule was worth;
    `delta` is what came of it once rounded and floored. `kind` is an EntryKind's value.
    """

    ruleset_id: UUID
    seq: int
    event_id: UUID
    rule_id: UUID | None
    version: int
    kind: str
    weight: int
    multiplier_percent: int
    before: int
    delta: int
    after: int
    occurred_at: datetime


class Session(NamedTuple):
    """An unbroken run of a lead's events. No two of a lead share `started_at`, so it is the key."""

    started_at: datetime
    ended_at: datetime
    event_count: int


class Standing(NamedTuple):
    """A lead's score in one ruleset and the `seq` of the ledger entry that it rests on."""

    score: int
    seq: int


UNSCORED = Standing(score=0, seq=0)


class LeadState(NamedTuple):
    """All that scoring a lead's next event needs to know about its past.

    `last_at` and `last_receipt` belong to the last counted event, scored or not; `session` is the
    open one, which the next event may continue; `surge_place` is that event's place in its run
    (engine.surge). `last_decay_at` is when decay last took points since then.
    """

    standings: Mapping[UUID, Standing]
    last_at: datetime | None
    last_receipt: int
    session: Session | None
    surge_place: int = 0
    last_decay_at: datetime | None = None


EMPTY = LeadState(standings=MappingProxyType({}), last_at=None, last_receipt=0, session=None)
