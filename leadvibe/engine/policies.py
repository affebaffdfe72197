"""What steers scoring beside rules: surge, decay, filters, mappings, profile and account rules.

The values of a unit's configuration, with nothing of how they work; each mechanism has a module
of its own. They turn into JSON and back as one, see `Policies`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from pydantic import PlainSerializer, TypeAdapter

PLAIN_PERCENT = 100
"""The multiplier that leaves a weight as it is."""

DECAY_TYPE = "DECAY"
"""The type of the events that decay writes."""

LEAD_MERGED_TYPE = "lead_merged"
LEAD_UNMERGED_TYPE = "lead_unmerged"

SYSTEM_TYPES = frozenset({DECAY_TYPE, LEAD_MERGED_TYPE, LEAD_UNMERGED_TYPE})
"""What Leadvibe itself writes down; such events never count, whoever sends them."""


class SurgeMode(StrEnum):
    """How a session multiplies what its events are worth."""

    OFF = "off"
    STANDARD = "standard"
    GENTLE = "gentle"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Band:
    """From the `min_events`-th event of a session on, weights count `multiplier_percent`."""

    min_events: int
    multiplier_percent: int


@dataclass(frozen=True, slots=True)
class SurgePolicy:
    """Bands in ascending order; a gap longer than `idle_reset_seconds` starts the count again."""

    mode: SurgeMode
    bands: tuple[Band, ...]
    idle_reset_seconds: int
    cap_percent: int


SURGE_OFF = SurgePolicy(SurgeMode.OFF, (), 1800, PLAIN_PERCENT)
SURGE_STANDARD = SurgePolicy(
    SurgeMode.STANDARD, (Band(1, 100), Band(3, 125), Band(5, 150), Band(10, 200)), 1800, 200
)
SURGE_GENTLE = SurgePolicy(
    SurgeMode.GENTLE, (Band(1, 100), Band(5, 110), Band(10, 125), Band(20, 150)), 1800, 150
)


class DecayUnit(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"


@dataclass(frozen=True, slots=True)
class DecayRule:
    """Takes `decrease` points after every `inactive_for` units without a counted event.

    Nothing that was due before `created_at` is ever taken.
    """

    decay_id: UUID
    inactive_for: int
    unit: DecayUnit
    decrease: int
    created_at: datetime

    @property
    def period(self) -> timedelta:
        return timedelta(**{self.unit.value: self.inactive_for})


@dataclass(frozen=True, slots=True)
class VelocityFilter:
    """More than `count_threshold` events of a type within `time_window_ms` are a machine's.

    With `group_events` such a burst counts as its first event; without, what came before the
    threshold was passed counts too.
    """

    filter_id: UUID
    event_type: str
    count_threshold: int
    time_window_ms: int
    group_events: bool
    enabled: bool = True

    @property
    def window(self) -> timedelta:
        return timedelta(milliseconds=self.time_window_ms)


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A property, an operator and what to compare it with, as engine.conditions reads them."""

    key: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class MetadataFilter:
    """Events whose metadata meets all conditions do not count; no `event_type` means any."""

    filter_id: UUID
    name: str
    event_type: str
    conditions: tuple[FieldTest, ...]
    enabled: bool = True


class UpdateBehavior(StrEnum):
    """What a mapping does with a value when there is one already."""

    ALWAYS_LATEST = "always_latest"
    SET_ONCE = "set_once"
    APPEND = "append"


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Carries an event's metadata at `source_field` (dots reach inside) to a property."""

    mapping_id: UUID
    source_field: str
    target_property: str
    update_behavior: UpdateBehavior


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """A property's test and what it is worth when it is met."""

    rule_id: UUID
    test: FieldTest
    weight: int
    order: int = 0


@dataclass(frozen=True, slots=True)
class AttributeRuleset:
    """Rules about who somebody is, adding up to one score. A disabled one scores nobody anew."""

    ruleset_id: UUID
    name: str
    enabled: bool = True
    is_primary: bool = False
    rules: tuple[AttributeRule, ...] = ()


class Reach(StrEnum):
    """How far events of a type may reach: a ceiling. Each includes those before it."""

    OBSERVE = "observe"
    """Stored, mapped and shown."""
    DECIDE = "decide"
    """Also scored."""
    ACTIVATE = "activate"
    """Also heard by triggers and notifications."""


@dataclass(frozen=True, slots=True)
class EventTypePolicy:
    """A hidden type is scored by no rule, but still shows that somebody is there."""

    hidden: bool = False
    reach: Reach = Reach.ACTIVATE


_Plain = PlainSerializer(dict, return_type=dict[str, EventTypePolicy])
EventTypePolicies = Annotated[Mapping[str, EventTypePolicy], _Plain]


@dataclass(frozen=True, slots=True)
class Policies:
    """All of it. `event_types` names only the types that somebody has decided about."""

    surge: SurgePolicy = SURGE_STANDARD
    decays: tuple[DecayRule, ...] = ()
    velocity_filters: tuple[VelocityFilter, ...] = ()
    metadata_filters: tuple[MetadataFilter, ...] = ()
    profile_mappings: tuple[FieldMapping, ...] = ()
    account_mappings: tuple[FieldMapping, ...] = ()
    profile_rulesets: tuple[AttributeRuleset, ...] = ()
    account_rulesets: tuple[AttributeRuleset, ...] = ()
    event_types: EventTypePolicies = field(default_factory=lambda: MappingProxyType({}))
    abm_enabled: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the policies as JSON can hold them; from_json reads them back exactly."""
        written: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return written

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Policies:
        """Read policies of any age: what is missing takes its default, what is new is left out."""
        return _ADAPTER.validate_python(data)


_ADAPTER = TypeAdapter(Policies)
