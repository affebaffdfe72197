"""Slack over the API: its app, the way there and back, its workspace, and its people."""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from redis.exceptions import ConnectionError as RedisAwayError

from leadvibe.http.slack import slack_site
from leadvibe.identity import members
from leadvibe.identity.types import UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.sealing import Sealer
from leadvibe.notifications import slack as connections
from leadvibe.notifications import slack_installing, slack_people
from leadvibe.notifications.slack import SlackGrant
from leadvibe.notifications.slack_installing import Outcome, Return
from tests.api.slack_examples import CHANNEL, connect, set_app
from tests.conftest import Browser
from tests.standins.slack import BOT, CLIENT_ID, CLIENT_SECRET, CODE, TEAM_ID, TOKEN, user

APP = "/settings/org/slack-app"
STATUS = "/settings/ou/slack"
INSTALL = f"{STATUS}/install"
CHANNELS = f"{STATUS}/channels"
USERS = f"{STATUS}/users"
TEST = f"{STATUS}/test"
CALLBACK = "/slack/oauth/callback"
PAGE = "/app/settings/integrations"
CREDENTIALS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.fixture
def owner(call_as, slack):
    return call_as("owner")


@pytest.fixture
def connected(world, slack):
    connect(world)


@pytest.fixture
def away(monkeypatch):
    """Let Redis be away."""

    def refuse(*_args, **_kwargs):
        raise RedisAwayError

    monkeypatch.setattr("redis.connection.AbstractConnection.connect", refuse)
    monkeypatch.setattr("redis.connection.ConnectionPool.get_connection", refuse)


def begin(caller):
    """Begin an installation and return its state."""
    url = caller.post(INSTALL).json["authorize_url"]
    return parse_qs(urlsplit(url).query)["state"][0]


def come_back(client, state, **query):
    """Return how an installation ended, as the address of the page says it."""
    answer = client.get(CALLBACK, query_string={"state": state, "code": CODE, **query})
    assert answer.status_code == 302
    path, _, outcome = answer.location.partition("?slack=")
    assert path == PAGE
    return Outcome(outcome)


class TestApp:
    def test_an_admin_sets_it_and_its_secret_is_never_shown(self, call_as, people, slack):
        admin = call_as("admin")
        assert admin.get(APP).json["configured"] is False

        assert admin.put(APP, CREDENTIALS).status_code == 204

        answer = admin.get(APP)
        assert answer.json["configured"] is True
        assert answer.json["client_id"] == CLIENT_ID
        assert CLIENT_SECRET not in answer.text
        assert CLIENT_SECRET not in connections.find_app(people.organization.org_id).sealed_secret

    @pytest.mark.parametrize("name", ["owner", "operator", "viewer", "credential"])
    def test_nobody_else_sets_it(self, call_as, slack, name):
        assert call_as(name).put(APP, CREDENTIALS).status_code == 403

    def test_another_organisation_has_another(self, call_as, world, slack):
        set_app(world)

        assert call_as("stranger").get(APP).json["configured"] is False

    @pytest.mark.parametrize("field", ["client_id", "client_secret"])
    def test_both_are_needed(self, call_as, slack, field):
        answer = call_as("admin").put(APP, {**CREDENTIALS, field: " "})

        assert answer.status_code == 400
        assert field in answer.json["fields"]


