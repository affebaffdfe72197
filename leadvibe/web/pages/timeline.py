"""What a lead did, newest first: templates/leads/_timeline.html.

"Load older" replaces its own element with the next batch, so a batch is rendered with the id
its link was waiting under.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Fact, Moment

CHANNEL_ICONS = {
    "web": "globe",
    "email": "mail",
    "slack": "message-square",
    "webinar": "presentation",
    "crm": "handshake",
    "system": "cog",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What one ruleset made of an event."""

    text: str
    ruleset: str
    direction: str
    """up, down, or flat."""
    is_primary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    id: str
    """Its element is `event-<id>`, which ledger entries link to."""
    event_type: str
    at: Moment
    channel: str
    icon: str = "globe"
    """`channel_icon(channel)`."""
    summary: str = ""
    """The one telling thing of its metadata: a path, a subject, an amount."""
    points: tuple[Points, ...] = ()
    reason: str = ""
    """Why it did not count, when it was suppressed: "Burst: 14 of these within a second"."""
    metadata: tuple[Fact, ...] = ()
    is_linked: bool = False
    """The event the URL names: it is marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineDay:
    label: str
    """"Today", "Yesterday", "Friday, 21 November 2025"; empty when the last batch named it."""
    events: tuple[TimelineEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """The link to the next batch: `id` becomes the root id of the fragment it loads."""

    url: str
    id: str
    """"timeline-" and something unique, such as the last event's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    id: str = "timeline-newest"
    """Root id of this batch: the `Older.id` it was asked for under, or the default."""
    days: tuple[TimelineDay, ...]
    older: Older | None = None
    newest_url: str = ""
    """Back to the top, when the batch was opened in the middle of history."""


def channel_icon(channel: str) -> str:
    return CHANNEL_ICONS.get(channel, "globe")
