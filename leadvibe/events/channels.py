"""The channel an event came through, in a small fixed vocabulary wherever possible."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_CHANNEL = "web"
SYSTEM_CHANNEL = "system"
MAX_LENGTH = 40

_BY_PREFIX = {
    "email": "email",
    "mail": "email",
    "newsletter": "email",
    "webinar": "webinar",
    "slack": "slack",
    "crm": "crm",
    "call": "crm",
    "meeting": "crm",
    "deal": "crm",
    "page": "web",
    "form": "web",
}
_METADATA_KEYS = ("channel", "source", "utm_medium")


def channel_of(event_type: str, metadata: Mapping[str, object]) -> str:
    """Return the event's channel: stated in its metadata, else told by its type, else web."""
    for key in _METADATA_KEYS:
        value = metadata.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip().lower()[:MAX_LENGTH]
    prefix = event_type.lower().replace("-", "_").partition("_")[0]
    return _BY_PREFIX.get(prefix, DEFAULT_CHANNEL)