class TestInstalling:
    def test_a_unit_is_connected(self, owner, client, world, slack):
        set_app(world)

        assert come_back(client, begin(owner)) is Outcome.CONNECTED

        status = owner.get(STATUS).json
        assert status["connected"] is True
        assert (status["team_id"], status["team_name"]) == (TEAM_ID, "Acme")
        assert status["bot_user_id"] == BOT
        assert status["problem"] is None
        [exchange] = slack.called("oauth.v2.access")
        assert exchange["redirect_uri"] == f"{slack_site().public_url}{CALLBACK}"

    def test_the_way_to_slack_names_app_scopes_and_the_way_back(self, owner, world, slack):
        set_app(world)

        answer = owner.get(INSTALL)

        address = urlsplit(answer.location)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert answer.status_code == 302
        assert f"{address.scheme}://{address.netloc}/api/" == slack.url
        assert address.path == "/oauth/v2/authorize"
        assert query["client_id"] == CLIENT_ID
        assert query["redirect_uri"] == f"{slack_site().public_url}{CALLBACK}"
        assert "chat:write.public" in query["scope"].split(",")
        assert CLIENT_SECRET not in answer.location

    def test_without_an_app_there_is_no_way_to_slack(self, owner):
        answer = owner.post(INSTALL)

        assert (answer.status_code, answer.json["code"]) == (409, "slack_app_missing")
        assert owner.get(STATUS).json["authorize_url"] is None

    def test_looking_begins_nothing(self, owner, world, statements):
        set_app(world)
        statements.clear()

        assert owner.get(STATUS).json["authorize_url"].endswith(INSTALL)

        assert not [it for it in statements if "INSERT INTO slack_states" in it]

    @pytest.mark.parametrize("name", ["operator", "viewer", "credential"])
    def test_only_an_owner_begins(self, call_as, world, slack, name):
        set_app(world)

        assert call_as(name).post(INSTALL).status_code == 403
        assert call_as(name).get(INSTALL).status_code == 403

    def test_a_state_works_once(self, owner, client, world, slack):
        set_app(world)
        state = begin(owner)
        assert come_back(client, state) is Outcome.CONNECTED
        slack.codes.add(CODE)

        assert come_back(client, state) is Outcome.EXPIRED

    @pytest.mark.parametrize("state", ["", "nonsense", f"{'0' * 32}.x", "\u2028.x", "a" * 900])
    def test_a_state_that_nobody_began_is_refused(self, client, world, slack, state):
        assert come_back(client, state) is Outcome.EXPIRED
        assert slack.calls == []

    def test_a_state_expires(self, owner, world, slack):
        set_app(world)
        state = begin(owner)

        outcome = slack_installing.finish_installation(
            slack_site(),
            Return(state=state, code=CODE, error=""),
            visitor_id=None,
            now=utc_now() + timedelta(minutes=10, seconds=1),
        )

        assert outcome is Outcome.EXPIRED
        assert slack.calls == []

    def test_who_is_signed_in_as_somebody_else_connects_nothing(self, owner, app, people, world):
        set_app(world)
        state = begin(owner)

        other = Browser(app.test_client(), people.admin)

        assert come_back(other, state) is Outcome.OTHER_MEMBER
        assert owner.get(STATUS).json["connected"] is False

    def test_who_began_may_come_back_signed_in(self, owner, app, people, world):
        set_app(world)

        same = Browser(app.test_client(), people.owner)

        assert come_back(same, begin(owner)) is Outcome.CONNECTED

    def test_who_is_no_owner_any_more_connects_nothing(self, owner, client, people, world):
        set_app(world)
        state = begin(owner)
        for person, role in ((people.viewer, UnitRole.OWNER), (people.owner, UnitRole.OPERATOR)):
            members.assign(world.principal, member_id(person), role=role, now=utc_now())
        commit()

        assert come_back(client, state) is Outcome.FORBIDDEN

    def test_a_refusal_at_slack_is_told_and_uses_the_state_up(self, owner, client, world, slack):
        set_app(world)
        state = begin(owner)

        denied = come_back(client, state, code="", error="access_denied")

        assert denied is Outcome.DENIED
        assert come_back(client, state) is Outcome.EXPIRED
        assert slack.calls == []

    def test_a_code_that_slack_does_not_know_connects_nothing(self, owner, client, world, slack):
        set_app(world)

        assert come_back(client, begin(owner), code="made up") is Outcome.REFUSED
        assert owner.get(STATUS).json["connected"] is False

    def test_a_wrong_secret_of_the_app_is_told(self, owner, client, call_as, world, slack):
        call_as("admin").put(APP, {"client_id": CLIENT_ID, "client_secret": "not this one"})

        assert come_back(client, begin(owner)) is Outcome.WRONG_APP

    @pytest.mark.parametrize("status", [429, 503])
    def test_slack_may_be_away_at_the_end(self, owner, client, world, slack, status):
        set_app(world)
        slack.fail_next("", status=status)

        assert come_back(client, begin(owner)) is Outcome.UNAVAILABLE

    def test_the_same_workspace_again_keeps_its_default(self, owner, client, world, connected):
        come_back(client, begin(owner))

        assert owner.get(STATUS).json["default_target_id"] == CHANNEL

    def test_another_workspace_has_other_channels_and_people(
        self, owner, client, *, people, world, slack, connected
    ):
        member_id = people.viewer.member.org_member_id
        slack_people.set_slack_user(world.scope, member_id, "U0VIEWER01", now=utc_now())
        slack.team = {"id": "T0OTHER", "name": "Other"}

        come_back(client, begin(owner))

        status = owner.get(STATUS).json
        assert status["team_name"] == "Other"
        assert status["default_target_id"] is None
        assert slack_people.find_slack_user(world.scope, member_id) is None

    def test_no_secret_is_answered_stored_openly_or_logged(
        self, owner, client, world, slack, caplog
    ):
        caplog.set_level(logging.DEBUG)
        set_app(world)
        come_back(client, begin(owner))

        connection = connections.get_connection(world.scope)

        shown = owner.get(STATUS).text + owner.get(APP).text + repr(connection) + caplog.text
        for secret in (TOKEN, CLIENT_SECRET):
            assert secret not in shown
            assert secret not in connection.sealed_token
        assert connections.open_token(connection, slack_site().sealer) == TOKEN


