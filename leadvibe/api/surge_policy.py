"""The surge policy: how a session of many events multiplies what each is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictFloat, StrictInt
from pydantic_core import PydanticCustomError

from leadvibe.api.editing import Editable
from leadvibe.engine.policies import PLAIN_PERCENT, SURGE_STANDARD, Band, SurgeMode, SurgePolicy
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import policies
from leadvibe.scoring.defaults import SURGE_PRESETS

LARGEST_MULTIPLIER = 100
LARGEST_CAP = 3
MOST_BANDS = 50
LAST_PLACE = 10_000
"""The latest event of a session that a band may begin at: the engine keeps a table of them."""
LONGEST_IDLE_SECONDS = 30 * 24 * 60 * 60


def _hundredths(number: float) -> float:
    if round(number * PLAIN_PERCENT) / PLAIN_PERCENT != number:
        raise PydanticCustomError("too_precise", "has more than two decimals: round it")
    return number


Multiplier = Annotated[StrictFloat, Field(ge=1, le=LARGEST_MULTIPLIER), AfterValidator(_hundredths)]
Cap = Annotated[StrictFloat, Field(ge=1, le=LARGEST_CAP), AfterValidator(_hundredths)]
Place = Annotated[StrictInt, Field(ge=1, le=LAST_PLACE)]
IdleReset = Annotated[StrictInt, Field(ge=1, le=LONGEST_IDLE_SECONDS)]


class BandBody(BaseModel):
    """From an event of a session on, weights are multiplied."""

    min_events: Place = Field(description="From which event of the session on.")
    multiplier: Multiplier = Field(description="By what, with two decimals at most.")


Bands = Annotated[list[BandBody], Field(max_length=MOST_BANDS)]


class WantedPolicy(BaseModel):
    """A surge policy. Every mode but custom brings bands, idle reset and cap of its own."""

    mode: SurgeMode = Field(description="off, standard, gentle or custom.")
    bands: Bands | None = Field(None, description="Needed for custom: ascending in both numbers.")
    idle_reset_seconds: IdleReset | None = Field(
        None, description="A longer gap begins the count anew; 1800 when left out."
    )
    multiplier_cap: Cap | None = Field(
        None, description="No event is multiplied by more; 3 when left out."
    )

    def to_policy(self) -> SurgePolicy:
        """Return what is wanted: the preset of that name, or what stands in the fields."""
        if self.mode in SURGE_PRESETS:
            return SURGE_PRESETS[self.mode]
        return SurgePolicy(
            mode=self.mode,
            bands=tuple(Band(it.min_events, _percent(it.multiplier)) for it in self.bands or ()),
            idle_reset_seconds=self.idle_reset_seconds or SURGE_STANDARD.idle_reset_seconds,
            cap_percent=_percent(self.multiplier_cap or LARGEST_CAP),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BandItem:
    min_events: int
    multiplier: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyItem(Editable):
    org_id: UUID
    unit_id: UUID
    mode: SurgeMode
    bands: list[BandItem]
    idle_reset_seconds: int
    multiplier_cap: float


def get_surge_policy(principal: Principal) -> PolicyItem:
    """The unit's surge policy: the standard one until somebody chooses."""
    return _item(principal.scope, policies.get_surge_policy(principal.scope))


def set_surge_policy(principal: Principal, body: WantedPolicy) -> PolicyItem:
    """Choose a surge policy; events that come from now on are multiplied by it."""
    scope = principal.scope
    policy = policies.set_surge_policy(principal, scope, body.to_policy(), now=utc_now())
    return _item(scope, policy)


def _percent(number: float) -> int:
    return round(number * PLAIN_PERCENT)


def _item(scope: Scope, policy: SurgePolicy) -> PolicyItem:
    return PolicyItem(
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        mode=policy.mode,
        bands=[
            BandItem(min_events=it.min_events, multiplier=it.multiplier_percent / PLAIN_PERCENT)
            for it in policy.bands
        ],
        idle_reset_seconds=policy.idle_reset_seconds,
        multiplier_cap=policy.cap_percent / PLAIN_PERCENT,
    )
