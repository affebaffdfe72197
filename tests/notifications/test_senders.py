"""From the outbox to services that behave as their documents say, with nothing between."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.ids import new_id
from leadvibe.lib.outbound import Outbound
from leadvibe.notifications import destinations, hubspot, slack
from leadvibe.notifications.channels import create_channel
from leadvibe.notifications.dispatch import Dispatcher
from leadvibe.notifications.mailer import Mailer
from leadvibe.notifications.outbox import register_destinations
from leadvibe.notifications.senders import PostOffice
from leadvibe.notifications.transports.email import MailServer
from leadvibe.notifications.types import Transport
from tests.factories import make_principal
from tests.mailbox import mailbox, serve  # noqa: F401
from tests.notifications.posting import post
from tests.standins.hubspot import TOKEN as HUBSPOT_TOKEN
from tests.standins.hubspot import running_hubspot
from tests.standins.slack import TOKEN
from tests.standins.web_server import Told

URL = "http://app.example"


@pytest.fixture(autouse=True)
def _alone(app):
    driver().execute("DELETE FROM notices")
    driver().execute("DELETE FROM destinations")
    commit()


@pytest.fixture
def sealer(app):
    return app.extensions["leadvibe.sealer"]


@pytest.fixture
def office(app, sealer) -> PostOffice:
    return PostOffice(
        outbound=Outbound(allow_private=True),
        mailer=Mailer(None),
        sealer=sealer,
        public_url=URL,
        slack_api_url=app.config["SLACK_API_URL"],
        hubspot_api_url="http://127.0.0.1:9",
        unsubscribe_key=b"k" * 32,
    )


def deliver(office: PostOffice) -> int:
    return Dispatcher(office.senders()).run(is_stopping=lambda: False)


def is_signed(asked, secret: str, place: int = 0) -> bool:
    """Check a signature the way a receiver does."""
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, signed + asked.body, hashlib.sha256).digest()
    signature = asked.headers["webhook-signature"].split()[place]
    return signature == f"v1,{base64.b64encode(digest).decode()}"


# Webhooks


def test_a_webhook_is_signed_with_the_secret_that_is_shown(
    scope, office, sealer, web_server, posted
):
    url = f"{web_server.url}/hook"
    ids = register_destinations(scope, [("webhook", url)], now=utc_now())
    post(scope, url)

    deliver(office)

    secret = destinations.ensure_secret(scope, *ids.values(), sealer, now=utc_now())
    [asked] = web_server.asked
    assert is_signed(asked, secret)
    notice_id, unit_id = asked.json["id"], asked.json["unit_id"]
    assert asked.json["lead"]["url"] == f"{URL}/app/leads/lead?unit={unit_id}&fired={notice_id}"
    assert posted.rows("state") == [("delivered",)]


def test_a_secret_that_was_changed_signs_beside_the_new_one_for_a_day(
    scope, office, sealer, web_server
):
    url = f"{web_server.url}/hook"
    [destination_id] = register_destinations(scope, [("webhook", url)], now=utc_now()).values()
    old = destinations.ensure_secret(scope, destination_id, sealer, now=utc_now())
    new = destinations.rotate_secret(scope, destination_id, sealer, now=utc_now()).secret
    post(scope, url)

    deliver(office)

    [asked] = web_server.asked
    assert is_signed(asked, new, 0)
    assert is_signed(asked, old, 1)


def test_a_channels_header_is_sent_and_not_kept(scope, office, sealer, web_server):
    url = f"{web_server.url}/hook"
    channel = create_channel(
        make_principal(scope), scope,
        {"name": "Ours", "type": "webhook", "config": {"url": url, "auth_header": "Bearer s3cret"}},
        sealer=sealer, allow_private=True, now=utc_now(),
    )  # fmt: skip
    post(scope, url, channel_id=channel.channel_id)

    deliver(office)

    [asked] = web_server.asked
    assert asked.headers["authorization"] == "Bearer s3cret"
    kept = driver().execute("SELECT string_agg(request, '') FROM delivery_attempts").fetchone()
    assert "s3cret" not in kept[0]


def test_a_private_address_is_refused_for_good(scope, office, posted):
    guarded = replace(office, outbound=Outbound(allow_private=False))
    post(scope, "http://127.0.0.1:9/hook", "http://[::ffff:127.0.0.1]/", "http://2130706433/")

    deliver(guarded)

    assert posted.rows("state", "attempts") == [("failed", 1)] * 3


def test_a_receiver_that_is_busy_is_asked_again_when_it_says(scope, office, web_server, posted):
    web_server.always(Told(429, headers={"Retry-After": "90"}))
    post(scope, f"{web_server.url}/hook")

    deliver(office)

    [(state, pause)] = posted.rows("state", "extract(epoch FROM d.due_at - d.created_at)")
    assert state == "waiting"
    assert 89 < pause < 95


# E-mail


def test_a_personal_mail_can_be_ended_with_one_click(
    scope, office, serve, mailbox, member_id  # noqa: F811
):  # fmt: skip
    server = MailServer.at(f"smtp://127.0.0.1:{serve()}", sender="lv@example.com")
    post(
        scope, "ada@example.com", transport=Transport.EMAIL, recipient_id=member_id,
    )  # fmt: skip
    post(scope, "sales@example.com", transport=Transport.EMAIL)

    deliver(replace(office, mailer=Mailer(server)))

    mails = {recipients[0]: mail for _, recipients, mail in mailbox.arrived}
    personal, other = mails["ada@example.com"], mails["sales@example.com"]
    assert personal["List-Unsubscribe"].startswith(f"<{URL}/app/unsubscribe/")
    assert personal["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert other["List-Unsubscribe"] is None
    assert "85" in other["Subject"]


@pytest.fixture
def member_id(scope):
    return new_id()


def test_without_a_mail_server_the_problem_is_told(scope, office, posted):
    post(scope, "sales@example.com", transport=Transport.EMAIL)

    deliver(office)

    assert posted.rows("state", "d.problem") == [("failed", "the workers know no mail server")]


# Slack


@pytest.fixture
def workspace(scope, sealer, request):
    """Slack's stand-in, to which the unit is connected."""
    world = request.getfixturevalue("slack")
    grant = slack.SlackGrant(token=TOKEN, team_id="T1", team_name="Acme", bot_user_id="B1")
    slack.store_connection(scope, grant, by="test", sealer=sealer, now=utc_now())
    commit()
    return world


