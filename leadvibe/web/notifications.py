"""How notifications reach people: the unit's channels, and what each member wants to hear."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import get_unit
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.notifications import slack
from leadvibe.notifications.addresses import addresses_of, masked_id
from leadvibe.notifications.preferences import find_reach, get_preferences, save_preferences
from leadvibe.notifications.queries import list_channels
from leadvibe.notifications.types import Channel, ChannelType, Transport
from leadvibe.web.channel_paths import channel_path, new_channel_path
from leadvibe.web.forms.notifications import KINDS, PreferencesForm
from leadvibe.web.notice_words import TRANSPORTS, SlackNames, place_of, slack_names
from leadvibe.web.pages.deliveries import Place
from leadvibe.web.pages.display import Choice, Tone, counted
from leadvibe.web.pages.notifications import ChannelRow, MyNotifications, NotificationsPage
from leadvibe.web.redirects import NOTIFICATIONS
from leadvibe.web.rendering import render

PREFERENCES = f"{NOTIFICATIONS}/preferences"

pages = Blueprint("notifications", __name__)


@pages.get("/settings/notifications")
def show_notifications() -> AnyResponse:
    principal = require_member(Permission.READ)
    scope, may_edit = principal.scope, can(principal, Permission.CONFIGURE)
    names = slack_names(scope)
    page = NotificationsPage(
        unit_name=get_unit(scope).name,
        channels=tuple(_row(it, names, may_edit=may_edit) for it in list_channels(scope)),
        new_links=_new_links() if may_edit else (),
        mine=_mine(principal),
    )
    return render("notifications/page.html", page=page, section=NOTIFICATIONS)


@pages.post("/settings/notifications/preferences")
def set_preferences() -> AnyResponse:
    principal = require_member(Permission.READ)
    chosen = PreferencesForm(request.form).preferences()
    save_preferences(principal.scope, _member(principal), chosen, now=utc_now())
    flash("Your choice is saved.", Tone.OK)
    return redirect(NOTIFICATIONS, 303)


def _member(principal: Principal) -> UUID:
    assert principal.member_id is not None, "only members get as far as this"
    return principal.member_id


def _new_links() -> tuple[Choice, ...]:
    words = ((it, *TRANSPORTS[Transport(it)]) for it in ChannelType)
    return tuple(Choice(word, value=icon, url=new_channel_path(it)) for it, word, icon in words)


def _row(channel: Channel, names: SlackNames, *, may_edit: bool) -> ChannelRow:
    def path(end: str = "") -> str:
        return channel_path(channel.channel_id, end) if may_edit else ""

    return ChannelRow(
        id=str(channel.channel_id),
        name=channel.name,
        place=_place(channel, names),
        edit_url=path(),
        test_url=path("/test"),
        delete_url=path("/delete"),
    )


def _place(channel: Channel, names: SlackNames) -> Place:
    """Say where a channel leads: to its first address, and how many more there are."""
    first, *others = addresses_of(channel)
    place = place_of(Transport(channel.type), first, names)
    if channel.type is ChannelType.TEAMS and channel.config.get("channel_name"):
        return replace(place, label=channel.config["channel_name"])
    if not others:
        return place
    return replace(place, label=f"{place.label} and {counted(len(others), 'more', 'more')}")


def _mine(principal: Principal) -> MyNotifications:
    scope, member_id = principal.scope, _member(principal)
    reach, hint = _reach(scope, member_id)
    return MyNotifications(
        form=PreferencesForm.of(get_preferences(scope, member_id)),
        kinds=tuple(KINDS),
        action_url=PREFERENCES,
        reach=reach,
        slack_hint=hint,
    )


def _reach(scope: Scope, member_id: UUID) -> tuple[str, str]:
    """Say how a member is told, and how it could be in Slack instead."""
    reach, connection = find_reach(scope, member_id), slack.find_connection(scope)
    is_connected = connection is not None and connection.is_connected
    if reach is None:
        return "You are not told of anything: you do not belong to this unit.", ""
    if reach.slack_user_id and is_connected:
        return f"In Slack, as {masked_id(reach.slack_user_id)}", ""
    hint = "An Owner can match you by e-mail on the Integrations page, to tell you in Slack."
    return f"By e-mail to {reach.email}", hint if is_connected else ""
