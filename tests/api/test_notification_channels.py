"""Notification channels through the API: checked by type, sealed, shared, and tried out."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from leadvibe.engine.triggers import Milestone
from leadvibe.http.sealing import sealer
from leadvibe.lib.db import commit, driver
from leadvibe.lib.queue import NOTIFICATIONS, open_queue
from tests.api.notification_examples import URL, WEBHOOK
from tests.factories import make_trigger

MASK = "••••"
PATH = "/notification-channels"
TEAMS = "https://prod.example.com/workflows/1?api-version=1&sig=s3cret"


@pytest.fixture
def owner(call_as):
    return call_as("owner")


def make(caller, kind="webhook", name="Channel", **config):
    return caller.post(PATH, {"name": name, "type": kind, "config": config or WEBHOOK})


def stored_config(channel_id):
    [(config,)] = driver().execute(
        "SELECT config FROM notification_channels WHERE channel_id = %s", (channel_id,)
    )
    return config


class TestConfigurations:
    @pytest.mark.parametrize(
        ("kind", "config", "shown"),
        [
            (
                "slack",
                {"channel_id": "C024BE91L", "channel_name": "#sales"},
                {"channel_id": "C024BE91L", "channel_name": "#sales"},
            ),
            (
                "teams",
                {"webhook_url": TEAMS},
                {"webhook_url": TEAMS, "channel_name": ""},
            ),
            (
                "webhook",
                {"url": f" {URL} ", "auth_header": None},
                {"url": URL, "auth_header": ""},
            ),
            (
                "email",
                {"recipients": "Ana@acme.test, bo@acme.test", "subject_prefix": "[Leads]"},
                {"recipients": "Ana@acme.test, bo@acme.test", "subject_prefix": "[Leads]"},
            ),
        ],
    )
    def test_each_type_has_fields_of_its_own(self, owner, people, kind, config, shown):
        made = make(owner, kind, **config)

        assert made.status_code == 201, made.text
        assert made.json["config"] == shown
        assert made.json["unit_id"] == str(people.unit.unit_id)
        assert made.json["created_by"] == made.json["updated_by"] == people.owner.email
        assert owner.get(PATH).json == [made.json]

    @pytest.mark.parametrize(
        ("kind", "config", "field"),
        [
            ("slack", {"channel_name": "#sales"}, "config.channel_id"),
            ("slack", {"channel_id": "#sales"}, "config.channel_id"),
            ("slack", {"channel_id": 7}, "config.channel_id"),
            ("teams", {"url": URL, "webhook_url": TEAMS}, "config.url"),
            ("teams", {"webhook_url": "teams.example.com"}, "config.webhook_url"),
            ("webhook", {"url": "ftp://example.com"}, "config.url"),
            ("webhook", {"url": "https://me:pw@example.com"}, "config.url"),
            ("webhook", {"url": "https://example.com:port/"}, "config.url"),
            ("webhook", {"url": "https://exa mple.com/"}, "config.url"),
            ("webhook", {"url": "https://[::1/"}, "config.url"),
            ("webhook", {"url": f"https://example.com/{'x' * 2100}"}, "config.url"),
            ("webhook", {"url": "http://127.0.0.1/"}, "config.url"),
            ("teams", {"webhook_url": "http://localhost:81/"}, "config.webhook_url"),
            ("webhook", {"url": URL, "auth_header": "a\nb: c"}, "config.auth_header"),
            ("webhook", {"url": URL, "auth_header": "Bearer é"}, "config.auth_header"),
            ("webhook", {"url": URL, "auth_header": MASK}, "config.auth_header"),
            ("webhook", {"url": URL, "header": "x"}, "config.header"),
            ("email", {"recipients": " , "}, "config.recipients"),
            ("email", {"recipients": "ana@acme.test, bo"}, "config.recipients"),
            ("email", {"recipients": ",".join(["a@b.test"] * 51)}, "config.recipients"),
            ("email", {"recipients": "a@b.test", "subject_prefix": "a\x00"},
             "config.subject_prefix"),
        ],
    )  # fmt: skip
    def test_what_will_not_do_is_named(self, owner, kind, config, field):
        refused = make(owner, kind, **config)

        assert refused.status_code == 400
        assert list(refused.json["fields"]) == [field]

    def test_an_installation_may_post_to_its_own_network(self, app, owner, monkeypatch):
        monkeypatch.setitem(app.config, "ALLOW_PRIVATE_WEBHOOKS", True)

        assert make(owner, url="http://127.0.0.1:8080/hook").status_code == 201

    def test_a_name_is_given_once(self, owner):
        make(owner, name="Sales")
        other_id = make(owner, name="Others").json["id"]

        assert make(owner, name="Sales").status_code == 409
        assert owner.put(f"{PATH}/{other_id}", {"name": "Sales"}).status_code == 409
        assert owner.put(f"{PATH}/{other_id}", {"name": "Others"}).status_code == 200


class TestHeaders:
    def test_a_header_is_sealed_at_rest_and_never_answered(self, owner):
        made = make(owner)

        assert made.json["config"]["auth_header"] == MASK
        stored = stored_config(made.json["id"])
        assert "s3cret" not in json.dumps(stored)
        assert sealer().open(stored["auth_header"]) == "Bearer s3cret"

    def test_a_masked_header_stays_while_the_host_does(self, owner):
        made = make(owner).json
        sealed = stored_config(made["id"])["auth_header"]
        changed = {"url": f"{URL}/other", "auth_header": MASK}

        assert owner.put(f"{PATH}/{made['id']}", {"config": changed}).status_code == 200

        assert stored_config(made["id"]) == {"url": f"{URL}/other", "auth_header": sealed}

    @pytest.mark.parametrize(
        "url", ["https://evil.example/", "http://hooks.acme.test/", "https://hooks.acme.test:81/"]
    )
    def test_a_masked_header_does_not_go_to_another_host(self, owner, url):
        channel_id = make(owner).json["id"]

        refused = owner.put(f"{PATH}/{channel_id}", {"config": {"url": url, "auth_header": MASK}})

        assert refused.status_code == 400
        assert list(refused.json["fields"]) == ["config.auth_header"]

    def test_a_header_is_replaced_or_taken_away(self, owner):
        channel_id = make(owner).json["id"]

        owner.put(f"{PATH}/{channel_id}", {"config": {"url": URL, "auth_header": "Basic x"}})
        assert sealer().open(stored_config(channel_id)["auth_header"]) == "Basic x"

        changed = owner.put(f"{PATH}/{channel_id}", {"config": {"url": URL}})
        assert changed.json["config"]["auth_header"] == ""

    def test_a_viewer_sees_urls_without_their_secrets(self, owner, call_as):
        make(owner, "teams", webhook_url=TEAMS)

        [seen] = call_as("viewer").get(PATH).json

        assert seen["config"]["webhook_url"] == (
            f"https://prod.example.com/workflows/1?api-version={MASK}&sig={MASK}"
        )


class TestChanges:
    def test_what_is_left_out_stays(self, owner):
        made = make(owner).json

        changed = owner.put(f"{PATH}/{made['id']}", {"name": "Renamed"}).json

        assert changed["name"] == "Renamed"
        assert changed["config"] == made["config"]
        assert changed["created_at"] == made["created_at"]

    def test_a_channel_may_be_sent_back_as_it_was_shown(self, owner):
        made = make(owner).json

        assert owner.put(f"{PATH}/{made['id']}", made).status_code == 200

    def test_the_type_stays_what_it_is(self, owner):
        channel_id = make(owner).json["id"]

        refused = owner.put(f"{PATH}/{channel_id}", {"type": "email"})

        assert refused.status_code == 400
        assert list(refused.json["fields"]) == ["type"]

    def test_a_change_that_somebody_was_quicker_than_is_refused(self, owner):
        made = make(owner).json
        owner.put(f"{PATH}/{made['id']}", {"name": "Quicker"})

        late = owner.send(
            "PUT", f"{PATH}/{made['id']}", json={"name": "Late"},
            headers={"If-Match": f'"{made["etag"]}"'},
        )  # fmt: skip

        assert late.status_code == 412

    def test_operators_write_and_viewers_do_not(self, call_as):
        operator, viewer = call_as("operator"), call_as("viewer")

        channel_id = make(operator).json["id"]

        assert make(viewer, name="Mine").status_code == 403
        assert viewer.post(f"{PATH}/{channel_id}/test").status_code == 403
        assert viewer.get(f"{PATH}/{channel_id}").status_code == 200


class TestDeleting:
    @pytest.mark.parametrize("named_in", ["channel_ids", "teams_target_id"])
    def test_a_channel_that_triggers_name_stays(self, owner, people, named_in):
        channel_id = make(owner, "teams", webhook_url=TEAMS).json["id"]
        target = (UUID(channel_id),) if named_in == "channel_ids" else channel_id
        shape = Milestone(score_threshold=85)
        make_trigger(people.scope, shape, name="Hot leads", **{named_in: target})
        make_trigger(people.scope, shape, name="Others")
        commit()

        refused = owner.delete(f"{PATH}/{channel_id}")

        assert refused.status_code == 409
        assert "'Hot leads'" in refused.json["error"]
        assert "Others" not in refused.json["error"]
        assert owner.get(f"{PATH}/{channel_id}").status_code == 200

    def test_triggers_of_other_units_do_not_matter(self, owner, people):
        channel_id = make(owner).json["id"]
        make_trigger(
            people.stranger.scope, Milestone(score_threshold=85), channel_ids=(UUID(channel_id),)
        )
        commit()

        assert owner.delete(f"{PATH}/{channel_id}").status_code == 204
        assert owner.get(f"{PATH}/{channel_id}").status_code == 404


class TestTrying:
    @pytest.fixture
    def waiting(self, app):
        queue = open_queue(app.extensions["leadvibe.redis"], NOTIFICATIONS)
        queue.empty()
        return queue

    def test_a_test_notice_goes_the_way_of_real_ones(self, owner, waiting):
        channel_id = make(owner, "email", recipients="ana@acme.test, bo@acme.test").json["id"]

        sent = owner.post(f"{PATH}/{channel_id}/test")

        assert sent.status_code == 202
        assert waiting.job_ids == ["deliveries"]
        found = owner.get("/deliveries").json
        assert {it["delivery_id"] for it in found} == set(sent.json["delivery_ids"])
        assert {it["address"] for it in found} == {"ana@acme.test", "bo@acme.test"}
        assert {(it["event"], it["state"], it["channel_id"]) for it in found} == {
            ("test", "waiting", channel_id)
        }
        notice = owner.get(f"/deliveries/{found[0]['delivery_id']}").json["notice"]
        assert "test" in notice["lead"]["best_alias"]
        assert notice["trigger"]["type"] == "test"
        assert "nothing has happened" in notice["summary"]

    def test_the_same_key_tests_once(self, owner, waiting):
        channel_id = make(owner).json["id"]
        key = {"Idempotency-Key": "one"}

        answers = [
            owner.send("POST", f"{PATH}/{channel_id}/test", headers=key).json for _ in range(2)
        ]

        assert answers[0] == answers[1]
        assert len(owner.get("/deliveries").json) == 1
