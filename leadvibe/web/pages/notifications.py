"""How notifications reach people: templates/notifications/page.html and channel.html.

_slack_channel.html alone is what htmx loads, since Slack is asked for the channels to choose from.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.deliveries import Place
from leadvibe.web.pages.display import Alert, Choice, Link
from leadvibe.web.pages.integrations import ChannelPicker


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """Addresses are empty for members who may only look."""

    id: str
    name: str
    place: Place
    edit_url: str
    test_url: str
    delete_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyNotifications:
    form: Form
    """`enabled`, a field for each kind, and `digest`."""
    kinds: tuple[str, ...]
    """Names of the fields that stand for kinds."""
    action_url: str
    reach: str
    """"In Slack, as U••••LH", "By e-mail to ana@acme.test", or that there is no way."""
    slack_hint: str
    """How to be told in Slack instead, if there is a way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsPage:
    unit_name: str
    channels: tuple[ChannelRow, ...]
    new_links: tuple[Choice, ...]
    """A type of channel each, with its icon as the value; none for members who may only look."""
    mine: MyNotifications


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackPart:
    """What choosing a channel takes; either Slack is to be connected first, or it can be asked."""

    connect: Link | None = None
    pick_url: str = ""
    """GET: the form, or the fragment `slack-channel` alone, with the channels to choose from."""
    picker: ChannelPicker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPage:
    title: str
    kind: str
    hint: str
    """What messages through such a channel need at the other end."""
    form: Form
    action_url: str
    list_url: str
    is_new: bool
    alert: Alert | None = None
    slack: SlackPart | None = None
    """Of a channel in Slack."""
