"""What happened with a lead, newest first: templates/leads/_timeline.html, in _history.html.

"Load older" replaces its own element with the next batch, so a batch is rendered with the id
its link was waiting under.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.forms.lead import NoteForm
from leadvibe.web.pages.display import Choice, Fact, Link, Moment

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
class TimelineNote:
    """What somebody wrote; `form` is for its author and Owners alone."""

    text: str
    was_edited: bool
    edited_by: str = ""
    """Who changed it last, unless its author."""
    form: NoteForm | None = None
    is_open: bool = False
    save_url: str = ""
    delete_url: str = ""
    delete_id: str = ""
    """Of the dialog that asks first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """An event, or something else that stands among them."""

    id: str
    """Of its element: `event-<id>` of an event, which ledger entries link to."""
    event_type: str
    """Or what else it is: "Order", the name of a trigger, who wrote a note."""
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
    link: Link | None = None
    """Where more of it is: what a trigger looks for, who was told."""
    note: TimelineNote | None = None
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
class HistoryControls:
    """What stands above the history: what narrows it, and where a note is written."""

    kinds: tuple[Choice, ...]
    """All, events, notes and so on, each with its URL."""
    types: tuple[Choice, ...]
    """Event types, with that one selected that it is narrowed to."""
    type_name: str
    """That one; empty for all."""
    action_url: str
    """Where the choice of a type is sent, with `kept`."""
    kept: tuple[tuple[str, str], ...]
    clear_url: str
    """The whole history; empty when it is not narrowed."""
    note_form: NoteForm | None
    """None for who may not write."""
    note_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    id: str = "timeline-newest"
    """Root id of this batch: the `Older.id` it was asked for under, or the default."""
    days: tuple[TimelineDay, ...]
    older: Older | None = None
    newest_url: str = ""
    """Back to the top, when the batch was opened in the middle of history."""
    controls: HistoryControls
    empty_title: str
    empty_text: str


def channel_icon(channel: str) -> str:
    return CHANNEL_ICONS.get(channel, "globe")
