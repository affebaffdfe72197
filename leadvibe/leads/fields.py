"""What is recorded of every lead beside its scores: contact, deal, attribution, consent.

Each field is a property of the lead's metadata under its own name, so that mappings, imports,
segments and profile rules know it without being told. `records` keeps a typed copy for lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import md5
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic_core import to_json

from leadvibe.lib.errors import InvalidError

LONGEST_TEXT = 2_000
"""Characters of a text that are taken."""

LONGEST_NOTES = 50_000
"""Characters of the notes on a lead: what one lead API has shown, the other takes."""

LONGEST_RECORDED = 1_750
"""Bytes of a text that is recorded, to be listed by: an entry of an index holds 2,704 in all."""

LARGEST_NUMBER = 10**15
"""Numbers of leads are smaller, either way."""


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


class FieldGroup(StrEnum):
    """Under which heading a field is shown."""

    CONTACT = "Contact"
    DEAL = "Deal"
    ORIGIN = "Where it came from"
    CLICKS = "Click ids"
    ADS = "Google Ads"
    CONSENT = "Consent"


class RecordField(NamedTuple):
    """`name` is also the property, and the column of lead_records."""

    name: str
    label: str
    kind: FieldKind
    group: FieldGroup


def _fields(group: FieldGroup, kind: FieldKind, **labels: str) -> tuple[RecordField, ...]:
    return tuple(RecordField(name, label, kind, group) for name, label in labels.items())


FIELDS = (
    *_fields(FieldGroup.CONTACT, FieldKind.TEXT, company="Company", contact_id="Contact ID"),
    *_fields(FieldGroup.DEAL, FieldKind.NUMBER, value="Value"),
    *_fields(
        FieldGroup.DEAL, FieldKind.TEXT,
        currency="Currency", loss_reason="Loss reason", label_id="Label",
        conversion_name="Conversion", selected_conversion_event_id="Conversion event",
        client_id="Client ID",
    ),
    *_fields(
        FieldGroup.DEAL, FieldKind.TIME, next_call_at="Next call", expires_at="Expires",
    ),
    *_fields(FieldGroup.DEAL, FieldKind.LONG_TEXT, notes="Notes", custom="Custom data"),
    *_fields(
        FieldGroup.ORIGIN, FieldKind.TEXT,
        source="Source", website="Website", path="Path", session_id="Session ID",
        utm_source="UTM source", utm_medium="UTM medium", utm_campaign="UTM campaign",
    ),
    *_fields(
        FieldGroup.CLICKS, FieldKind.TEXT,
        gclid="Google Ads", dclid="Google Display", wbraid="Google Ads, web to app",
        gbraid="Google Ads, app to web", ga4cid="Google Analytics client",
        ga4sid="Google Analytics session", fbc="Meta click", fbp="Meta browser",
        msclkid="Microsoft Ads", ttclid="TikTok", twclid="X", rdt_cid="Reddit",
        sccid="Snapchat", epik="Pinterest", li_fat_id="LinkedIn",
    ),
    *_fields(
        FieldGroup.ADS, FieldKind.TEXT,
        google_ads_campaign_id="Campaign ID", google_ads_campaign_name="Campaign",
        google_ads_ad_group_id="Ad group ID", google_ads_ad_group_name="Ad group",
        google_ads_ad_id="Ad ID",
    ),
    *_fields(
        FieldGroup.CONSENT, FieldKind.FLAG,
        ad_storage="Ad storage", ad_user_data="Ad user data",
        analytics_storage="Analytics storage", ad_personalization="Ad personalisation",
    ),
)  # fmt: skip
BY_NAME = MappingProxyType({field.name: field for field in FIELDS})
CLICK_IDS = tuple(field.name for field in FIELDS if field.group is FieldGroup.CLICKS)
CONSENTS = tuple(field.name for field in FIELDS if field.group is FieldGroup.CONSENT)

_WANTED = MappingProxyType(
    {
        FieldKind.NUMBER: "a number, such as 1200 or 99.50",
        FieldKind.TIME: "a day or a time, such as 2026-05-02T10:30:00Z",
        FieldKind.FLAG: "true or false, or granted or denied",
    }
)

CLICK_BITS = MappingProxyType({name: 1 << number for number, name in enumerate(CLICK_IDS)})
"""What each click id adds to the column `clicks` of leads that have it."""

KEPT_SHORT = ("website", "label_id", "utm_source", "utm_medium", "utm_campaign")
"""Texts that lists are narrowed to together: indexes hold four bytes of each, see short_key.

An entry of an index must not be larger than 2,700 bytes, and these may have any length.
"""

_GRANTED = MappingProxyType(
    {"granted": True, "true": True, "1": True, "denied": False, "false": False, "0": False}
)


def short_key(value: str) -> int:
    """Return what the column `*_key` of a text says: two texts of a unit hardly ever share one."""
    digest = md5(value.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], signed=True)


def read_value(kind: FieldKind, value: object) -> str | float | bool | datetime | None:
    """Read a property as the kind of its field; None when it is nothing of that kind.

    Times without a zone are UTC, days their beginning. Long text that is no text is written as
    JSON.
    """
    return None if value is None else _READERS[kind](value)


def read_fields(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a lead's properties goes into its record, by column."""
    return {
        field.name: read
        for field in FIELDS
        if field.name in properties
        and (read := read_value(field.kind, properties[field.name])) is not None
    }


def require_kinds(properties: Mapping[str, Any]) -> None:
    """Refuse what somebody sets by hand that is not of the kind of its field.

    Does not look at what comes in with events, imports and new leads: there it is kept as a
    property and not recorded. Raises InvalidError.
    """
    problems = {
        name: f"must be {_WANTED[field.kind]}, or be taken away"
        for name, value in properties.items()
        if value is not None
        and (field := BY_NAME.get(name)) is not None
        and field.kind in _WANTED
        and read_value(field.kind, value) is None
    }
    if problems:
        sentences = " ".join(f"{name} {problem}." for name, problem in problems.items())
        raise InvalidError(sentences, fields=problems)


def _text(value: object) -> str | None:
    if isinstance(value, bool | int | float):
        return to_json(value).decode()
    return (as_recorded(value) or None) if isinstance(value, str) else None


def as_recorded(text: str) -> str:
    """Return what is recorded of a text: all but of very long ones."""
    return text.strip().encode()[:LONGEST_RECORDED].decode(errors="ignore").strip()


def _long_text(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    return to_json(value).decode()


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < LARGEST_NUMBER else None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _GRANTED.get(str(value).strip().lower())


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at either end of the calendar
        return None


_READERS: Mapping[FieldKind, Callable[[object], str | float | bool | datetime | None]] = (
    MappingProxyType(
        {
            FieldKind.TEXT: _text,
            FieldKind.LONG_TEXT: _long_text,
            FieldKind.NUMBER: _number,
            FieldKind.FLAG: _flag,
            FieldKind.TIME: _time,
        }
    )
)
