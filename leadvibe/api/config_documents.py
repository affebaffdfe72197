"""A unit's whole scoring configuration as JSON: what export gives, and import and drafts take.

It is the document that config versions hold (engine.rules.Config.to_json). Ids that are missing
are made; what the whole organisation decides stands in it and is passed over when it comes back.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from leadvibe.api.decays import NewDecay
from leadvibe.api.fields import Instant, Name, Weight
from leadvibe.api.filters import NewFilter
from leadvibe.api.levels import Bound, Color, Order
from leadvibe.api.metadata_filters import ConditionBody, NewMetadataFilter
from leadvibe.api.scoring_settings import LONGEST_TIMEOUT_MINUTES
from leadvibe.api.surge_policy import (
    LARGEST_CAP,
    LARGEST_MULTIPLIER,
    MOST_BANDS,
    IdleReset,
    Place,
)
from leadvibe.engine.policies import (
    PLAIN_PERCENT,
    SURGE_STANDARD,
    Reach,
    SurgeMode,
    UpdateBehavior,
)
from leadvibe.engine.rules import (
    DEFAULT_LEVEL_COLOR,
    DEFAULT_SCORE_COLUMN,
    DEFAULT_SESSION_TIMEOUT_SECONDS,
    Config,
    LevelKind,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.ids import new_id
from leadvibe.pipeline.intake import ShortText
from leadvibe.scoring.defaults import SURGE_PRESETS

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
"""Some ten thousand rules."""

_ID = "Kept when given; a new one is made when left out."

Property = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Percent = Annotated[StrictInt, Field(ge=PLAIN_PERCENT, le=LARGEST_MULTIPLIER * PLAIN_PERCENT)]
CapPercent = Annotated[StrictInt, Field(ge=PLAIN_PERCENT, le=LARGEST_CAP * PLAIN_PERCENT)]
Seconds = Annotated[StrictInt, Field(ge=60, le=LONGEST_TIMEOUT_MINUTES * 60, multiple_of=60)]


class _Entry(BaseModel):
    """A part of the document: a key that means nothing is an error, not overlooked."""

    model_config = ConfigDict(extra="forbid")


class RuleEntry(_Entry):
    """An engagement rule."""

    rule_id: UUID = Field(default_factory=new_id, description=_ID)
    event_type: ShortText
    weight: Weight
    active: StrictBool = True
    start_at: Instant | None = None
    end_at: Instant | None = None
    icon: Name | None = None


class RulesetEntry(_Entry):
    """A ruleset with its rules."""

    ruleset_id: UUID = Field(default_factory=new_id, description=_ID)
    name: Name
    score_column: Name = DEFAULT_SCORE_COLUMN
    is_primary: StrictBool = False
    active: StrictBool = True
    start_at: Instant | None = None
    end_at: Instant | None = None
    rules: list[RuleEntry] = Field(default_factory=list)


class LevelEntry(_Entry):
    """A level of one kind of score."""

    level_id: UUID = Field(default_factory=new_id, description=_ID)
    kind: LevelKind
    name: Name
    min_score: Bound
    max_score: Bound | None = None
    color: Color = DEFAULT_LEVEL_COLOR
    order: Order = 0


class BandEntry(_Entry):
    min_events: Place
    multiplier_percent: Percent


class SurgeEntry(_Entry):
    """A surge policy; only mode custom has bands, idle reset and cap of its own."""

    mode: SurgeMode
    bands: Annotated[list[BandEntry], Field(max_length=MOST_BANDS)] | None = None
    idle_reset_seconds: IdleReset | None = None
    cap_percent: CapPercent | None = None

    def completed(self) -> dict[str, Any]:
        """Return the policy with what was left out: the preset's, or the usual."""
        usual = SURGE_PRESETS.get(self.mode)
        bands = [{"min_events": it.min_events, "multiplier_percent": it.multiplier_percent}
                 for it in (usual.bands if usual else ())]  # fmt: skip
        idle = (usual or SURGE_STANDARD).idle_reset_seconds
        cap = usual.cap_percent if usual else LARGEST_CAP * PLAIN_PERCENT
        defaults = {"bands": bands, "idle_reset_seconds": idle, "cap_percent": cap}
        return defaults | self.model_dump(mode="json", exclude_none=True)


class DecayEntry(NewDecay):
    """A decay rule; it takes nothing that was due before it was made."""

    model_config = _Entry.model_config
    decay_id: UUID = Field(default_factory=new_id, description=_ID)
    created_at: Instant = Field(default_factory=utc_now, description="When it was made.")


class VelocityFilterEntry(NewFilter):
    model_config = _Entry.model_config
    filter_id: UUID = Field(default_factory=new_id, description=_ID)


class MetadataFilterEntry(NewMetadataFilter):
    model_config = _Entry.model_config
    filter_id: UUID = Field(default_factory=new_id, description=_ID)


class MappingEntry(_Entry):
    """Carries an event's metadata to a property of the profile or the account."""

    mapping_id: UUID = Field(default_factory=new_id, description=_ID)
    source_field: Property
    target_property: Property
    update_behavior: UpdateBehavior = UpdateBehavior.ALWAYS_LATEST


class AttributeRuleEntry(_Entry):
    rule_id: UUID = Field(default_factory=new_id, description=_ID)
    test: ConditionBody
    weight: Weight
    order: StrictInt = 0


class AttributeRulesetEntry(_Entry):
    """A ruleset of the profile or the account score."""

    ruleset_id: UUID = Field(default_factory=new_id, description=_ID)
    name: Name
    enabled: StrictBool = True
    is_primary: StrictBool = False
    rules: list[AttributeRuleEntry] = Field(default_factory=list)


class EventTypeEntry(_Entry):
    hidden: StrictBool = False
    reach: Reach = Reach.ACTIVATE


class PoliciesEntry(_Entry):
    """Everything beside rules and levels; what is left out is as in a new unit."""

    surge: SurgeEntry = Field(default_factory=lambda: SurgeEntry(mode=SurgeMode.STANDARD))
    decays: list[DecayEntry] = Field(default_factory=list)
    velocity_filters: list[VelocityFilterEntry] = Field(default_factory=list)
    metadata_filters: list[MetadataFilterEntry] = Field(default_factory=list)
    profile_mappings: list[MappingEntry] = Field(default_factory=list)
    account_mappings: list[MappingEntry] = Field(default_factory=list)
    profile_rulesets: list[AttributeRulesetEntry] = Field(default_factory=list)
    account_rulesets: list[AttributeRulesetEntry] = Field(default_factory=list)
    event_types: dict[ShortText, EventTypeEntry] = Field(default_factory=dict)
    abm_enabled: bool | None = Field(None, description="The organisation's: passed over.")


class ConfigDocument(_Entry):
    """A whole configuration. Kinds of level that it has none of stay as they are."""

    version: int | None = Field(None, description="Where it came from: passed over.")
    rulesets: list[RulesetEntry]
    levels: list[LevelEntry]
    policies: PoliciesEntry
    session_timeout_seconds: Seconds = DEFAULT_SESSION_TIMEOUT_SECONDS
    allow_negative_scores: bool | None = Field(None, description="The organisation's: passed over.")

    def to_config(self) -> Config:
        """Return the configuration, not yet checked as a whole."""
        document = self.model_dump(mode="json", exclude={"version", "allow_negative_scores"})
        del document["policies"]["abm_enabled"]
        document["policies"]["surge"] = self.policies.surge.completed()
        return Config.from_json({"version": 0, **document})
