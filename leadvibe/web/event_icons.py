"""The icon of an event or of what moved a score: by its channel, or by the words of its type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from leadvibe.engine.facts import EntryKind
from leadvibe.events.channels import DEFAULT_CHANNEL, channel_of
from leadvibe.web.pages.timeline import channel_icon

_OF_KIND = {EntryKind.DECAY: "clock", EntryKind.MERGE: "merge", EntryKind.ADJUSTMENT: "pencil"}
_WORDS_OF_ICON = {
    "download": "download downloaded content export exported",
    "file-text": "form submit submitted survey docs doc",
    "message-square": "chat message comment support ticket",
    "plug": "integration connected api",
    "presentation": "demo",
    "rocket": "signup trial registered activated",
    "search": "search searched",
    "shopping-cart": "pricing plan upgraded order purchase cart checkout",
    "user": "login signin",
    "user-plus": "invited teammate",
}
_OF_WORD: Mapping[str, str] = MappingProxyType(
    {word: icon for icon, words in _WORDS_OF_ICON.items() for word in words.split()}
)


def event_icon(event_type: str, channel: str) -> str:
    """Return the icon of the channel, or where that has none, one by the words of the type."""
    icon = channel_icon(channel)
    if icon != channel_icon(DEFAULT_CHANNEL):
        return icon
    words = re.split(r"[^a-z]+", event_type.lower())
    return next((_OF_WORD[it] for it in words if it in _OF_WORD), icon)


def mover_icon(kind: str, event_type: str) -> str:
    """Return the icon of what moved a score: events of a type, or Leadvibe itself."""
    own = _OF_KIND.get(EntryKind(kind))
    return own or event_icon(event_type, channel_of(event_type, {}))
