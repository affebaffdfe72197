"""Slack: the organisation's app, the unit's workspace, and who members are in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http.client import FOUND
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field, StringConstraints

from leadvibe.api.fields import MemberId, Name, Text
from leadvibe.http import principal as asking
from leadvibe.http.slack import slack_memory, slack_site
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import UnauthenticatedError
from leadvibe.notifications import slack, slack_installing, slack_people, slack_workspace
from leadvibe.notifications.slack_installing import Return
from leadvibe.notifications.slack_workspace import LARGEST_PAGE
from leadvibe.notifications.types import SlackConnection, SlackPeople, SlackTargetKind

INSTALL_PATH = "/settings/ou/slack/install"
INTEGRATIONS = "/app/settings/integrations"

AppCredential = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]
TestText = Annotated[str, StringConstraints(max_length=3000)]


class AppCredentials(BaseModel):
    """What Slack shows of the organisation's app under Basic Information."""

    client_id: AppCredential = Field(description="The app's Client ID.")
    client_secret: AppCredential = Field(
        description="The app's Client Secret; kept encrypted and never shown again."
    )


class TargetChoice(BaseModel):
    """A channel or a person in the workspace."""

    kind: SlackTargetKind = Field(description="Whether it is a channel or a person.")
    id: Name = Field(description="The Slack id, such as C024BE91L or U024BE7LH.")


class TestMessage(TargetChoice):
    """Where to write to, and what."""

    text: TestText | None = Field(None, description="The message; a short greeting otherwise.")


class SlackUser(BaseModel):
    """Who a member is in Slack."""

    slack_user_id: Text | None = Field(
        description="The Slack member ID, such as U024BE7LH; null for nobody."
    )


class CallbackQuery(BaseModel):
    """What Slack sends somebody back with."""

    code: Text = Field("", description="What the token is exchanged for.")
    state: Text = Field("", description="What the installation was begun with.")
    error: Text = Field("", description="Why there is no code, such as access_denied.")


class UsersQuery(BaseModel):
    """Passed on to Slack as it is."""

    cursor: Text | None = Field(None, description="next_cursor of the page before.")
    limit: int | None = Field(None, ge=1, le=LARGEST_PAGE, description="How many at most.")


