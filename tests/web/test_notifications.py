"""How notifications reach people: the unit's channels, and what each member wants to hear."""

from __future__ import annotations

from uuid import uuid4

import pytest

from leadvibe.engine.triggers import Milestone
from leadvibe.http.sealing import sealer
from leadvibe.lib.db import commit, driver
from leadvibe.lib.queue import NOTIFICATIONS, open_queue
from leadvibe.notifications import queries
from leadvibe.notifications.preferences import Preferences, get_preferences
from leadvibe.notifications.types import Happening
from tests.api.notification_examples import URL, WEBHOOK, add_channel
from tests.api.slack_examples import CHANNEL, connect
from tests.factories import make_trigger
from tests.people import basic
from tests.web.pages import htmx, links_in

PAGE = "/app/settings/notifications"
CHANNELS = f"{PAGE}/channels"
MASK = "••••"
SECRET = "s3cret"
FORMS = {
    "slack": {"channel_id": "C024BE91L"},
    "teams": {"webhook_url": "https://prod.test/1?sig=s3cret", "channel_name": "Sales"},
    "webhook": {"url": URL, "auth_header": "Bearer s3cret"},
    "email": {"recipients": "ana@acme.test\nbo@acme.test,\n", "subject_prefix": "[Leads]"},
}


@pytest.fixture
def channel(world):
    return add_channel(world)


def the_channel(world):
    [channel] = queries.list_channels(world.scope)
    return channel


def seen(world):
    """Return what a form says of when the channel was changed last."""
    return {"seen": the_channel(world).updated_at.isoformat()}


class TestWho:
    @pytest.mark.parametrize("name", ["admin", "owner", "operator"])
    def test_those_who_configure_are_offered_what_they_may_do(self, browse, people, channel, name):
        page = browse(people[name]).get(PAGE).text

        assert links_in(page, f"{CHANNELS}/new/email")
        assert links_in(page, f"{CHANNELS}/{channel}")
        for action in ("test", "delete"):
            assert f"{CHANNELS}/{channel}/{action}" in page

    def test_a_viewer_reads_the_channels_alone(self, browse, people, world):
        channel = add_channel(world, "teams", **{**FORMS["teams"], "channel_name": ""})
        browser = browse(people.viewer)

        page = browser.get(PAGE).text

        assert "sig=••••" in page
        assert SECRET not in page
        assert CHANNELS not in page
        for path in (f"{CHANNELS}/new/email", f"{CHANNELS}/{channel}"):
            assert browser.get(path).status_code == 403
            assert browser.post(path, {"name": "Mine", **FORMS["email"]}).status_code == 403
        for action in ("test", "delete"):
            assert browser.post(f"{CHANNELS}/{channel}/{action}").status_code == 403

    def test_a_channel_in_teams_goes_by_the_name_it_was_given(self, browse, people, world):
        add_channel(world, "teams", **FORMS["teams"])

        page = browse(people.viewer).get(PAGE).text

        assert "Teams · Sales</p>" in page
        assert "prod.test" not in page

    def test_a_stranger_finds_none_of_it(self, browse, people, channel):
        stranger = browse(people.stranger)

        assert "No channels yet" in stranger.get(PAGE).text
        assert stranger.get(f"{CHANNELS}/{channel}").status_code == 404
        for action in ("", "/test", "/delete"):
            assert stranger.post(f"{CHANNELS}/{channel}{action}", {"name": "x"}).status_code == 404

    def test_credentials_and_forms_without_a_token_are_refused(
        self, browse, client, people, channel
    ):
        assert client.get(PAGE, headers=basic(people.credential)).status_code == 403
        forged = browse(people.owner).client
        assert forged.post(f"{CHANNELS}/{channel}/delete").status_code == 403
        assert forged.post(f"{PAGE}/preferences").status_code == 403

    def test_who_is_not_signed_in_is_led_to_the_sign_in(self, browse, world):
        assert "/app/login" in browse(None).get(PAGE).location

    def test_everybody_finds_the_page(self, browse, people, world):
        assert links_in(browse(people.viewer).get("/app/leads").text, PAGE)


