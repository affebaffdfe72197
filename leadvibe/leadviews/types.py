"""What a view of the lead list is: the list's own parameters under a name, and its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

FILTERS = (
    "q", "level", "profile_level", "last_active", "owner", "watched", "segment", "account",
    "min_score", "max_score", "event_type", "created_from", "created_to", "recorded",
)  # fmt: skip
"""Parameters of the lead list that narrow it, in the order in which they are named."""

VIEW_PARAMETERS = (*FILTERS, "sort")
"""What a view keeps of the lead list's parameters."""


class Column(StrEnum):
    """What the lead list can show beside the lead itself, in the order in which it does."""

    ALIASES = "aliases"
    SCORE = "score"
    LEVEL = "level"
    PROFILE_SCORE = "profile_score"
    PROFILE_LEVEL = "profile_level"
    RULESETS = "rulesets"
    """The scores in other rulesets."""
    OWNER = "owner"
    ACCOUNT = "account"
    ACCOUNT_SCORE = "account_score"
    ACCOUNT_LEVEL = "account_level"
    TITLE = "title"
    COMPANY = "company"
    LAST_ACTIVE = "last_active"
    EVENTS = "events"
    SESSIONS = "sessions"
    CREATED = "created"
    # What is recorded of leads, each by its name in leads.fields and the records' table.
    STATUS = "status"
    EMAIL = "email"
    PHONE = "phone"
    QUALIFIED_AT = "qualified_at"
    INTAKE = "intake"
    CONTACT_ID = "contact_id"
    VALUE = "value"
    CURRENCY = "currency"
    LOSS_REASON = "loss_reason"
    LABEL_ID = "label_id"
    CONVERSION_NAME = "conversion_name"
    SELECTED_CONVERSION_EVENT_ID = "selected_conversion_event_id"
    CLIENT_ID = "client_id"
    NEXT_CALL_AT = "next_call_at"
    EXPIRES_AT = "expires_at"
    NOTES = "notes"
    CUSTOM = "custom"
    SOURCE = "source"
    WEBSITE = "website"
    PATH = "path"
    SESSION_ID = "session_id"
    UTM_SOURCE = "utm_source"
    UTM_MEDIUM = "utm_medium"
    UTM_CAMPAIGN = "utm_campaign"
    GCLID = "gclid"
    DCLID = "dclid"
    WBRAID = "wbraid"
    GBRAID = "gbraid"
    GA4CID = "ga4cid"
    GA4SID = "ga4sid"
    FBC = "fbc"
    FBP = "fbp"
    MSCLKID = "msclkid"
    TTCLID = "ttclid"
    TWCLID = "twclid"
    RDT_CID = "rdt_cid"
    SCCID = "sccid"
    EPIK = "epik"
    LI_FAT_ID = "li_fat_id"
    GOOGLE_ADS_CAMPAIGN_ID = "google_ads_campaign_id"
    GOOGLE_ADS_CAMPAIGN_NAME = "google_ads_campaign_name"
    GOOGLE_ADS_AD_GROUP_ID = "google_ads_ad_group_id"
    GOOGLE_ADS_AD_GROUP_NAME = "google_ads_ad_group_name"
    GOOGLE_ADS_AD_ID = "google_ads_ad_id"
    AD_STORAGE = "ad_storage"
    AD_USER_DATA = "ad_user_data"
    ANALYTICS_STORAGE = "analytics_storage"
    AD_PERSONALIZATION = "ad_personalization"

    @property
    def is_recorded(self) -> bool:
        return self in RECORDED


RECORDED = frozenset(list(Column)[list(Column).index(Column.STATUS) :])
"""Columns that are read from the records of leads."""

DEFAULT_COLUMNS = (
    Column.SCORE, Column.LEVEL, Column.PROFILE_LEVEL, Column.RULESETS, Column.LAST_ACTIVE,
    Column.EVENTS, Column.SESSIONS, Column.CREATED,
)  # fmt: skip
"""What everybody sees who has chosen nothing."""


@dataclass(frozen=True, slots=True)
class LeadView:
    """A view; `columns` are empty where it leaves them to the member who looks.

    `org_member_id` is whose it is, None when the unit shares it.
    """

    view_id: UUID
    org_member_id: UUID | None
    name: str
    query: Mapping[str, str]
    columns: tuple[Column, ...]
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str

    @property
    def is_shared(self) -> bool:
        return self.org_member_id is None


class ViewsOfSegment(NamedTuple):
    """Views that are narrowed to a segment: names of those one may see, and how many others."""

    names: tuple[str, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True)
class LeadLook:
    """How a member looks at the list: the views they may choose from, and their own columns."""

    views: tuple[LeadView, ...] = ()
    columns: tuple[Column, ...] = ()
    """Empty when they have chosen none."""
