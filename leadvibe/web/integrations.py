"""Integrations of the unit: Slack and HubSpot are connected, tried and taken off again."""

from __future__ import annotations

from collections.abc import Callable
from http.client import UNPROCESSABLE_ENTITY

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.hubspot import check_hubspot
from leadvibe.http.permissions import require_member
from leadvibe.http.sealing import sealer
from leadvibe.http.slack import slack_memory, slack_site
from leadvibe.identity import queries
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError, LeadvibeError
from leadvibe.notifications import hubspot, slack, slack_installing, slack_people, slack_workspace
from leadvibe.notifications.errors import SlackEndedError
from leadvibe.notifications.types import SlackTargetKind
from leadvibe.web.forms.integrations import HubSpotForm, SlackAppForm
from leadvibe.web.hubspot_cards import build_hubspot
from leadvibe.web.pages.display import Tone
from leadvibe.web.pages.integrations import IntegrationsPage
from leadvibe.web.redirects import INTEGRATIONS
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.slack_cards import build_slack, outcome_alert

TARGET_ID = "slack-target"
FRAGMENTS = {TARGET_ID: "integrations/_slack_target.html"}

pages = Blueprint("integrations", __name__)


@pages.get("/settings/integrations")
def show_integrations() -> AnyResponse:
    return _answer(require_member(Permission.READ))


@pages.post("/settings/integrations/slack/app")
def set_slack_app() -> AnyResponse:
    principal, form = require_member(Permission.ADMINISTER), SlackAppForm(request.form)
    if not form.validate():
        return _answer(principal, slack_form=form, status=UNPROCESSABLE_ENTITY)
    try:
        slack.set_app(
            principal,
            client_id=form.client_id.data or "",
            client_secret=form.client_secret.data or "",
            sealer=slack_site().sealer,
            now=utc_now(),
        )
    except InvalidError as error:
        form.show(error)
        return _answer(principal, slack_form=form, status=UNPROCESSABLE_ENTITY)
    flash("The Slack app is saved.", Tone.OK)
    return redirect(INTEGRATIONS, 303)


@pages.get("/settings/integrations/slack/connect")
def connect_slack() -> AnyResponse:
    """Lead on to Slack. A link and no form, for a form may lead to no other site."""
    principal = require_member(Permission.OWN)
    return redirect(
        slack_installing.begin_installation(principal, slack_site(), now=utc_now()), 303
    )


@pages.post("/settings/integrations/slack/disconnect")
def disconnect_slack() -> AnyResponse:
    slack.disconnect(require_member(Permission.OWN).scope, slack_site(), now=utc_now())
    flash("Slack is disconnected: no more messages go there.", Tone.OK)
    return redirect(INTEGRATIONS, 303)


@pages.post("/settings/integrations/slack/target")
def set_slack_target() -> AnyResponse:
    principal = require_member(Permission.OWN)
    return _attempt(lambda: _choose_channel(principal, request.form.get("channel", "")))


@pages.post("/settings/integrations/slack/test")
def test_slack() -> AnyResponse:
    principal = require_member(Permission.CONFIGURE)
    return _attempt(lambda: _send_test(principal))


@pages.post("/settings/integrations/slack/people")
def sync_slack_people() -> AnyResponse:
    principal = require_member(Permission.OWN)
    return _attempt(lambda: _sync_people(principal))


@pages.post("/settings/integrations/hubspot")
def connect_hubspot() -> AnyResponse:
    principal, form = require_member(Permission.OWN), HubSpotForm(request.form)
    if not form.validate():
        return _answer(principal, hubspot_form=form, status=UNPROCESSABLE_ENTITY)
    try:
        hubspot.connect(
            principal,
            principal.scope,
            form.access(),
            check=check_hubspot,
            sealer=sealer(),
            now=utc_now(),
        )
    except InvalidError as error:
        form.show(error)
        return _answer(principal, hubspot_form=form, status=UNPROCESSABLE_ENTITY)
    flash("HubSpot is connected.", Tone.OK)
    return redirect(INTEGRATIONS, 303)


@pages.post("/settings/integrations/hubspot/disconnect")
def disconnect_hubspot() -> AnyResponse:
    hubspot.disconnect(require_member(Permission.OWN).scope)
    flash("HubSpot is disconnected: contacts there stay as they are.", Tone.OK)
    return redirect(INTEGRATIONS, 303)


def _choose_channel(principal: Principal, channel_id: str) -> str:
    """Make a channel that Slack knows the default, and remember its name."""
    scope, site, now = principal.scope, slack_site(), utc_now()
    channels = slack_workspace.offer_channels(scope, site, broker=slack_memory(), now=now)
    if channel_id not in channels:
        raise InvalidError("Choose a channel that Leadvibe can see in Slack.")
    slack.set_default_target(
        scope,
        kind=SlackTargetKind.CHANNEL,
        target_id=channel_id,
        name=channels[channel_id],
        now=now,
    )
    return f"Messages go to #{channels[channel_id]} from now on."


def _send_test(principal: Principal) -> str:
    default = slack.get_connection(principal.scope).default
    if default is None:
        raise InvalidError("Choose a channel first.")
    slack_workspace.send_test(
        principal.scope, slack_site(), kind=default.kind, target_id=default.id, now=utc_now()
    )
    return "The test message was sent."


def _sync_people(principal: Principal) -> str:
    people = slack_people.sync_people(principal.scope, slack_site(), now=utc_now())
    return f"{people.mapped:,} of {people.total:,} members are known in Slack now."


def _attempt(action: Callable[[], str]) -> AnyResponse:
    """Lead back to the page with what the action says, or with why it failed."""
    try:
        flash(action(), Tone.OK)
    except SlackEndedError:
        pass  # the card says so, and why
    except LeadvibeError as error:
        flash(error.message, Tone.BAD)
    return redirect(INTEGRATIONS, 303)


def _answer(
    principal: Principal,
    *,
    slack_form: SlackAppForm | None = None,
    hubspot_form: HubSpotForm | None = None,
    status: int = 200,
) -> AnyResponse:
    is_picking = wanted_fragment() == TARGET_ID or request.args.get("pick") == "slack"
    page = IntegrationsPage(
        unit_name=queries.get_unit(principal.scope).name,
        org_name=queries.get_organization(principal.org_id).name,
        alert=outcome_alert(request.args.get("slack", "")),
        slack=build_slack(principal, slack_form or SlackAppForm(), is_picking=is_picking),
        hubspot=build_hubspot(principal, hubspot_form),
    )
    return render(
        "integrations/page.html",
        page=page,
        section=INTEGRATIONS,
        fragments=FRAGMENTS,
        status=status,
    )
