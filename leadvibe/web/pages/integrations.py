"""Integrations of the unit: templates/integrations/page.html, with one fragment for each card.

A card is a field of the page with a model of its own, and a template that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Alert, Choice, Moment, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAppSetup:
    """What an admin needs to set the organisation's app up, or to change it."""

    form: Form
    """`client_id` and `client_secret`."""
    action_url: str
    redirect_url: str
    is_https: bool
    """Whether Slack would take that address."""
    scopes: tuple[str, ...]
    client_id: str
    """Of the app there is; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPicker:
    """The workspace's channels, asked of Slack; `problem` says why there are none to choose."""

    choices: tuple[Choice, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackCard:
    """Addresses are empty for what the member may not do, or not now."""

    status: str
    tone: Tone
    is_connected: bool
    has_app: bool
    problem: str
    """Why Slack has ended the connection."""
    team_name: str
    connected_at: Moment | None
    default_target: str
    people: str
    setup: SlackAppSetup | None
    picker: ChannelPicker | None
    pick_url: str
    """GET: the page, or the fragment `slack-target` alone, with the picker in it."""
    connect_url: str
    """GET: leads on to Slack."""
    disconnect_url: str
    target_url: str
    test_url: str
    sync_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotCard:
    """Addresses are empty for what the member may not do, or not now."""

    status: str
    tone: Tone
    is_connected: bool
    problem: str
    """Why nothing gets through at present."""
    portal: str
    properties: str
    changed_by: str
    changed_at: Moment | None
    scopes: tuple[str, ...]
    form: Form
    """`token`, `score_property` and `level_property`."""
    connect_url: str
    disconnect_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationsPage:
    unit_name: str
    org_name: str
    alert: Alert | None
    """How what was begun elsewhere has ended, such as connecting to Slack."""
    slack: SlackCard
    hubspot: HubSpotCard
