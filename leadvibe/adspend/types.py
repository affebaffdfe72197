"""Ad spend as it crosses the border."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Spend:
    """What a campaign has cost on one day. `campaign_id` is empty for a platform as a whole."""

    day: date
    platform: str
    campaign_id: str
    campaign_name: str | None
    currency: str | None
    spend: Decimal
    clicks: int
    impressions: int


class Grouping(StrEnum):
    """What ad spend is added up for; currencies are never added to one another."""

    DAY = "day"
    PLATFORM = "platform"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class SpendQuery:
    """Days from `first` to `last`, both included. Without a grouping each report stands alone."""

    first: date
    last: date
    platform: str | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class SpendLine:
    """A line of the report; what its grouping leaves open is None."""

    day: date | None
    platform: str | None
    campaign_id: str | None
    campaign_name: str | None
    currency: str | None
    spend: Decimal
    clicks: int
    impressions: int
