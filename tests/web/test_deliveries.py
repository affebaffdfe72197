"""The pages of deliveries: what was sent to whom, how that went, and once more."""

from __future__ import annotations

import re
from html import unescape
from uuid import uuid4

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.queue import NOTIFICATIONS, open_queue
from leadvibe.notifications import deliveries, queries
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.types import Transport
from tests.api.notification_examples import REFUSED, URL, add_channel, add_delivery, attempt
from tests.notifications.posting import post
from tests.people import basic
from tests.web.pages import htmx, links_in

PAGE = "/app/deliveries"
MEMBERS = ("admin", "owner", "operator", "viewer")
FINAL = TransportError("404", reason="there is nothing at that address", is_temporary=False)


@pytest.fixture
def waiting(app):
    queue = open_queue(app.extensions["leadvibe.redis"], NOTIFICATIONS)
    queue.empty()
    return queue


@pytest.fixture
def delivery(world):
    return add_delivery(world)


def shown(page):
    """Return the deliveries that a list leads to, in order."""
    return re.findall(rf'class="row-name" href="{PAGE}/([0-9a-f-]+)"', page)


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_sees_what_was_sent(browse, people, world, name):
    post(world.scope, URL, lead_id="ann/1")
    attempt(FINAL)
    browser = browse(people[name])

    page = browser.get(PAGE).text

    [delivery_id] = shown(page)
    assert "Milestone reached" in page
    assert "Webhook: " in page
    assert "there is nothing at that address" in page
    assert links_in(page, "/app/leads/~YW5uLzE")
    one = browser.get(f"{PAGE}/{delivery_id}")
    assert one.status_code == 200
    assert "Ada reached 85 points" in one.text


def test_a_stranger_sees_nothing_of_it(browse, people, delivery):
    stranger = browse(people.stranger)

    assert "Nothing was sent yet" in stranger.get(PAGE).text
    assert stranger.get(f"{PAGE}/{delivery}").status_code == 404
    assert stranger.post(f"{PAGE}/{delivery}/resend").status_code == 404


def test_credentials_and_forms_without_a_token_are_refused(browse, client, people, delivery):
    assert client.get(PAGE, headers=basic(people.credential)).status_code == 403
    forged = browse(people.operator).client.post(f"{PAGE}/{delivery}/resend")
    assert forged.status_code == 403


def test_who_is_not_signed_in_is_led_to_the_sign_in(browse, world):
    assert "/app/login" in browse(None).get(PAGE).location


def test_everybody_finds_the_page(browse, people, world):
    assert links_in(browse(people.viewer).get("/app/leads").text, PAGE)


class TestTheList:
    def test_the_newest_come_first_by_pages_that_htmx_swaps(self, browse, people, world):
        post(world.scope, *(f"{URL}/{number}" for number in range(26)))
        latest = str(add_delivery(world))
        browser = browse(people.viewer)

        first = browser.get(PAGE).text
        second = browser.get(f"{PAGE}?page=2", headers=htmx("section#delivery-list")).text

        assert shown(first)[0] == latest
        assert second.lstrip().startswith('<section class="loadable" id="delivery-list"')
        assert (len(shown(first)), len(shown(second))) == (25, 2)
        assert len(shown(browser.get(f"{PAGE}?page=99").text)) == 2

    def test_it_is_narrowed_down(self, browse, people, world):
        delivered = add_delivery(world)
        attempt()
        mail = add_delivery(world, "email", recipients="ana@acme.test")
        post(world.scope, URL, lead_id="ann")
        destination = queries.get_delivery(world.scope, mail).destination_id
        browser = browse(people.viewer)

        def found(**query):
            return shown(browser.get(PAGE, query_string=query).text)

        assert found(state="delivered") == [str(delivered)]
        assert found(transport="email") == [str(mail)]
        assert found(destination_id=str(destination)) == [str(mail)]
        assert found(lead_id="sample-lead", state="waiting") == [str(mail)]
        assert len(found(lead_id="ann")) == 1
        assert found(trigger_id=str(uuid4())) == []

    def test_it_is_searched_by_what_is_known_of_the_lead(self, browse, people, world):
        world.happen("page_view", "ann", email="ann@acme.test")
        post(world.scope, URL, lead_id="ann")
        post(world.scope, URL, lead_id="gone/7")
        browser = browse(people.viewer)

        for text, count in (("acme.test", 1), ("ann@ac", 1), ("gone/7", 1), ("nobody", 0)):
            assert len(shown(browser.get(PAGE, query_string={"q": text}).text)) == count, text

    def test_filters_that_other_pages_set_are_named_and_taken_away(self, browse, people, world):
        trigger_id = uuid4()
        post(world.scope, URL)
        driver().execute("UPDATE deliveries SET trigger_id = %s", (trigger_id,))
        post(world.scope, f"{URL}/2")
        browser = browse(people.viewer)

        page = browser.get(f"{PAGE}?trigger_id={trigger_id}&state=waiting").text

        assert "Trigger: Hot" in page
        assert f'name="trigger_id" value="{trigger_id}"' in page
        assert f"{PAGE}?state=waiting" in links_in(page, PAGE)
        assert f"{PAGE}?trigger_id={trigger_id}" in links_in(browser.get(PAGE).text, "trigger_id")

    @pytest.mark.parametrize(
        "query",
        ["state=lost", "transport=fax", "trigger_id=7", "lead_id=a%00b", "destination_id=x"],
    )
    def test_a_filter_that_makes_no_sense_is_told(self, browse, people, delivery, query):
        answer = browse(people.viewer).get(f"{PAGE}?{query}")

        assert answer.status_code == 200
        assert "that there is" in answer.text
        assert shown(answer.text) == []

    def test_nothing_secret_is_in_an_address(self, browse, people, world):
        made = add_delivery(world, "teams", webhook_url="https://prod.test/1?v=2&sig=s3cret")
        attempt(FINAL)
        browser = browse(people.owner)

        for path in (PAGE, f"{PAGE}/{made}", f"{PAGE}/destinations"):
            page = browser.get(path).text
            assert "sig=••••" in page
            assert "s3cret" not in page

    def test_places_in_slack_have_their_names(self, browse, people, world):
        add_channel(world, "slack", channel_id="C024BE91L", channel_name="#sales")
        post(world.scope, "channel:C024BE91L", transport=Transport.SLACK)
        post(world.scope, "user:U024BE7LH", transport=Transport.SLACK)

        page = browse(people.viewer).get(PAGE).text

        assert "#sales" in page
        assert "person U024BE7LH" in page

    def test_it_takes_as_many_statements_for_many_as_for_one(
        self, browse, people, world, statements
    ):
        browser = browse(people.viewer)

        def count():
            statements.clear()
            browser.get(PAGE)
            return len(statements)

        add_delivery(world)
        count()
        few = count()
        for number in range(5):
            add_delivery(world, url=f"{URL}/{number}")

        assert count() == few


