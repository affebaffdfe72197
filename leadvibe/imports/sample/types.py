"""What a sample year is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from leadvibe.leads.statuses import Status

Aliases = tuple[tuple[str, str], ...]
Metadata = dict[str, object]


class SampleEvent(NamedTuple):
    """One thing a person (or a machine) did; `aliases` are (kind, value) pairs of one lead."""

    event_type: str
    occurred_at: datetime
    aliases: Aliases
    metadata: Metadata


class SampleChange(NamedTuple):
    """A step that sales took with a lead."""

    status: Status
    before: Status
    at: datetime
    by: str


class SampleRecord(NamedTuple):
    """What is recorded of a lead beside who it is: `fields` are those of leads.fields, as JSON.

    `rep` is who looks after it, if anybody does.
    """

    fields: Metadata
    changes: tuple[SampleChange, ...] = ()
    rep: str | None = None


class SampleLead(NamedTuple):
    """Who is behind a set of aliases, which are exactly those seen in the lead's events."""

    aliases: Aliases
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class SampleYear:
    """A year of a SaaS company's leads, a record of each; events are in order of time."""

    leads: tuple[SampleLead, ...]
    records: tuple[SampleRecord, ...]
    events: tuple[SampleEvent, ...]


class SampleRule(NamedTuple):
    event_type: str
    weight: int


class SampleRuleset(NamedTuple):
    name: str
    is_primary: bool
    rules: tuple[SampleRule, ...]
