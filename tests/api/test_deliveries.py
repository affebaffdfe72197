"""Deliveries through the API: what was sent to whom, how that went, and once more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.queue import NOTIFICATIONS, open_queue
from leadvibe.notifications import deliveries
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.outcomes import Attempt, settle
from tests.api.notification_examples import RECEIPT, REFUSED, URL, add_delivery, attempt

FINAL = TransportError("404", reason="there is nothing at that address", is_temporary=False)


@pytest.fixture
def waiting(app):
    queue = open_queue(app.extensions["leadvibe.redis"], NOTIFICATIONS)
    queue.empty()
    return queue


def ids(answer):
    return [it["delivery_id"] for it in answer.json]


def test_deliveries_are_listed_the_newest_first_by_pages(api, world):
    made = [str(add_delivery(world, url=f"{URL}/{number}")) for number in range(3)]

    first, second = (api.get("/deliveries", limit=2, page=page) for page in (1, 2))

    assert ids(first) + ids(second) == made[::-1]
    assert first.headers["X-Total-Count"] == "3"


def test_deliveries_are_narrowed_down(api, world):
    delivered = add_delivery(world)
    attempt()
    waiting = add_delivery(world, "email", recipients="ana@acme.test")
    destination_id = api.get(f"/deliveries/{waiting}").json["destination_id"]

    def found(**query):
        answer = api.get("/deliveries", **query)
        assert answer.headers["X-Total-Count"] == str(len(answer.json))
        return ids(answer)

    assert found(state="delivered") == [str(delivered)]
    assert found(transport="email") == [str(waiting)]
    assert found(destination_id=destination_id) == [str(waiting)]
    assert found(lead_id="sample-lead", state="waiting") == [str(waiting)]
    assert found(trigger_id=destination_id) == []
    assert api.get("/deliveries", state="lost").status_code == 400


def test_a_list_takes_as_many_statements_for_many_as_for_one(api, world, statements):
    def count():
        statements.clear()
        api.get("/deliveries")
        return len(statements)

    add_delivery(world)
    few = count()
    for number in range(5):
        add_delivery(world, url=f"{URL}/{number}")

    assert count() == few


def test_every_attempt_is_told_with_what_was_said_and_answered(api, world):
    delivery_id = add_delivery(world)
    attempt(REFUSED)

    failing = api.get(f"/deliveries/{delivery_id}").json
    api.post(f"/deliveries/{delivery_id}/resend")
    attempt(RECEIPT)
    done = api.get(f"/deliveries/{delivery_id}").json

    assert (failing["state"], failing["problem"]) == ("waiting", REFUSED.reason)
    assert failing["due_at"] is not None
    assert (done["state"], done["problem"], done["due_at"]) == ("delivered", None, None)
    assert done["finished_at"] is not None
    first, second = done["attempts"]
    assert (first["outcome"], first["status"], first["response"]) == ("temporary", 503, "busy")
    assert (second["attempt"], second["outcome"], second["milliseconds"]) == (2, "delivered", 120)
    [line] = api.get("/deliveries").json
    assert line["attempts"] == 2


def test_secrets_in_addresses_are_hidden(api, world):
    add_delivery(world, "teams", webhook_url="https://prod.example.com/1?v=2&sig=s3cret")

    answer = api.get("/deliveries")

    assert answer.json[0]["address"] == "https://prod.example.com/1?v=••••&sig=••••"
    assert "s3cret" not in answer.text


def test_a_personal_delivery_names_whom_it_is_for(api, world, people):
    delivery_id = add_delivery(world)
    driver().execute(
        "UPDATE deliveries SET recipient_id = %s WHERE delivery_id = %s",
        (people.viewer.member.org_member_id, delivery_id),
    )
    commit()

    assert api.get(f"/deliveries/{delivery_id}").json["recipient"] == people.viewer.email


class TestResending:
    def test_a_failed_delivery_is_on_its_way_again_under_its_id(self, api, world, waiting):
        delivery_id = add_delivery(world)
        attempt(FINAL)
        assert api.get(f"/deliveries/{delivery_id}").json["state"] == "failed"

        sent = api.post(f"/deliveries/{delivery_id}/resend")

        assert (sent.status_code, sent.json["delivery_id"]) == (202, str(delivery_id))
        assert waiting.job_ids == ["deliveries"]
        [claim] = deliveries.claim_due(now=utc_now(), at_most=5, under_way={})
        assert (claim.delivery_id, claim.attempt, claim.tries) == (delivery_id, 2, 1)

    def test_a_delivery_that_was_delivered_goes_once_more(self, api, world):
        delivery_id = add_delivery(world)
        attempt()

        api.post(f"/deliveries/{delivery_id}/resend")

        assert api.get(f"/deliveries/{delivery_id}").json["state"] == "waiting"

    def test_a_viewer_looks_and_does_not_resend(self, call_as, world):
        delivery_id = add_delivery(world)
        viewer = call_as("viewer")

        assert viewer.get(f"/deliveries/{delivery_id}").status_code == 200
        assert viewer.post(f"/deliveries/{delivery_id}/resend").status_code == 403

    def test_a_stranger_resends_nothing(self, call_as, world):
        delivery_id = add_delivery(world)
        attempt()

        assert call_as("stranger").post(f"/deliveries/{delivery_id}/resend").status_code == 404
        assert call_as("owner").get(f"/deliveries/{delivery_id}").json["state"] == "delivered"


def test_what_a_delivery_was_folded_into_is_told(api, world):
    into, folded = add_delivery(world), add_delivery(world, url=f"{URL}/2")
    driver().execute(
        "UPDATE deliveries SET state = 'folded', folded_into = %s WHERE delivery_id = %s",
        (into, folded),
    )
    commit()

    found = api.get(f"/deliveries/{folded}").json

    assert (found["state"], found["folded_into"], found["due_at"]) == ("folded", str(into), None)
    assert api.post(f"/deliveries/{folded}/resend").status_code == 404


def test_an_attempt_that_is_under_way_is_counted_and_not_told_yet(api, world):
    delivery_id, now = add_delivery(world), utc_now()
    [claim] = deliveries.claim_due(now=now, at_most=1, under_way={})
    commit()
    assert api.get(f"/deliveries/{delivery_id}").json["attempts"] == []
    assert api.get("/deliveries").json[0]["attempts"] == 1

    settle([Attempt(claim, now, 1.5, RECEIPT)], now=now + timedelta(seconds=1.5))
    commit()

    [told] = api.get(f"/deliveries/{delivery_id}").json["attempts"]
    assert told["milliseconds"] == 1500
