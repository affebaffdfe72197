"""What a preview has found so far: sums that grow lead by lead, and go on where they were left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

FINEST_WIDTH = 5
MOST_BUCKETS = 40
"""Of a distribution: more than that nobody looks at one by one."""


class Comparison(NamedTuple):
    """A lead before and after; one that `is_new` would come to be, under an id of its own."""

    lead_id: str
    is_new: bool
    old_score: int
    new_score: int
    old_level: str
    new_level: str

    @property
    def change(self) -> int:
        return self.new_score - self.old_score

    @property
    def is_affected(self) -> bool:
        return self.is_new or self.change != 0 or self.old_level != self.new_level


@dataclass(slots=True)
class Distribution:
    """How many leads have which scores: in buckets as wide as it takes to keep them few.

    A bucket begins at a multiple of the width and goes up to just before the next one.
    """

    width: int = FINEST_WIDTH
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, score: int) -> None:
        """Count a lead."""
        start = score // self.width * self.width
        self.counts[start] = self.counts.get(start, 0) + 1
        while len(self.counts) > MOST_BUCKETS:
            self.width *= 2
            self.counts = self.widened(self.width)

    def widened(self, width: int) -> dict[int, int]:
        """Return the counts in wider buckets; the width is a multiple of the one so far."""
        merged: dict[int, int] = {}
        for start, count in self.counts.items():
            wider = start // width * width
            merged[wider] = merged.get(wider, 0) + count
        return merged


@dataclass(slots=True)
class Movement:
    """How many scores went up and down, and by how much all of them together."""

    increases: int = 0
    decreases: int = 0
    total: int = 0

    def add(self, change: int) -> None:
        """Count a lead."""
        self.increases += change > 0
        self.decreases += change < 0
        self.total += change


@dataclass(slots=True)
class Milestone:
    """What a trigger at a threshold would see.

    Scores would have risen to it so many `times`, those of so many `leads`; `entering` leads are
    below it now and would not be, `leaving` ones the other way round.
    """

    times: int = 0
    leads: int = 0
    entering: int = 0
    leaving: int = 0


@dataclass(slots=True)
class Findings:
    """All of it. `events_returning` is None until the events without a lead were looked at."""

    leads: int = 0
    movement: Movement = field(default_factory=Movement)
    level_changes: int = 0
    events_returning: int | None = None
    new_leads: int = 0
    folded_leads: int = 0
    old_levels: dict[str, int] = field(default_factory=dict)
    new_levels: dict[str, int] = field(default_factory=dict)
    old_scores: Distribution = field(default_factory=Distribution)
    new_scores: Distribution = field(default_factory=Distribution)
    rulesets: dict[UUID, Movement] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def affected(self) -> int:
        return self.movement.increases + self.movement.decreases

    def add(self, lead: Comparison) -> None:
        """Count a lead, its score and its level."""
        self.new_scores.add(lead.new_score)
        _count(self.new_levels, lead.new_level)
        if lead.is_new:
            self.new_leads += 1
            return
        self.leads += 1
        self.movement.add(lead.change)
        self.level_changes += lead.old_level != lead.new_level
        self.old_scores.add(lead.old_score)
        _count(self.old_levels, lead.old_level)

    def add_ruleset(self, ruleset_id: UUID, change: int) -> None:
        """Count a lead's score in one ruleset."""
        self.rulesets.setdefault(ruleset_id, Movement()).add(change)

    def add_rises(
        self, lead: Comparison, rises: Mapping[int, int], thresholds: Sequence[int]
    ) -> None:
        """Count how often a lead's score rose to thresholds, and on which side it is."""
        for threshold in thresholds:
            milestone = self.milestones.setdefault(threshold, Milestone())
            times = rises.get(threshold, 0)
            milestone.times += times
            milestone.leads += times > 0
            was_reached, is_reached = lead.old_score >= threshold, lead.new_score >= threshold
            milestone.entering += is_reached and not was_reached
            milestone.leaving += was_reached and not is_reached

    def buckets(self) -> list[tuple[int, int, int, int]]:
        """Return (first score, last score, leads before, leads after) of both distributions."""
        width = max(self.old_scores.width, self.new_scores.width)
        old, new = self.old_scores.widened(width), self.new_scores.widened(width)
        return [
            (start, start + width - 1, old.get(start, 0), new.get(start, 0))
            for start in sorted(old.keys() | new.keys())
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the findings as JSON can hold them."""
        written: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return written

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Findings:
        """Read what to_json wrote."""
        return _ADAPTER.validate_python(data)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


_ADAPTER = TypeAdapter(Findings)