def test_a_channel_and_a_person_are_written_to(scope, workspace, office, posted):
    channel, person = workspace.channels[0]["id"], workspace.users[0]["id"]
    post(scope, f"channel:{channel}", f"user:{person}", transport=Transport.SLACK)

    deliver(replace(office, slack_api_url=workspace.url))

    assert posted.rows("state", "d.problem") == [("delivered", None)] * 2
    assert len(workspace.messages) == 2
    assert len(workspace.called("conversations.open")) == 1


def test_a_token_that_slack_has_revoked_ends_the_connection(
    fresh_database, scope, workspace, office, posted
):
    workspace.revoke()
    post(scope, "channel:C0SALES", transport=Transport.SLACK)

    deliver(replace(office, slack_api_url=workspace.url))

    assert posted.rows("state") == [("failed",)]
    found = slack.find_connection(scope)
    assert found is not None
    assert not found.is_connected
    assert found.problem


def test_without_slack_a_message_fails_with_the_reason(scope, office, posted):
    post(scope, "channel:C1", transport=Transport.SLACK)

    deliver(office)

    assert posted.rows("d.problem") == [("Slack is not connected to this unit",)]


# HubSpot


def test_scores_go_to_hubspot_in_one_batch(scope, office, sealer, posted):
    with running_hubspot() as account:
        account.properties = {"leadvibe_score": {}, "leadvibe_level": {}}
        access = hubspot.HubSpotAccess(token=HUBSPOT_TOKEN)
        hubspot.connect(
            make_principal(scope), scope, access, check=lambda _access: "1",
            sealer=sealer, now=utc_now(),
        )  # fmt: skip
        for _ in range(3):
            post(scope, scope.unit_id.hex, transport=Transport.HUBSPOT)

        deliver(replace(office, hubspot_api_url=account.url))

        assert len(account.batches()) == 1
    assert posted.rows("state") == [("delivered",)] * 3


def test_without_hubspot_the_reason_is_told(scope, office, posted):
    post(scope, scope.unit_id.hex, transport=Transport.HUBSPOT)

    deliver(office)

    assert posted.rows("d.problem") == [("HubSpot is not connected to this unit",)]