class TestChannels:
    @pytest.mark.parametrize("kind", FORMS)
    def test_each_type_has_a_form_of_its_own(self, browse, people, world, kind):
        browser, path = browse(people.operator), f"{CHANNELS}/new/{kind}"
        for field in FORMS[kind]:
            assert f'name="{field}"' in browser.get(path).text

        answer = browser.post(path, {"name": " Sales ", **FORMS[kind]})

        assert (answer.status_code, answer.location) == (303, PAGE)
        assert "“Sales” is saved." in browser.get(PAGE).text
        made = the_channel(world)
        assert (made.name, made.type, made.created_by) == ("Sales", kind, people.operator.email)

    def test_recipients_may_stand_on_lines_of_their_own(self, browse, people, world):
        browser = browse(people.operator)

        browser.post(f"{CHANNELS}/new/email", {"name": "Sales", **FORMS["email"]})

        assert the_channel(world).config["recipients"] == "ana@acme.test, bo@acme.test"
        assert "ana@acme.test and 1 more" in browser.get(PAGE).text

    @pytest.mark.parametrize(
        ("kind", "fields", "told"),
        [
            ("email", {"recipients": "ana"}, ("recipients", "Recipients holds &#39;ana&#39;")),
            ("email", {"recipients": " "}, ("recipients", "Recipients is missing")),
            ("webhook", {"url": "http://127.0.0.1/"}, ("url", "URL cannot be used")),
            ("webhook", {"url": URL, "auth_header": "é"}, ("auth_header", "plain ASCII")),
            ("teams", {"webhook_url": "x"}, ("webhook_url", "Workflow URL cannot be used")),
            ("slack", {"channel_id": "#sales"}, ("channel_id", "must be the id of a channel")),
            ("email", {"name": "", **FORMS["email"]}, ("name", "Name the channel.")),
            ("email", {"name": "x" * 101, **FORMS["email"]}, ("name", "at most 100")),
        ],
    )
    @pytest.mark.usefixtures("world")
    def test_what_is_wrong_stands_at_its_field(self, browse, people, kind, fields, told):
        field, complaint = told

        answer = browse(people.operator).post(f"{CHANNELS}/new/{kind}", {"name": "Sales", **fields})

        assert answer.status_code == 422
        _, _, error = answer.text.partition(f'id="{field}-error"')
        assert complaint in error.partition("</p>")[0]
        assert queries.list_channels(people.scope) == []

    def test_a_name_that_another_has_is_told(self, browse, people, world, channel):
        name = the_channel(world).name

        answer = browse(people.operator).post(
            f"{CHANNELS}/new/email", {"name": name, **FORMS["email"]}
        )

        assert (answer.status_code, "Name exists already." in answer.text) == (422, True)

    def test_a_header_is_kept_behind_its_mask_and_never_shown(self, browse, people, world, channel):
        browser, path = browse(people.operator), f"{CHANNELS}/{channel}"
        form = browser.get(path)
        assert SECRET not in form.text
        assert f'value="{MASK}"' in form.text
        assert form.headers["Cache-Control"] == "no-store"

        changed = {"name": "Renamed", "url": f"{URL}/2", "auth_header": MASK}
        browser.post(path, {**seen(world), **changed})

        kept = the_channel(world)
        assert (kept.name, kept.config["url"]) == ("Renamed", f"{URL}/2")
        assert sealer().open(kept.config["auth_header"]) == WEBHOOK["auth_header"]
        browser.post(path, {**seen(world), "name": "Renamed", "url": URL, "auth_header": ""})
        assert the_channel(world).config["auth_header"] == ""

    def test_a_kept_header_goes_to_no_other_host(self, browse, people, world, channel):
        answer = browse(people.operator).post(
            f"{CHANNELS}/{channel}",
            {**seen(world), "name": "x", "url": "https://other.test/", "auth_header": MASK},
        )

        assert answer.status_code == 422
        assert "has to be given again" in answer.text
        assert the_channel(world).config["url"] == URL

    def test_of_two_who_edit_the_later_is_told_and_loses_nothing(
        self, browse, people, world, channel
    ):
        path, mine = f"{CHANNELS}/{channel}", {"name": "Mine", "url": URL, "auth_header": MASK}
        before, browser = seen(world), browse(people.operator)
        browse(people.owner).post(path, {**before, **mine, "name": "Theirs"})

        answer = browser.post(path, {**before, **mine})

        assert answer.status_code == 409
        assert f"last by {people.owner.email}" in answer.text
        assert 'value="Mine"' in answer.text
        assert the_channel(world).name == "Theirs"
        now = seen(world)
        assert f'value="{now["seen"]}"' in answer.text
        assert browser.post(path, {**now, **mine}).status_code == 303
        assert the_channel(world).name == "Mine"
        assert browser.post(path, mine).status_code == 409

    def test_a_channel_is_deleted_unless_triggers_use_it(self, browse, people, world, channel):
        browser = browse(people.operator)
        trigger = make_trigger(world.scope, Milestone(50), name="Hot leads", channel_ids=(channel,))

        browser.post(f"{CHANNELS}/{channel}/delete")
        assert "is still used by &#39;Hot leads&#39;" in browser.get(PAGE).text
        driver().execute("DELETE FROM triggers WHERE trigger_id = %s", (trigger.trigger_id,))
        commit()
        browser.post(f"{CHANNELS}/{channel}/delete")

        assert "is deleted." in browser.get(PAGE).text
        assert queries.list_channels(world.scope) == []

    @pytest.mark.parametrize("kind", ["fax", "hubspot"])
    def test_what_there_is_no_such_type_of_is_not_found(self, browse, people, world, kind):
        assert browse(people.operator).get(f"{CHANNELS}/new/{kind}").status_code == 404
        assert browse(people.operator).get(f"{CHANNELS}/{uuid4()}").status_code == 404


