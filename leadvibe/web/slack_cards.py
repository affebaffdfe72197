"""What the Integrations page shows of Slack, to whom."""

from __future__ import annotations

from leadvibe.http.slack import slack_memory, slack_site
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import LeadvibeError
from leadvibe.notifications import slack, slack_people, slack_workspace
from leadvibe.notifications.slack_installing import SCOPES, Outcome
from leadvibe.notifications.types import (
    SlackApp,
    SlackConnection,
    SlackDefault,
    SlackTargetKind,
)
from leadvibe.web.forms.integrations import SlackAppForm
from leadvibe.web.pages.display import Alert, Choice, Moment, Tone
from leadvibe.web.pages.integrations import ChannelPicker, SlackAppSetup, SlackCard
from leadvibe.web.redirects import INTEGRATIONS

SLACK = f"{INTEGRATIONS}/slack"
_BEGIN_AGAIN = "Choose Connect to begin again."
_OUTCOMES = {
    Outcome.CONNECTED: Alert("Slack is connected.", Tone.OK),
    Outcome.DENIED: Alert("Slack was not connected: it was cancelled at Slack.", Tone.WARN),
    Outcome.EXPIRED: Alert(
        f"Slack was not connected: that attempt is older than ten minutes, or was used before."
        f" {_BEGIN_AGAIN}",
        Tone.BAD,
    ),
    Outcome.OTHER_MEMBER: Alert(
        "Slack was not connected: another member began it. Connect it yourself.", Tone.BAD
    ),
    Outcome.FORBIDDEN: Alert(
        "Slack was not connected: whoever began it is no Owner of this unit any more.", Tone.BAD
    ),
    Outcome.WRONG_APP: Alert(
        "Slack was not connected: Slack does not accept the app's Client ID, secret or redirect"
        " URL. An admin checks them below.",
        Tone.BAD,
    ),
    Outcome.REFUSED: Alert(
        f"Slack was not connected: Slack did not accept the answer. {_BEGIN_AGAIN}", Tone.BAD
    ),
    Outcome.UNAVAILABLE: Alert(
        "Slack was not connected: Slack did not answer. Try again in a moment.", Tone.BAD
    ),
}


def outcome_alert(word: str) -> Alert | None:
    """Return what to say of an installation that has ended; None for a word that is not ours."""
    return _OUTCOMES[Outcome(word)] if word in set(Outcome) else None


def build_slack(principal: Principal, form: SlackAppForm, *, is_picking: bool) -> SlackCard:
    """Return the card; with `is_picking`, Slack is asked for the channels to choose from."""
    app = slack.find_app(principal.org_id)
    connection = slack.find_connection(principal.scope)
    is_connected = connection is not None and connection.is_connected
    may_own, may_test = can(principal, Permission.OWN), can(principal, Permission.CONFIGURE)
    picker = None
    if connection and is_connected and may_own and is_picking:
        picker = _picker(principal, connection)
    status, tone = _status(connection)
    default = connection.default if connection else None
    return SlackCard(
        status=status,
        tone=tone,
        is_connected=is_connected,
        has_app=app is not None,
        problem=(connection.problem or "") if connection else "",
        team_name=connection.team_name if connection else "",
        connected_at=Moment.of(connection.connected_at) if connection else None,
        default_target=_label(default) if default else "",
        people=_people(principal) if is_connected else "",
        setup=_setup(app, form) if can(principal, Permission.ADMINISTER) else None,
        picker=picker,
        pick_url=f"{INTEGRATIONS}?pick=slack" if is_connected and may_own else "",
        connect_url=f"{SLACK}/connect" if app and may_own else "",
        disconnect_url=f"{SLACK}/disconnect" if is_connected and may_own else "",
        target_url=f"{SLACK}/target",
        test_url=f"{SLACK}/test" if is_connected and may_test and default else "",
        sync_url=f"{SLACK}/people" if is_connected and may_own else "",
    )


def _status(connection: SlackConnection | None) -> tuple[str, Tone]:
    if connection is not None and connection.is_connected:
        return "Connected", Tone.OK
    if connection is not None and connection.problem:
        return "Disconnected", Tone.BAD
    return "Not connected", Tone.NEUTRAL


def _setup(app: SlackApp | None, form: SlackAppForm) -> SlackAppSetup:
    redirect_url = slack_site().redirect_url
    return SlackAppSetup(
        form=form,
        action_url=f"{SLACK}/app",
        redirect_url=redirect_url,
        is_https=redirect_url.startswith("https://"),
        scopes=SCOPES,
        client_id=app.client_id if app else "",
    )


def _picker(principal: Principal, connection: SlackConnection) -> ChannelPicker:
    try:
        channels = slack_workspace.offer_channels(
            principal.scope, slack_site(), broker=slack_memory(), now=utc_now()
        )
    except LeadvibeError as error:
        return ChannelPicker(problem=error.message)
    chosen = connection.default
    choices = [
        Choice(
            label=f"#{name}",
            value=channel_id,
            is_selected=chosen is not None and channel_id == chosen.id,
        )
        for channel_id, name in channels.items()
    ]
    if chosen is None:
        choices.insert(0, Choice(label="Choose a channel", is_selected=True))
    elif chosen.id not in channels:
        choices.insert(0, Choice(label=_label(chosen), value=chosen.id, is_selected=True))
    return ChannelPicker(choices=tuple(choices))


def _label(target: SlackDefault) -> str:
    if target.kind is SlackTargetKind.CHANNEL:
        return f"#{target.name}" if target.name else f"channel {target.id}"
    return target.name or f"person {target.id}"


def _people(principal: Principal) -> str:
    people = slack_people.count_people(principal.scope)
    return f"{people.mapped:,} of {people.total:,}"