class TestConnection:
    def test_everybody_in_the_unit_sees_it_and_no_stranger(self, call_as, connected):
        for name in ("owner", "operator", "viewer"):
            assert call_as(name).get(STATUS).json["connected"] is True
        assert call_as("stranger").get(STATUS).json["connected"] is False
        assert call_as("credential").get(STATUS).status_code == 403

    def test_never_connected_is_all_null(self, owner):
        status = owner.get(STATUS).json

        assert status.pop("connected") is False
        assert set(status.values()) == {None}

    def test_disconnecting_revokes_the_token(self, owner, slack, connected):
        assert owner.delete(STATUS).status_code == 204

        status = owner.get(STATUS).json
        assert (status["connected"], status["problem"]) == (False, None)
        assert slack.tokens == set()
        assert owner.delete(STATUS).status_code == 204

    def test_disconnecting_works_while_slack_is_away(self, owner, slack, connected):
        slack.fail_next("", status=503)

        assert owner.delete(STATUS).status_code == 204
        assert owner.get(STATUS).json["connected"] is False

    @pytest.mark.parametrize("name", ["operator", "viewer"])
    def test_only_an_owner_ends_it(self, call_as, connected, name):
        assert call_as(name).delete(STATUS).status_code == 403

    def test_a_default_target_is_kept(self, owner, connected):
        target = {"kind": "user", "id": "U0OWNER001"}

        assert owner.put(f"{STATUS}/default-target", target).status_code == 204

        status = owner.get(STATUS).json
        assert (status["default_target_kind"], status["default_target_id"]) == (
            "user",
            "U0OWNER001",
        )

    def test_a_default_needs_a_connection_and_a_known_kind(self, owner, connected):
        path = f"{STATUS}/default-target"
        assert owner.put(path, {"kind": "team", "id": "T1"}).status_code == 400
        owner.delete(STATUS)

        answer = owner.put(path, {"kind": "channel", "id": CHANNEL})

        assert (answer.status_code, answer.json["code"]) == (409, "slack_not_connected")

    def test_a_token_that_no_key_opens_asks_for_connecting_again(self, owner, world, slack):
        grant = SlackGrant(token=TOKEN, team_id=TEAM_ID, team_name="Acme", bot_user_id=BOT)
        other = Sealer((), last_resort=b"k" * 32)
        connections.store_connection(world.scope, grant, by="x", sealer=other, now=utc_now())
        commit()

        answer = owner.get(CHANNELS)

        assert (answer.status_code, answer.json["code"]) == (409, "slack_not_connected")

    def test_a_revoked_token_ends_the_connection_for_all_to_see(
        self, fresh_database, owner, slack, connected
    ):
        slack.revoke()

        answer = owner.post(TEST, {"kind": "channel", "id": CHANNEL})

        assert (answer.status_code, answer.json["code"]) == (409, "slack_not_connected")
        status = owner.get(STATUS).json
        assert status["connected"] is False
        assert "token_revoked" in status["problem"]
        assert status["team_name"] == "Acme"

    def test_an_old_token_does_not_end_a_new_connection(self, owner, world, connected):
        old = connections.get_connection(world.scope)
        connect(world)

        connections.mark_revoked(world.scope, old, problem="Gone.", now=utc_now())

        assert owner.get(STATUS).json["connected"] is True

    def test_newer_addresses_are_the_same(self, owner, connected):
        assert owner.get("/integrations/slack").json == owner.get(STATUS).json
        assert owner.get("/integrations/slack/channels").json == owner.get(CHANNELS).json