class TestTrials:
    def test_a_test_leads_to_what_becomes_of_it(self, browse, app, people, channel):
        queue = open_queue(app.extensions["leadvibe.redis"], NOTIFICATIONS)
        queue.empty()
        browser = browse(people.operator)

        answer = browser.post(f"{CHANNELS}/{channel}/test")

        assert answer.status_code == 303
        assert answer.location.startswith("/app/deliveries/")
        assert queue.job_ids == ["deliveries"]
        assert "A test is on its way." in browser.get(answer.location).text

    def test_several_are_listed(self, browse, people, world):
        channel = add_channel(world, "email", recipients="ana@acme.test, bo@acme.test")
        browser = browse(people.operator)

        answer = browser.post(f"{CHANNELS}/{channel}/test")

        assert answer.location == "/app/deliveries?transport=email"
        page = browser.get(answer.location).text
        assert "2 tests are on their way." in page
        assert "bo@acme.test" in page


class TestSlack:
    FORM = f"{CHANNELS}/new/slack"

    def test_without_a_connection_the_way_there_is_shown(self, browse, people, world):
        page = browse(people.operator).get(self.FORM).text

        assert "Slack is not connected" in page
        assert links_in(page, "/app/settings/integrations")
        assert "pick=slack" not in page

    def test_slack_is_asked_for_channels_only_when_they_are_wanted(
        self, browse, people, world, slack
    ):
        connect(world)
        slack.calls.clear()
        browser = browse(people.operator)

        page = browser.get(self.FORM).text
        assert slack.calls == []
        [pick_url] = set(links_in(page, "pick=slack"))
        fragment = browser.get(pick_url, headers=htmx("div#slack-channel")).text
        whole = browser.get(pick_url).text

        assert fragment.lstrip().startswith('<div id="slack-channel"')
        for picker in (fragment, whole):
            assert f'<option value="{CHANNEL}">#sales</option>' in picker
            assert '<option value="" selected>Choose a channel</option>' in picker

    def test_a_chosen_channel_keeps_its_name(self, browse, people, world, slack):
        connect(world)
        browser = browse(people.operator)

        browser.post(self.FORM, {"name": "Sales", "channel_id": CHANNEL})

        assert the_channel(world).config == {"channel_id": CHANNEL, "channel_name": "sales"}
        slack.fail_next("", status=502)
        path = f"{CHANNELS}/{the_channel(world).channel_id}"
        browser.post(path, {"name": "Renamed", "channel_id": CHANNEL})
        assert the_channel(world).config["channel_name"] == "sales"

    def test_a_picker_says_why_it_is_empty(self, browse, people, world, slack):
        connect(world)
        slack.fail_next("", status=502)

        page = browse(people.operator).get(f"{self.FORM}?pick=slack").text

        assert "try again in a moment" in page
        assert 'name="channel_id"' in page


class TestMine:
    @pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
    def test_every_member_chooses_for_themselves(self, browse, people, world, name):
        browser = browse(people[name])

        answer = browser.post(
            f"{PAGE}/preferences",
            {"enabled": "y", "milestone_reached": "y", "surge_detected": "y", "digest": "y"},
        )

        assert (answer.status_code, answer.location) == (303, PAGE)
        assert "Your choice is saved." in browser.get(PAGE).text
        chosen = get_preferences(world.scope, people[name].member.org_member_id)
        assert chosen == Preferences(
            enabled=True,
            muted=frozenset(
                {
                    Happening.MILESTONE_EXITED,
                    Happening.SEQUENCE_COMPLETED,
                    Happening.PATTERN_MATCHED,
                }
            ),
            digest=True,
        )
        others = {"owner", "viewer"} - {name}
        for other in others:
            theirs = get_preferences(world.scope, people[other].member.org_member_id)
            assert theirs == Preferences()

    def test_what_was_chosen_is_shown(self, browse, people, world):
        browser = browse(people.viewer)
        assert browser.get(PAGE).text.count("checked") == 6

        browser.post(f"{PAGE}/preferences", {"digest": "y"})

        page = browser.get(PAGE).text
        assert page.count("checked") == 1
        assert 'checked id="digest"' in page

    def test_how_somebody_is_told_is_said(self, browse, people, world, slack):
        browser = browse(people.viewer)
        assert f"By e-mail to {people.viewer.email}" in browser.get(PAGE).text

        connect(world)
        assert "match you by e-mail" in browser.get(PAGE).text
        driver().execute(
            "INSERT INTO slack_identities"
            " (unit_id, org_member_id, slack_user_id, source, updated_at)"
            " VALUES (%s, %s, 'U024BE7LH', 'manual', now())",
            (world.scope.unit_id, people.viewer.member.org_member_id),
        )
        commit()

        assert "In Slack, as U••••LH" in browser.get(PAGE).text