class TestOne:
    def test_every_attempt_is_told_with_what_was_said_and_answered(self, browse, people, delivery):
        attempt(REFUSED)

        page = browse(people.viewer).get(f"{PAGE}/{delivery}").text

        assert "Waiting" in page
        assert "next try <time" in page
        assert "Failed, may work later: the server answered 503" in page
        assert "503 · 120 ms" in page
        assert ">POST /leads</pre>" in page
        assert ">busy</pre>" in page
        assert "demo_request +60" in page
        assert "reached" not in page
        assert "is a test that setup sent" in page

    def test_json_is_indented_to_be_read(self, browse, people, delivery):
        sent = 'POST /leads\nContent-Type: application/json\n\n{"lead":{"name":"Ada"}}'
        attempt(TransportError("503", reason="busy", is_temporary=True, request=sent))

        page = unescape(browse(people.viewer).get(f"{PAGE}/{delivery}").text)

        assert 'json\n\n{\n  "lead": {\n    "name": "Ada"\n  }\n}</pre>' in page

    def test_it_asks_for_itself_again_while_an_attempt_is_near(self, browse, people, delivery):
        browser, path = browse(people.viewer), f"{PAGE}/{delivery}"

        before = browser.get(path).text
        deliveries.claim_due(now=utc_now(), at_most=1, under_way={})
        commit()
        during = browser.get(path, headers=htmx("div#delivery")).text
        driver().execute("UPDATE deliveries SET due_at = now()")
        attempt()
        after = browser.get(path, headers=htmx("div#delivery")).text

        assert f'hx-get="{path}" hx-trigger="every 2s"' in before
        assert during.lstrip().startswith('<div class="stack" id="delivery" hx-get')
        assert "An attempt is under way." in during
        assert "hx-trigger" not in after
        assert "Delivered" in after

    def test_what_another_delivery_tells_leads_there(self, browse, people, world, delivery):
        folded = add_delivery(world, url=f"{URL}/2")
        driver().execute(
            "UPDATE deliveries SET state = 'folded', folded_into = %s WHERE delivery_id = %s",
            (delivery, folded),
        )
        commit()
        browser = browse(people.operator)

        page = browser.get(f"{PAGE}/{folded}").text

        assert "Told with another" in page
        assert links_in(page, f"{PAGE}/{delivery}")
        assert "/resend" not in page
        assert browser.post(f"{PAGE}/{folded}/resend").status_code == 404

    def test_whom_it_is_for_is_named(self, browse, people, world):
        member = people.viewer.member
        post(
            world.scope,
            "user:U024BE7LH",
            transport=Transport.SLACK,
            recipient_id=member.org_member_id,
        )
        browser = browse(people.operator)

        page = browser.get(PAGE).text

        assert member.email in page
        assert member.email in browser.get(f"{PAGE}/{shown(page)[0]}").text

    def test_one_that_is_not_there_is_not_found(self, browse, people, world):
        assert browse(people.viewer).get(f"{PAGE}/{uuid4()}").status_code == 404


class TestResending:
    def test_a_failed_delivery_is_on_its_way_again(self, browse, people, world, delivery, waiting):
        attempt(FINAL)
        browser, path = browse(people.operator), f"{PAGE}/{delivery}"
        assert "Resend</button>" in browser.get(path).text

        answer = browser.post(f"{path}/resend")

        assert (answer.status_code, answer.location) == (303, path)
        page = browser.get(path).text
        assert "It is on its way again." in page
        assert "Try now</button>" in page
        assert waiting.job_ids == ["deliveries"]

    def test_it_asks_first_when_it_was_delivered_already(self, browse, people, delivery):
        attempt()
        browser, path = browse(people.operator), f"{PAGE}/{delivery}"

        page = browser.get(path).text

        assert "Send it once more?" in page
        assert browser.post(f"{path}/resend").status_code == 303
        assert "Waiting" in browser.get(path).text

    def test_a_viewer_looks_and_does_not_resend(self, browse, people, delivery):
        attempt(FINAL)
        browser, path = browse(people.viewer), f"{PAGE}/{delivery}"

        assert "/resend" not in browser.get(path).text
        assert browser.post(f"{path}/resend").status_code == 403
