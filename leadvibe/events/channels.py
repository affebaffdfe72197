"""The channel an event came through, in a small fixed vocabulary wherever possible.

Which channels a unit has seen is remembered as they come: finding out would read all its events.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, write

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


def note_channels(scope: Scope, channels: Collection[str]) -> None:
    """Remember that events came through these channels."""
    statement = """
        INSERT INTO event_channels (unit_id, name)
        SELECT %s, name FROM unnest(%s::text[]) AS new (name) ORDER BY name
        ON CONFLICT DO NOTHING
    """
    write(statement, (scope.unit_id, list(channels)))


def list_channels(scope: Scope) -> list[str]:
    """Return the channels that the unit has seen, in order; our own once there is such an event."""
    statement = """
        SELECT name FROM event_channels WHERE unit_id = %(unit)s
        UNION
        SELECT %(system)s FROM event_types
        WHERE unit_id = %(unit)s AND name = ANY(%(types)s) AND event_count > 0
        ORDER BY 1
    """
    bound = {"unit": scope.unit_id, "system": SYSTEM_CHANNEL, "types": sorted(SYSTEM_TYPES)}
    return [name for (name,) in driver().execute(statement, bound)]