class ChannelsQuery(UsersQuery):
    """Passed on to Slack as it is."""

    types: Text | None = Field(
        None, description="Kinds of channel: public_channel, private_channel."
    )
    exclude_archived: bool | None = Field(None, description="Whether archived ones are left out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppItem:
    """Whether there is an app; its secret is never shown."""

    configured: bool
    client_id: str | None
    redirect_url: str
    """To be entered in the app's settings at Slack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusItem:
    """The unit's workspace, also one that it was connected to."""

    connected: bool
    team_name: str | None
    team_id: str | None
    bot_user_id: str | None
    updated_at: datetime | None
    default_target_kind: SlackTargetKind | None
    default_target_id: str | None
    authorize_url: str | None
    """Leads on to Slack, for somebody who is signed in; null while there is no app."""
    problem: str | None
    """Why Slack has ended the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    authorize_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsAnswer:
    """What Slack answers."""

    ok: bool
    channels: list[dict[str, Any]]
    response_metadata: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersAnswer:
    """What Slack answers."""

    ok: bool
    members: list[dict[str, Any]]
    response_metadata: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleItem:
    """How many members of the unit there are, and how many are known in Slack."""

    total: int
    mapped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackUserItem:
    org_member_id: UUID
    slack_user_id: str | None


def get_app(principal: Principal) -> AppItem:
    """Whether the organisation has a Slack app for its units to connect with."""
    app = slack.find_app(principal.org_id)
    return AppItem(
        configured=app is not None,
        client_id=app.client_id if app else None,
        redirect_url=slack_site().redirect_url,
    )


def set_app(principal: Principal, body: AppCredentials) -> None:
    """Have the organisation's units connect with this app from now on."""
    slack.set_app(
        principal,
        client_id=body.client_id,
        client_secret=body.client_secret,
        sealer=slack_site().sealer,
        now=utc_now(),
    )


def get_status(principal: Principal) -> StatusItem:
    """Which workspace the unit is connected to, if any, and where its messages go by default."""
    has_app = slack.find_app(principal.org_id) is not None
    install_url = f"{slack_site().public_url}{INSTALL_PATH}" if has_app else None
    return _status(slack.find_connection(principal.scope), install_url)


def redirect_to_slack(principal: Principal) -> Response:
    """Lead on to Slack, where the workspace is chosen; Slack leads back."""
    return _redirect(slack_installing.begin_installation(principal, slack_site(), now=utc_now()))


def begin_installation(principal: Principal) -> Installation:
    """Begin to connect: open `authorize_url` in a browser within ten minutes. It works once."""
    url = slack_installing.begin_installation(principal, slack_site(), now=utc_now())
    return Installation(authorize_url=url)


def finish_installation(query: CallbackQuery) -> Response:
    """Where Slack leads back to: connects the unit, and leads on to its Integrations page."""
    outcome = slack_installing.finish_installation(
        slack_site(),
        Return(state=query.state, code=query.code, error=query.error),
        visitor_id=_visitor_id(),
        now=utc_now(),
    )
    return _redirect(f"{INTEGRATIONS}?{urlencode({'slack': outcome})}")


def disconnect(principal: Principal) -> None:
    """Forget the unit's token and have Slack revoke it; the same again changes nothing."""
    slack.disconnect(principal.scope, slack_site(), now=utc_now())


def list_channels(principal: Principal, query: ChannelsQuery) -> ChannelsAnswer:
    """The workspace's channels as conversations.list has them, up to a minute old."""
    answer = slack_workspace.list_channels(
        principal.scope, slack_site(), _as_sent(query), broker=slack_memory(), now=utc_now()
    )
    return ChannelsAnswer(
        ok=answer["ok"],
        channels=answer["channels"],
        response_metadata=answer.get("response_metadata") or {},
    )


def list_users(principal: Principal, query: UsersQuery) -> UsersAnswer:
    """The workspace's people as users.list has them, up to a minute old."""
    answer = slack_workspace.list_users(
        principal.scope, slack_site(), _as_sent(query), broker=slack_memory(), now=utc_now()
    )
    return UsersAnswer(
        ok=answer["ok"],
        members=answer["members"],
        response_metadata=answer.get("response_metadata") or {},
    )


def set_default_target(principal: Principal, body: TargetChoice) -> None:
    """Send messages there whose trigger names no other place."""
    slack.set_default_target(principal.scope, kind=body.kind, target_id=body.id, now=utc_now())


def send_test(principal: Principal, body: TestMessage) -> Sent:
    """Write a test message to a channel, or to a person in a direct message."""
    slack_workspace.send_test(
        principal.scope,
        slack_site(),
        kind=body.kind,
        target_id=body.id,
        text=body.text or "",
        now=utc_now(),
    )
    return Sent(message="The test message was sent.")


def count_people(principal: Principal) -> PeopleItem:
    """How many of the unit's members are known in Slack."""
    return _people(slack_people.count_people(principal.scope))


def sync_people(principal: Principal) -> PeopleItem:
    """Match members to people in Slack by e-mail address; what was set by hand stays."""
    return _people(slack_people.sync_people(principal.scope, slack_site(), now=utc_now()))


def set_slack_user(principal: Principal, member_id: MemberId, body: SlackUser) -> SlackUserItem:
    """Say who a member is in Slack, which no match by e-mail address changes."""
    slack_people.set_slack_user(principal.scope, member_id, body.slack_user_id, now=utc_now())
    return SlackUserItem(org_member_id=member_id, slack_user_id=body.slack_user_id)


def _status(connection: SlackConnection | None, authorize_url: str | None) -> StatusItem:
    default = connection.default if connection else None
    return StatusItem(
        connected=connection is not None and connection.is_connected,
        team_name=connection.team_name if connection else None,
        team_id=connection.team_id if connection else None,
        bot_user_id=connection.bot_user_id if connection else None,
        updated_at=connection.updated_at if connection else None,
        default_target_kind=default.kind if default else None,
        default_target_id=default.id if default else None,
        authorize_url=authorize_url,
        problem=connection.problem if connection else None,
    )


def _people(people: SlackPeople) -> PeopleItem:
    return PeopleItem(total=people.total, mapped=people.mapped)


def _as_sent(query: BaseModel) -> dict[str, Any]:
    """Return what to pass on, with truth spelled as Slack spells it."""
    given = query.model_dump(exclude_none=True)
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
    }


def _visitor_id() -> UUID | None:
    try:
        principal = asking.find()
    except UnauthenticatedError:
        return None
    return principal.member_id if principal else None


def _redirect(url: str) -> Response:
    response = Response(status=FOUND, headers={"Location": url})
    del response.headers["Content-Type"]
    return response
