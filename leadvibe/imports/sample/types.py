"""What a sample year is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

Aliases = tuple[tuple[str, str], ...]
Metadata = dict[str, object]


class SampleEvent(NamedTuple):
    """One thing a person (or a machine) did; `aliases` are (kind, value) pairs of one lead."""

    event_type: str
    occurred_at: datetime
    aliases: Aliases
    metadata: Metadata


class SampleLead(NamedTuple):
    """Who is behind a set of aliases, which are exactly those seen in the lead's events."""

    aliases: Aliases
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class SampleYear:
    """A year of a SaaS company's leads; events are in order of time."""

    leads: tuple[SampleLead, ...]
    events: tuple[SampleEvent, ...]


class SampleRule(NamedTuple):
    event_type: str
    weight: int


class SampleRuleset(NamedTuple):
    name: str
    is_primary: bool
    rules: tuple[SampleRule, ...]
