"""Notification channels are made, changed, tried and deleted, with a form for each type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from types import MappingProxyType
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.destinations import may_be_private
from leadvibe.http.permissions import require_member
from leadvibe.http.sealing import sealer
from leadvibe.http.slack import slack_memory, slack_site
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError, LeadvibeError
from leadvibe.notifications import channels, queries, slack, slack_workspace, trials
from leadvibe.notifications.channel_configs import shown_config
from leadvibe.notifications.deliveries import ring_for_deliveries
from leadvibe.notifications.errors import ChannelChangedError, ChannelInUseError
from leadvibe.notifications.types import Channel, ChannelType
from leadvibe.triggers.queries import list_users_of_channel
from leadvibe.web.channel_paths import channel_path, new_channel_path
from leadvibe.web.delivery_paths import DELIVERIES, delivery_path
from leadvibe.web.forms.member_form import read_seen
from leadvibe.web.forms.notifications import CHANNEL_FORMS, ChannelForm
from leadvibe.web.pages.display import Alert, Choice, Link, Moment, Tone, counted, query_url
from leadvibe.web.pages.integrations import ChannelPicker
from leadvibe.web.pages.notifications import ChannelPage, SlackPart
from leadvibe.web.redirects import INTEGRATIONS, NOTIFICATIONS
from leadvibe.web.rendering import render, wanted_fragment

PICKER = "slack-channel"
FRAGMENTS = {PICKER: "notifications/_slack_channel.html"}
PICK = "pick"
TITLES: Mapping[ChannelType, str] = MappingProxyType(
    {
        ChannelType.SLACK: "New Slack channel",
        ChannelType.TEAMS: "New Teams channel",
        ChannelType.WEBHOOK: "New webhook",
        ChannelType.EMAIL: "New e-mail channel",
    }
)
HINTS: Mapping[ChannelType, str] = MappingProxyType(
    {
        ChannelType.SLACK: "A channel in the workspace that this unit is connected to.",
        ChannelType.TEAMS: "In Teams, add the workflow “Post to a channel when a webhook request is"
        " received” to the channel, and copy its URL.",
        ChannelType.WEBHOOK: "Any address that takes JSON by POST. Messages are signed: the secret"
        " is shown among the destinations.",
        ChannelType.EMAIL: "Mail to people and lists, whether they are members or not.",
    }
)

pages = Blueprint("channel-editing", __name__)


@pages.get("/settings/notifications/channels/new/<any(slack, teams, webhook, email):kind>")
def show_new(kind: str) -> AnyResponse:
    principal, channel_type = require_member(Permission.CONFIGURE), ChannelType(kind)
    return _answer(principal, CHANNEL_FORMS[channel_type](), channel_type)


@pages.post("/settings/notifications/channels/new/<any(slack, teams, webhook, email):kind>")
def create_channel(kind: str) -> AnyResponse:
    principal, channel_type = require_member(Permission.CONFIGURE), ChannelType(kind)
    return _save(principal, CHANNEL_FORMS[channel_type](request.form), channel_type, None)


@pages.get("/settings/notifications/channels/<uuid:channel_id>")
def show_channel(channel_id: UUID) -> AnyResponse:
    principal = require_member(Permission.CONFIGURE)
    channel = queries.get_channel(principal.scope, channel_id)
    seen = channel.updated_at.isoformat()
    shown = {"name": channel.name, "seen": seen, **shown_config(channel, in_full=True)}
    return _answer(principal, CHANNEL_FORMS[channel.type](data=shown), channel.type, channel)


@pages.post("/settings/notifications/channels/<uuid:channel_id>")
def update_channel(channel_id: UUID) -> AnyResponse:
    principal = require_member(Permission.CONFIGURE)
    channel = queries.get_channel(principal.scope, channel_id)
    return _save(principal, CHANNEL_FORMS[channel.type](request.form), channel.type, channel)


@pages.post("/settings/notifications/channels/<uuid:channel_id>/delete")
def delete_channel(channel_id: UUID) -> AnyResponse:
    scope = require_member(Permission.CONFIGURE).scope
    channel = queries.get_channel(scope, channel_id)
    try:
        channels.delete_channel(scope, channel_id, list_users=list_users_of_channel)
    except ChannelInUseError as error:
        flash(error.message, Tone.BAD)
    else:
        flash(f"“{channel.name}” is deleted.", Tone.OK)
    return redirect(NOTIFICATIONS, 303)


@pages.post("/settings/notifications/channels/<uuid:channel_id>/test")
def send_test(channel_id: UUID) -> AnyResponse:
    """Send a test and lead to where it shows whether it got there."""
    principal = require_member(Permission.CONFIGURE)
    channel = queries.get_channel(principal.scope, channel_id)
    posted = trials.post_test(principal, principal.scope, channel, now=utc_now())
    ring_for_deliveries(job_queue())
    if len(posted) > 1:
        flash(f"{counted(len(posted), 'test')} are on their way.", Tone.OK)
        return redirect(query_url(DELIVERIES, {"transport": channel.type.value}), 303)
    flash("A test is on its way. Whether it gets there shows here.", Tone.OK)
    return redirect(delivery_path(posted[0].delivery_id), 303)


def _save(
    principal: Principal, form: ChannelForm, channel_type: ChannelType, channel: Channel | None
) -> AnyResponse:
    if form.validate():
        try:
            _store(principal, form, channel_type, channel)
        except ChannelChangedError:
            assert channel is not None
            return _answer_stale(principal, form, channel)
        except (InvalidError, ConflictError) as error:
            form.show(error)
        else:
            flash(f"“{form.name.data}” is saved.", Tone.OK)
            return redirect(NOTIFICATIONS, 303)
    return _answer(principal, form, channel_type, channel, status=UNPROCESSABLE_ENTITY)


def _answer_stale(principal: Principal, form: ChannelForm, channel: Channel) -> AnyResponse:
    """Say who was quicker and keep what was written; saved once more, it replaces theirs."""
    alert = Alert(
        f"This channel has changed since you opened it, last by {channel.updated_by} on"
        f" {Moment.of(channel.updated_at).text}. Nothing is saved yet: save again to replace it"
        " with what stands below, or",
        Tone.WARN,
        Link("drop your changes and see theirs.", channel_path(channel.channel_id)),
    )
    form["seen"].raw_data = None
    form["seen"].data = channel.updated_at.isoformat()
    return _answer(principal, form, channel.type, channel, alert=alert, status=CONFLICT)


def _store(
    principal: Principal, form: ChannelForm, channel_type: ChannelType, channel: Channel | None
) -> None:
    scope, config = principal.scope, form.config()
    if channel_type is ChannelType.SLACK:
        config["channel_name"] = _name_in_slack(scope, config["channel_id"], channel)
    fields = {"name": form.name.data, "type": channel_type, "config": config}
    if channel is None:
        store = partial(channels.create_channel, principal, scope, fields)
    else:
        store = partial(
            channels.update_channel,
            principal,
            scope,
            channel.channel_id,
            fields,
            seen_at=read_seen(form.seen.data),
        )
    store(sealer=sealer(), allow_private=may_be_private(), now=utc_now())


def _name_in_slack(scope: Scope, channel_id: str, former: Channel | None) -> str:
    """Return what Slack calls a channel, or what it was called when Slack cannot be asked."""
    offered = _offered(scope).choices
    found = next((it.label for it in offered if it.value == channel_id), "")
    if found or former is None or former.config["channel_id"] != channel_id:
        return found
    return str(former.config.get("channel_name") or "")


def _answer(
    principal: Principal,
    form: ChannelForm,
    channel_type: ChannelType,
    channel: Channel | None = None,
    *,
    alert: Alert | None = None,
    status: int = 200,
) -> AnyResponse:
    url = channel_path(channel.channel_id) if channel else new_channel_path(channel_type)
    page = ChannelPage(
        title=channel.name if channel else TITLES[channel_type],
        kind=channel_type.value,
        hint=HINTS[channel_type],
        form=form,
        action_url=url,
        list_url=NOTIFICATIONS,
        is_new=channel is None,
        alert=alert,
        slack=_slack_part(principal, form, url) if channel_type is ChannelType.SLACK else None,
    )
    response = render(
        "notifications/channel.html",
        page=page,
        section=NOTIFICATIONS,
        fragments=FRAGMENTS,
        status=status,
    )
    response.headers["Cache-Control"] = "no-store"  # an address may be all that posting needs
    return response


def _slack_part(principal: Principal, form: ChannelForm, url: str) -> SlackPart:
    """Return what a form of Slack has besides; Slack is asked when somebody wants to choose."""
    connection = slack.find_connection(principal.scope)
    if connection is None or not connection.is_connected:
        label = "Connect it" if can(principal, Permission.OWN) else "Integrations"
        return SlackPart(connect=Link(label, INTEGRATIONS))
    is_picking = wanted_fragment() == PICKER or request.args.get(PICK) == "slack"
    chosen = request.args.get("channel_id") or form["channel_id"].data or ""
    return SlackPart(
        pick_url=query_url(url, {PICK: "slack"}),
        picker=_picker(principal.scope, chosen) if is_picking else None,
    )


def _picker(scope: Scope, chosen: str) -> ChannelPicker:
    offered = _offered(scope)
    if offered.problem:
        return offered
    known = {it.value for it in offered.choices}
    first = [] if chosen in known else [Choice(chosen or "Choose a channel", chosen, True)]
    rest = (Choice(f"#{it.label}", it.value, it.value == chosen) for it in offered.choices)
    return ChannelPicker(choices=(*first, *rest))


def _offered(scope: Scope) -> ChannelPicker:
    """Return the workspace's channels by name, or why there are none."""
    try:
        offered = slack_workspace.offer_channels(
            scope, slack_site(), broker=slack_memory(), now=utc_now()
        )
    except LeadvibeError as error:
        return ChannelPicker(problem=error.message)
    return ChannelPicker(choices=tuple(Choice(name, it) for it, name in offered.items()))
