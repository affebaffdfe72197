"""Destinations through the API: their state in words, their secrets, and a new start."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from leadvibe.http.sealing import sealer
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.queue import NOTIFICATIONS, open_queue
from leadvibe.lib.sealing import Sealer
from leadvibe.notifications import deliveries, destinations, outbox
from tests.api.notification_examples import (
    REFUSED,
    URL,
    add_channel,
    add_delivery,
    add_destination,
    attempt,
)

SECONDS = timedelta(seconds=1)
OTHER_SEALER = Sealer([base64.urlsafe_b64encode(b"k" * 32).decode()], last_resort=b"r" * 32)


@pytest.fixture
def owner(call_as):
    return call_as("owner")


def stored(destination_id):
    [row] = driver().execute(
        "SELECT secret, former_secret, former_until FROM destinations WHERE destination_id = %s",
        (destination_id,),
    )
    return row


class TestList:
    def test_destinations_say_in_words_whether_they_work(self, api, world):
        add_delivery(world)
        [unused] = api.get("/destinations").json
        attempt()
        [working] = api.get("/destinations").json

        assert (unused["state"], unused["last_delivered_at"]) == ("never used", None)
        assert (working["state"], working["failures"], working["problem"]) == ("working", 0, None)
        assert working["last_delivered_at"] is not None

    def test_one_that_fails_time_and_again_is_paused(self, api, world):
        delivery_id = add_delivery(world)
        attempt(REFUSED)
        [failing] = api.get("/destinations").json
        for _ in range(deliveries.FAILURES_TO_PAUSE - 1):
            api.post(f"/deliveries/{delivery_id}/resend")
            attempt(REFUSED)

        [paused] = api.get("/destinations").json

        assert (failing["state"], failing["problem"]) == ("failing", REFUSED.reason)
        assert paused["state"].startswith("paused until 20")
        assert paused["state"].endswith(" UTC")
        assert paused["failures"] == deliveries.FAILURES_TO_PAUSE

    def test_addresses_hide_their_secrets_and_pages_are_counted(self, api, world):
        add_delivery(world, "teams", webhook_url="https://prod.example.com/1?sig=s3cret")
        add_delivery(world, "email", recipients="ana@acme.test")

        answer = api.get("/destinations", limit=1, page=2)

        assert answer.headers["X-Total-Count"] == "2"
        assert answer.json[0]["address"] == "https://prod.example.com/1?sig=••••"
        assert answer.json[0]["has_secret"] is False


class TestSecrets:
    def test_a_webhook_channel_gives_its_destination_a_secret(self, owner, world):
        add_channel(world)

        [found] = owner.get("/destinations").json

        assert found["has_secret"] is True
        assert found["address"] == URL

    def test_a_secret_is_as_receivers_know_it_and_sealed_at_rest(self, owner, world):
        destination_id = add_destination(world)

        answer = owner.get(f"/destinations/{destination_id}/secret")

        assert answer.headers["Cache-Control"] == "no-store"
        secret = answer.json["secret"]
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
        sealed, former, _ = stored(destination_id)
        assert secret not in sealed
        assert sealer().open(sealed) == secret
        assert former is None

    def test_one_is_made_when_it_is_first_looked_at_and_stays(self, owner, people):
        place = ("webhook", URL)
        made = outbox.register_destinations(people.scope, [place], now=utc_now())[place]
        commit()

        first, second = (owner.get(f"/destinations/{made}/secret").json for _ in range(2))

        assert first == second
        assert (
            destinations.ensure_secret(people.scope, made, sealer(), now=utc_now())
            == (first["secret"])
        )

    def test_rotation_lets_the_former_secret_sign_for_a_day(self, owner, world):
        delivery_id = add_delivery(world)
        destination_id = owner.get(f"/deliveries/{delivery_id}").json["destination_id"]
        former = owner.get(f"/destinations/{destination_id}/secret").json["secret"]

        rotated = owner.post(f"/destinations/{destination_id}/rotate-secret").json

        assert rotated["secret"] != former
        assert rotated == owner.get(f"/destinations/{destination_id}/secret").json
        opened = sealer().open
        [soon] = deliveries.claim_due(now=utc_now(), at_most=1, under_way={})
        assert (opened(soon.secret), opened(soon.former_secret)) == (rotated["secret"], former)
        tomorrow = utc_now() + destinations.FORMER_SIGNS_FOR + SECONDS
        [late] = deliveries.claim_due(now=tomorrow, at_most=1, under_way={})
        assert (opened(late.secret), late.former_secret) == (rotated["secret"], None)

    def test_the_first_secret_has_none_before_it(self, owner, people):
        place = ("webhook", URL)
        made = outbox.register_destinations(people.scope, [place], now=utc_now())[place]
        commit()

        rotated = owner.post(f"/destinations/{made}/rotate-secret").json

        assert rotated["former_until"] is None

    def test_a_secret_that_no_key_opens_is_rotated_away(self, owner, world):
        destination_id = add_destination(world)
        driver().execute(
            "UPDATE destinations SET secret = %s WHERE destination_id = %s",
            (OTHER_SEALER.seal("whsec_lost"), destination_id),
        )
        commit()

        refused = owner.get(f"/destinations/{destination_id}/secret")
        rotated = owner.post(f"/destinations/{destination_id}/rotate-secret")

        assert (refused.status_code, refused.json["code"]) == (409, "no_signing_secret")
        assert rotated.json["former_until"] is None
        assert stored(destination_id)[1:] == (None, None)
        assert owner.get(f"/destinations/{destination_id}/secret").status_code == 200

    @pytest.mark.parametrize(("method", "end"), [("GET", "secret"), ("POST", "rotate-secret")])
    def test_only_webhooks_have_secrets(self, owner, world, method, end):
        delivery_id = add_delivery(world, "email", recipients="ana@acme.test")
        destination_id = owner.get(f"/deliveries/{delivery_id}").json["destination_id"]

        assert owner.send(method, f"/destinations/{destination_id}/{end}").status_code == 409

    @pytest.mark.parametrize(("method", "end"), [("GET", "secret"), ("POST", "rotate-secret")])
    def test_secrets_are_for_owners(self, call_as, world, method, end):
        path = f"/destinations/{add_destination(world)}/{end}"

        answers = {
            name: call_as(name).send(method, path).status_code
            for name in ("admin", "owner", "operator", "viewer", "stranger")
        }

        assert answers == {
            "admin": 200, "owner": 200, "operator": 403, "viewer": 403, "stranger": 404
        }  # fmt: skip


class TestResuming:
    def test_what_waits_is_due_again_at_once(self, app, api, world):
        queue = open_queue(app.extensions["leadvibe.redis"], NOTIFICATIONS)
        delivery_id = add_delivery(world)
        attempt(REFUSED)
        queue.empty()
        destination_id = api.get(f"/deliveries/{delivery_id}").json["destination_id"]
        driver().execute(
            "UPDATE destinations SET failures = 7, paused_until = now() + interval '1 hour'"
        )
        commit()
        assert not deliveries.are_due(now=utc_now())

        resumed = api.post(f"/destinations/{destination_id}/resume")

        assert resumed.status_code == 202
        assert queue.job_ids == ["deliveries"]
        assert deliveries.are_due(now=utc_now())
        [found] = api.get("/destinations").json
        assert (found["failures"], found["paused_until"], found["problem"]) == (0, None, None)

    def test_what_is_under_way_is_not_sent_twice(self, api, world):
        delivery_id = add_delivery(world)
        destination_id = api.get(f"/deliveries/{delivery_id}").json["destination_id"]
        deliveries.claim_due(now=utc_now(), at_most=1, under_way={})
        commit()

        api.post(f"/destinations/{destination_id}/resume")

        assert not deliveries.are_due(now=utc_now())

    def test_what_waits_for_its_hour_goes_on_waiting(self, api, world):
        delivery_id = add_delivery(world)
        destination_id = api.get(f"/deliveries/{delivery_id}").json["destination_id"]
        driver().execute("UPDATE deliveries SET due_at = now() + interval '1 hour'")
        commit()

        api.post(f"/destinations/{destination_id}/resume")

        assert not deliveries.are_due(now=utc_now())

    def test_viewers_and_strangers_resume_nothing(self, call_as, world):
        path = f"/destinations/{add_destination(world)}/resume"

        assert call_as("viewer").post(path).status_code == 403
        assert call_as("stranger").post(path).status_code == 404
