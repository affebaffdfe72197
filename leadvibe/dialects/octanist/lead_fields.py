"""The lead as Octanist's clients know it: each field with what it is of ours.

Answers, filters, sorting, the choice of fields and the OpenAPI document are all made from this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from leadvibe.dialects.octanist.envelope import write_number, write_time
from leadvibe.leadlist.record_types import Record
from leadvibe.leads.fields import CLICK_IDS, CONSENTS
from leadvibe.leads.statuses import Outcome

STATUSES = tuple(it.value for it in Outcome)
SOURCES = ("inbound", "gtm", "api", "manual", "wordpress", "import")

EQUALS = "eq"
COMPARISONS = ("gte", "gt", "lte", "lt")
EXISTS = "exists"


class Kind(StrEnum):
    """What a field holds, and so what it can be compared with."""

    TEXT = "text"
    STATUS = "status"
    SOURCE = "source"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


class LeadField(NamedTuple):
    """`column` is what lists know it by; `operators` are those of filters, none for no filter."""

    key: str
    kind: Kind
    column: str
    read: Callable[[Record], Any]
    operators: tuple[str, ...] = ()
    is_sortable: bool = False
    is_always_there: bool = False


def _stored(key: str, column: str, operators: tuple[str, ...] = ()) -> LeadField:
    return LeadField(key, Kind.TEXT, column, lambda record: record.fields[column], operators)


def _person(key: str, *, is_sortable: bool) -> LeadField:
    return LeadField(key, Kind.TEXT, key, lambda it: getattr(it, key), is_sortable=is_sortable)


def _click_id(name: str) -> LeadField:
    return _stored(name, name, (EQUALS, EXISTS))


def _consent(name: str) -> LeadField:
    # Nobody has consented who was not heard to.
    return LeadField(name, Kind.FLAG, name, lambda it: bool(it.fields[name]), is_always_there=True)


def _moment(key: str, column: str, *, is_always_there: bool) -> LeadField:
    return LeadField(
        key,
        Kind.TIME,
        column,
        lambda it: write_time(getattr(it, column)),
        (EQUALS, *COMPARISONS, EXISTS),
        is_sortable=True,
        is_always_there=is_always_there,
    )


def _loss_reason(record: Record) -> Any:
    return record.fields["loss_reason"] if record.outcome is Outcome.LOST else None


FIELDS = (
    LeadField("id", Kind.TEXT, "lead_id", lambda it: it.lead_id, is_always_there=True),
    _person("name", is_sortable=True),
    _person("email", is_sortable=True),
    _person("phone", is_sortable=False),
    LeadField(
        "status", Kind.STATUS, "outcome", lambda it: it.outcome.value, (EQUALS,),
        is_sortable=True, is_always_there=True,
    ),
    LeadField(
        "value", Kind.NUMBER, "value", lambda it: write_number(it.fields["value"]),
        (EQUALS, *COMPARISONS), is_sortable=True,
    ),
    _stored("note", "notes"),
    _stored("custom", "custom"),
    LeadField("lossReason", Kind.TEXT, "loss_reason", _loss_reason),
    _stored("conversionName", "conversion_name"),
    LeadField(
        "source", Kind.SOURCE, "intake", lambda it: it.intake, (EQUALS,), is_always_there=True
    ),
    _stored("website", "website", (EQUALS,)),
    _stored("path", "path"),
    *map(_click_id, CLICK_IDS),
    *(_stored(name, name, (EQUALS,)) for name in ("utm_source", "utm_medium", "utm_campaign")),
    *map(_consent, CONSENTS),
    _stored("googleAdsCampaignId", "google_ads_campaign_id"),
    _stored("googleAdsCampaignName", "google_ads_campaign_name"),
    _stored("googleAdsAdGroupId", "google_ads_ad_group_id"),
    _stored("googleAdsAdGroupName", "google_ads_ad_group_name"),
    _stored("googleAdsAdId", "google_ads_ad_id"),
    _stored("labelId", "label_id", (EQUALS,)),
    _stored("selectedConversionEventId", "selected_conversion_event_id"),
    _moment("createdAt", "created_at", is_always_there=True),
    _moment("updatedAt", "updated_at", is_always_there=True),
    _moment("qualifiedAt", "qualified_at", is_always_there=False),
    LeadField("expiresAt", Kind.TIME, "expires_at", lambda it: write_time(it.fields["expires_at"])),
)  # fmt: skip
BY_KEY: Mapping[str, LeadField] = MappingProxyType({it.key: it for it in FIELDS})
SORTABLE = tuple(it.key for it in FIELDS if it.is_sortable)