class TestWorkspace:
    def test_channels_come_as_slack_has_them_page_by_page(self, owner, slack, connected):
        slack.users = [user(f"U{number:09}", None) for number in range(5)]

        first = owner.get(USERS, limit=3).json
        second = owner.get(USERS, limit=3, cursor=first["response_metadata"]["next_cursor"]).json

        assert [it["id"] for it in first["members"] + second["members"]] == [
            it["id"] for it in slack.users
        ]
        assert second["response_metadata"]["next_cursor"] == ""

    def test_what_is_asked_is_passed_on(self, owner, slack, connected):
        owner.get(CHANNELS, types="private_channel", exclude_archived="true", limit=7)

        assert slack.called("conversations.list") == [
            {"types": "private_channel", "exclude_archived": "true", "limit": "7"}
        ]

    def test_the_same_is_asked_once_a_minute(self, owner, slack, connected):
        first = owner.get(CHANNELS).json
        slack.channels = []

        assert owner.get(CHANNELS).json == first
        assert owner.get(CHANNELS, limit=5).json["channels"] == []
        assert len(slack.calls) == 2

    def test_a_new_connection_remembers_nothing(self, owner, slack, world, connected):
        owner.get(CHANNELS)
        connect(world)

        owner.get(CHANNELS)

        assert len(slack.calls) == 2

    def test_without_redis_slack_is_asked_each_time(self, owner, slack, connected, away):
        assert owner.get(CHANNELS).status_code == 200
        assert owner.get(CHANNELS).status_code == 200

        assert len(slack.calls) == 2

    def test_without_a_connection_there_is_nothing(self, owner):
        for path in (CHANNELS, USERS):
            answer = owner.get(path)
            assert (answer.status_code, answer.json["code"]) == (409, "slack_not_connected")

    def test_slack_asking_for_patience_is_passed_on(self, owner, slack, connected):
        slack.fail_next("", status=429, retry_after=9)

        answer = owner.get(CHANNELS)

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "9")

    def test_slack_being_away_is_no_fault_of_the_client(self, owner, slack, connected):
        slack.fail_next("", status=502)

        assert owner.get(CHANNELS).status_code == 503
        assert owner.get(STATUS).json["connected"] is True

    def test_a_cursor_that_slack_refuses_is_told(self, owner, slack, connected):
        slack.fail_next("invalid_cursor")

        answer = owner.get(CHANNELS, cursor="x")

        assert (answer.status_code, answer.json["code"]) == (400, "slack_refused")

    @pytest.mark.parametrize(("name", "status"), [("operator", 200), ("viewer", 403)])
    def test_who_sets_triggers_up_sees_and_tries_channels(self, call_as, connected, name, status):
        caller = call_as(name)

        assert caller.get(CHANNELS).status_code == status
        assert caller.get(USERS).status_code == status
        assert caller.post(TEST, {"kind": "channel", "id": CHANNEL}).status_code == status

    def test_a_test_message_arrives(self, owner, slack, connected):
        channel = owner.post(TEST, {"kind": "channel", "id": CHANNEL, "text": "Hi <all>"})
        person = owner.post(TEST, {"kind": "user", "id": "U0OWNER001"})

        assert (channel.status_code, person.status_code) == (200, 200)
        assert channel.json["message"]
        said = [(it["channel"], it["text"][:12]) for it in slack.messages]
        assert said == [(CHANNEL, "Hi &lt;all&g"), ("D0OWNER001", "Leadvibe is ")]

    def test_a_channel_that_is_not_there_is_named(self, owner, slack, connected):
        answer = owner.post(TEST, {"kind": "channel", "id": "C0NOWHERE"})

        assert answer.status_code == 400
        assert "no such channel" in answer.json["fields"]["id"]


