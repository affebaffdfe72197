"""The Integrations page: Slack and HubSpot are connected, tried, and taken off again."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from leadvibe.http.slack import slack_site
from leadvibe.lib.db import commit
from leadvibe.notifications import hubspot
from leadvibe.notifications import slack as connections
from leadvibe.notifications.slack_installing import Outcome
from tests.api.notification_examples import connect_hubspot
from tests.api.slack_examples import CHANNEL, connect, set_app
from tests.people import basic
from tests.standins.hubspot import TOKEN as HUBSPOT_TOKEN
from tests.standins.slack import CLIENT_ID, CLIENT_SECRET, TOKEN
from tests.web.pages import htmx, links_in

PAGE = "/app/settings/integrations"
SLACK = f"{PAGE}/slack"
HUBSPOT = f"{PAGE}/hubspot"
CREDENTIALS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.fixture
def connected(world, slack):
    connect(world)


def test_an_admin_sets_the_app_up(browse, people, world):
    browser = browse(people.admin)
    page = browser.get(PAGE).text
    assert slack_site().redirect_url in page
    assert "chat:write.public" in page

    answer = browser.post(f"{SLACK}/app", CREDENTIALS)

    assert (answer.status_code, answer.location) == (303, PAGE)
    page = browser.get(PAGE).text
    assert links_in(page, f"{SLACK}/connect")
    assert CLIENT_ID in page
    assert CLIENT_SECRET not in page


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_half_an_app_is_explained_and_its_secret_not_repeated(browse, people, world, missing):
    answer = browse(people.admin).post(f"{SLACK}/app", {**CREDENTIALS, missing: ""})

    assert answer.status_code == 422
    assert "from Slack." in answer.text
    assert CLIENT_SECRET not in answer.text
    assert connections.find_app(people.organization.org_id) is None


def test_the_others_are_told_who_sets_it_up(browse, people, world):
    for name in ("owner", "operator", "viewer"):
        page = browse(people[name]).get(PAGE).text
        assert "An admin of Acme sets up the Slack app first" in page
        assert "client_secret" not in page


def test_an_owner_is_led_to_slack_and_back(browse, people, world, slack):
    set_app(world)
    browser = browse(people.owner)

    away = browser.get(f"{SLACK}/connect")
    state = urlsplit(away.location).query.partition("state=")[2]
    slack.codes.add("code")
    back = browser.get("/slack/oauth/callback", query_string={"state": state, "code": "code"})

    assert away.status_code == 303
    assert back.location == f"{PAGE}?slack=connected"
    page = browser.get(back.location).text
    assert "Slack is connected." in page
    assert "<b>Acme</b>" in page
    assert TOKEN not in page


@pytest.mark.parametrize("outcome", Outcome)
def test_every_end_of_an_installation_is_told(browse, people, world, outcome):
    page = browse(people.owner).get(PAGE, query_string={"slack": outcome}).text

    assert page.count('class="alert') == 1
    assert 'class="alert' not in browse(people.owner).get(f"{PAGE}?slack=made-up").text


def test_who_is_not_signed_in_hears_of_it_after_the_sign_in(browse, world):
    answer = browse(None).get(f"{PAGE}?slack=connected")

    assert answer.location.endswith("next=%2Fapp%2Fsettings%2Fintegrations%3Fslack%3Dconnected")


def test_the_page_waits_for_slack_only_where_channels_are_chosen(browse, people, slack, connected):
    browser = browse(people.owner)

    page = browser.get(PAGE).text
    assert slack.calls == []
    assert "#sales" in page

    fragment = browser.get(f"{PAGE}?pick=slack", headers=htmx("div#slack-target")).text
    whole = browser.get(f"{PAGE}?pick=slack").text

    assert fragment.lstrip().startswith('<div id="slack-target"')
    for picker in (fragment, whole):
        assert f'<option value="{CHANNEL}" selected>#sales</option>' in picker
        assert "#board" in picker


def test_a_channel_is_chosen(browse, people, world, connected):
    browser = browse(people.owner)

    browser.post(f"{SLACK}/target", {"channel": "C024BE91N"})

    assert "Messages go to #leads from now on." in browser.get(PAGE).text
    assert connections.get_connection(world.scope).default.name == "leads"


def test_a_channel_that_is_not_offered_is_not_chosen(browse, people, world, connected):
    browser = browse(people.owner)

    browser.post(f"{SLACK}/target", {"channel": "C0NOWHERE"})

    assert "Choose a channel that Leadvibe can see" in browser.get(PAGE).text
    assert connections.get_connection(world.scope).default.id == CHANNEL


def test_a_test_message_is_sent_or_told_why_not(browse, people, slack, connected):
    browser = browse(people.operator)

    browser.post(f"{SLACK}/test")
    assert "The test message was sent." in browser.get(PAGE).text
    slack.fail_next("is_archived")
    browser.post(f"{SLACK}/test")

    assert "The channel is archived." in browser.get(PAGE).text
    assert [it["channel"] for it in slack.messages] == [CHANNEL]


def test_members_are_matched(browse, people, connected):
    browser = browse(people.owner)
    assert "0 of 4 known in Slack" in browser.get(PAGE).text

    browser.post(f"{SLACK}/people")

    assert "2 of 4 known in Slack" in browser.get(PAGE).text


def test_a_connection_that_slack_has_ended_says_so(browse, people, slack, connected):
    browser = browse(people.owner)
    slack.revoke()

    browser.post(f"{SLACK}/test")

    page = browser.get(PAGE).text
    assert "Disconnected" in page
    assert "Slack no longer accepts the connection to Acme (token_revoked)." in page
    assert links_in(page, f"{SLACK}/connect")


def test_a_picker_says_why_it_is_empty(browse, people, slack, connected):
    slack.fail_next("", status=502)

    page = browse(people.owner).get(f"{PAGE}?pick=slack").text

    assert "try again in a moment" in page


def test_it_is_disconnected(browse, people, world, slack, connected):
    browser = browse(people.owner)

    answer = browser.post(f"{SLACK}/disconnect")

    assert answer.location == PAGE
    assert "Not connected" in browser.get(PAGE).text
    assert slack.tokens == set()


@pytest.mark.parametrize("name", ["operator", "viewer"])
def test_what_an_owner_does_nobody_else_is_offered_or_may_do(browse, people, connected, name):
    browser = browse(people[name])

    page = browser.get(PAGE).text

    for action in ("app", "disconnect", "target", "people"):
        assert f"{SLACK}/{action}" not in page
        assert browser.post(f"{SLACK}/{action}", {"channel": CHANNEL}).status_code == 403
    assert links_in(page, f"{SLACK}/connect") == []
    assert browser.get(f"{SLACK}/connect").status_code == 403


def test_a_viewer_sends_no_test(browse, people, slack, connected):
    browser = browse(people.viewer)

    assert f"{SLACK}/test" not in browser.get(PAGE).text
    assert browser.post(f"{SLACK}/test").status_code == 403
    assert slack.messages == []


def test_a_stranger_sees_nothing_of_it(browse, people, slack, connected):
    page = browse(people.stranger).get(PAGE).text

    assert "Not connected" in page
    assert CLIENT_ID not in page


def test_credentials_and_forms_without_a_token_are_refused(browse, client, people, connected):
    assert client.get(PAGE, headers=basic(people.credential)).status_code == 403
    forged = browse(people.owner).client.post(f"{SLACK}/disconnect")
    assert forged.status_code == 403


def test_everybody_finds_the_page(browse, people, world):
    assert links_in(browse(people.viewer).get("/app/leads").text, PAGE)


class TestHubSpot:
    FORM: ClassVar = {
        "token": HUBSPOT_TOKEN, "score_property": "lead_score", "level_property": "leadvibe_level",
    }  # fmt: skip

    def test_an_owner_connects_it_and_the_token_is_never_shown(
        self, browse, people, world, hubspot_account
    ):
        browser = browse(people.owner)
        assert "crm.schemas.contacts.write" in browser.get(PAGE).text

        answer = browser.post(HUBSPOT, self.FORM)

        assert (answer.status_code, answer.location) == (303, PAGE)
        page = browser.get(PAGE).text
        assert "HubSpot is connected." in page
        assert "<b>4711</b>" in page
        assert "lead_score, leadvibe_level" in page
        assert HUBSPOT_TOKEN not in page
        assert set(hubspot_account.properties) == {"lead_score", "leadvibe_level"}

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"token": "pat-other"}, "does not accept the token"),
            ({"token": ""}, "give the access token of a private app"),
            ({"token": "a b"}, "This is no token"),
            ({"score_property": "Lead Score"}, "Type its internal name"),
            ({"level_property": ""}, "Type its internal name"),
        ],
    )
    @pytest.mark.usefixtures("world", "hubspot_account")
    def test_what_hubspot_will_not_have_is_told(self, browse, people, changes, complaint):
        answer = browse(people.owner).post(HUBSPOT, {**self.FORM, **changes})

        assert answer.status_code == 422
        assert complaint in answer.text
        assert HUBSPOT_TOKEN not in answer.text
        assert hubspot.find_connection(people.scope) is None

    def test_properties_are_changed_with_the_token_that_is_known(
        self, browse, people, world, hubspot_account
    ):
        browser = browse(people.owner)
        browser.post(HUBSPOT, self.FORM)

        browser.post(HUBSPOT, {**self.FORM, "token": "", "score_property": "points"})

        assert "points, leadvibe_level" in browser.get(PAGE).text

    def test_a_problem_is_shown(self, browse, people, world):
        connect_hubspot(world)
        connection = hubspot.find_connection(world.scope)
        hubspot.mark_problem(world.scope, connection, problem="HubSpot does not accept the token")
        commit()

        page = browse(people.viewer).get(PAGE).text

        assert "Not working" in page
        assert "Nothing gets through: HubSpot does not accept the token." in page

    def test_it_is_disconnected(self, browse, people, world):
        connect_hubspot(world)
        browser = browse(people.owner)

        answer = browser.post(f"{HUBSPOT}/disconnect")

        assert answer.location == PAGE
        assert "HubSpot is disconnected" in browser.get(PAGE).text
        assert hubspot.find_connection(world.scope) is None

    @pytest.mark.parametrize("name", ["operator", "viewer"])
    def test_others_see_whether_it_works_and_change_nothing(self, browse, people, world, name):
        browser = browse(people[name])
        assert "An Owner of" in browser.get(PAGE).text
        connect_hubspot(world)

        page = browser.get(PAGE).text

        assert "<b>4711</b>" in page
        assert HUBSPOT not in page
        for path in (HUBSPOT, f"{HUBSPOT}/disconnect"):
            assert browser.post(path, self.FORM).status_code == 403

    def test_a_stranger_sees_nothing_of_it(self, browse, people, world):
        connect_hubspot(world)

        page = browse(people.stranger).get(PAGE).text

        assert "<b>4711</b>" not in page
        assert "Connect HubSpot" in page