class TestPeople:
    def test_members_are_matched_by_their_address(self, owner, people, world, slack, connected):
        assert owner.post("/integrations/slack/sync-identities").json == {"total": 4, "mapped": 2}

        assert owner.get("/integrations/slack/identity-status").json["mapped"] == 2
        assert found(world, people.owner) == "U0OWNER001"
        assert found(world, people.operator) is None  # their account in Slack is gone
        assert slack_people.find_slack_user(people.stranger.scope, member_id(people.owner)) is None

    def test_all_pages_are_read(self, owner, slack, connected, monkeypatch):
        monkeypatch.setattr(slack_people, "PAGE_SIZE", 1)

        assert owner.post("/integrations/slack/sync-identities").json["mapped"] == 2
        assert len(slack.called("users.list")) == 4

    def test_what_was_set_by_hand_stays(self, owner, people, world, connected):
        owner.put(f"/members/{member_id(people.owner)}/slack", {"slack_user_id": "U0BYHAND"})

        owner.post("/integrations/slack/sync-identities")

        assert found(world, people.owner) == "U0BYHAND"

    def test_who_has_left_slack_is_not_known_any_more(self, owner, people, world, slack, connected):
        owner.post("/integrations/slack/sync-identities")
        slack.users = []

        assert owner.post("/integrations/slack/sync-identities").json["mapped"] == 0

    def test_a_match_is_taken_back(self, owner, people, world, connected):
        path = f"/members/{member_id(people.owner)}/slack"
        owner.put(path, {"slack_user_id": "U0BYHAND"})

        answer = owner.put(path, {"slack_user_id": None})

        assert answer.json["slack_user_id"] is None
        assert found(world, people.owner) is None

    @pytest.mark.parametrize("slack_user_id", ["", "C024BE91L", "u024be7lh", "U1 OR 1", "U" * 99])
    def test_what_is_no_member_id_of_slack_is_refused(self, owner, people, slack_user_id):
        path = f"/members/{member_id(people.owner)}/slack"

        answer = owner.put(path, {"slack_user_id": slack_user_id})

        assert answer.status_code == 400
        assert "slack_user_id" in answer.json["fields"]

    def test_a_member_of_others_is_not_there(self, owner, people):
        path = f"/members/{member_id(people.stranger)}/slack"

        answer = owner.put(path, {"slack_user_id": "U024BE7LH"})

        assert (answer.status_code, answer.json["code"]) == (404, "member_not_found")

    @pytest.mark.parametrize("name", ["operator", "viewer", "credential"])
    def test_only_an_owner_says_who_is_who(self, call_as, people, connected, name):
        caller = call_as(name)

        assert caller.post("/integrations/slack/sync-identities").status_code == 403
        path = f"/members/{member_id(people.owner)}/slack"
        assert caller.put(path, {"slack_user_id": "U024BE7LH"}).status_code == 403


def member_id(person):
    return person.member.org_member_id


def found(world, person):
    return slack_people.find_slack_user(world.scope, member_id(person))
