"""A request whose answer was lost is sent again, and nothing happens a second time."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from io import BytesIO

import pytest
from pydantic import TypeAdapter
from sqlalchemy import text

from leadvibe.api import repeats, rules
from leadvibe.api.routes import OPERATIONS
from leadvibe.idempotency import service
from leadvibe.jobs import schedule
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from tests.api.examples import example_of

KEYED = [pytest.param(it, id=it.path) for it in OPERATIONS if it.heeds_key]
RULE = {"event_type": "page_view", "weight": 5}
SECRETIVE = re.compile(r"secret|token|password")


def post(caller, path, document=None, *, key="order-7", **kwargs):
    return caller.send("POST", path, json=document, headers={"Idempotency-Key": key}, **kwargs)


@pytest.mark.parametrize("operation", [it for it in KEYED if not it.values[0].shows_secret])
def test_the_second_answer_is_the_first_one_again(call_as, stage, operation):
    admin, example = call_as("admin"), example_of(operation, stage)
    path, sent = operation.path.format(**example.path), example.sent
    headers = {"Idempotency-Key": "again"}

    first = admin.send("POST", path, headers=headers, **sent)
    if operation.uploads:  # the client has read the file to its end
        sent = example_of(operation, stage).sent
    second = admin.send("POST", path, headers=headers, **sent)

    assert first.status_code == operation.success
    assert "Idempotent-Replayed" not in first.headers
    assert (second.status_code, second.data) == (first.status_code, first.data)
    assert second.headers["Idempotent-Replayed"] == "true"
    for name in ("Content-Type", "ETag", "Location"):
        assert second.headers.get(name) == first.headers.get(name)


def test_without_a_key_everything_happens_again(api, world):
    assert [api.post("/orders", order()).status_code for _ in range(2)] == [201, 201]


def order():
    return {"lead_id": "ada", "amount": 5, "currency": "EUR"}


@pytest.mark.parametrize(
    ("path", "document"),
    [("/rules", RULE | {"weight": 6}), ("/rulesets", RULE), ("/rules?x=1", RULE), ("/rules", None)],
)
def test_a_key_belongs_to_one_request(api, world, path, document):
    post(api, "/rules", RULE)

    response = post(api, path, document)

    assert (response.status_code, response.json["code"]) == (422, "idempotency_key_reused")
    assert [it["weight"] for it in api.get("/rules").json] == [5]


def test_each_caller_has_keys_of_their_own(api, call_as, world):
    post(api, "/leads", {"id": "ada"})

    response = post(call_as("operator"), "/leads", {"id": "bob"})

    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response.headers


def test_a_key_that_worked_in_one_unit_is_another_request_elsewhere(call_as, world, stage):
    admin = call_as("admin")
    other = admin.post("/org-units", {"name": "Other"}).json["unit_id"]
    post(admin, "/leads", {"id": "ada"})

    admin._client.set_cookie("activeOu", other)

    assert post(admin, "/leads", {"id": "ada"}).status_code == 422


def test_what_failed_may_be_tried_again(api, world):
    assert post(api, "/rules", {"weight": 5}).status_code == 400
    assert post(api, "/rules", RULE).status_code == 201
    assert post(api, "/rules", RULE).headers["Idempotent-Replayed"] == "true"


def test_what_dies_before_its_answer_is_kept_has_done_nothing(api, world, monkeypatch):
    monkeypatch.setattr(repeats, "_kept", None)
    assert post(api, "/rules", RULE).status_code == 500
    monkeypatch.undo()

    assert api.get("/rules").json == []
    assert post(api, "/rules", RULE).status_code == 201
    assert len(api.get("/rules").json) == 1


def test_while_the_first_is_under_way_the_second_is_told_to_wait(
    fresh_database, api, call_as, world, monkeypatch
):
    has_begun, may_end, make_item = threading.Event(), threading.Event(), rules._item

    def slowly(*args):
        has_begun.set()
        assert may_end.wait(timeout=20)
        return make_item(*args)

    monkeypatch.setattr(rules, "_item", slowly)
    answers = []
    first = threading.Thread(target=lambda: answers.append(post(api, "/rules", RULE)))
    first.start()
    assert has_begun.wait(timeout=20)
    second = post(call_as("credential"), "/rules", RULE)
    may_end.set()
    first.join(timeout=20)
    third = post(call_as("credential"), "/rules", RULE)

    assert (second.status_code, second.json["code"]) == (409, "idempotency_key_in_use")
    assert (answers[0].status_code, third.data) == (201, answers[0].data)
    assert len(api.get("/rules").json) == 1


def test_after_a_day_a_key_is_as_good_as_new(api, world, monkeypatch):
    post(api, "/orders", order())
    monkeypatch.setattr(service, "KEEP", timedelta(0))

    response = post(api, "/orders", order() | {"amount": 6})

    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response.headers


def test_who_may_no_longer_do_it_gets_no_old_answer(call_as, people, world):
    operator = call_as("operator")
    post(operator, "/rules", RULE)
    session().execute(text("UPDATE memberships SET role = 'Viewer' WHERE role = 'Operator'"))
    commit()

    assert post(operator, "/rules", RULE).status_code == 403


@pytest.mark.parametrize("key", ["k" * 201, "a\x7fb", "caf\xc3\xa9\x80"])
def test_what_cannot_be_a_key_is_refused(api, world, key):
    response = post(api, "/rules", RULE, key=key)

    assert response.status_code == 400
    assert "Idempotency-Key" in response.json["fields"]


class TestSecrets:
    def test_a_secret_is_made_once_and_not_told_again(self, call_as, world):
        owner = call_as("owner")
        first, second = (post(owner, "/secrets", {"name": "Once"}) for _ in range(2))

        assert first.status_code == 201
        assert (second.status_code, second.json["code"]) == (409, "idempotency_answer_withheld")
        assert first.json["client_secret"] not in second.text
        made = [it for it in owner.get("/secrets").json if it["name"] == "Once"]
        assert len(made) == 1

    def test_no_secret_is_stored(self, call_as, world):
        secret = post(call_as("owner"), "/secrets", {"name": "Website"}).json["client_secret"]

        [row] = session().execute(text("SELECT * FROM idempotency_keys")).all()

        assert row.body is None
        assert secret not in str(row)

    def test_every_operation_that_answers_with_a_secret_says_so(self):
        silent = [
            operation.path
            for operation in OPERATIONS
            if operation.heeds_key
            and not operation.shows_secret
            and any(map(SECRETIVE.search, fields_of(operation.interface.reply)))
        ]

        assert silent == []


def fields_of(reply):
    schema = TypeAdapter(reply).json_schema(mode="serialization")
    return {*schema.get("properties", {}), *str(schema.get("$defs", {})).split("'")}


class TestIntake:
    def test_a_batch_that_comes_twice_counts_once(self, api, world):
        world.add_rule("page_view", 5)
        events = [{"event_type": "page_view", "lead_id": "ada"} for _ in range(3)]
        for _ in range(2):
            assert post(api, "/ingest/batch", events).status_code == 202
        world.happen("page_view", "bob")

        assert len(api.get("/events/ada").json) == 3

    def test_an_events_own_id_comes_before_its_place_in_the_batch(self, api, world):
        world.add_rule("page_view", 5)
        event = {"event_type": "page_view", "lead_id": "ada", "message_id": "m-1"}
        post(api, "/ingest/batch", [event], key="one")
        post(api, "/ingest/batch", [event], key="two")
        world.happen("page_view", "bob")

        assert api.get("/score/ada").json["score"] == 5


class TestForgetting:
    def test_old_answers_are_forgotten_some_at_a_time(self, api, world, monkeypatch):
        monkeypatch.setattr(service, "ROWS_AT_ONCE", 2)
        for number in range(5):
            post(api, "/leads", {"id": f"lead-{number}"}, key=f"key-{number}")

        schedule.forget_answers(utc_now())
        assert count_answers() == 5
        schedule.forget_answers(utc_now() + timedelta(hours=25))
        assert count_answers() == 0


def count_answers():
    return session().scalar(text("SELECT count(*) FROM idempotency_keys"))


def test_a_file_is_told_by_its_length(api, world):
    def upload(content, key):
        return api.send(
            "POST", "/import", headers={"Idempotency-Key": key},
            data={"file": (BytesIO(content), "events.csv")},
        )  # fmt: skip

    first = upload(b"event_type,email\npage_view,a@acme.test\n", "file")
    other = upload(b"event_type,email\npage_view,someone@acme.test\n", "file")

    assert (first.status_code, other.status_code) == (202, 422)
    assert len(api.get("/imports").json) == 1


def test_the_document_tells_of_keys(shared_app):
    paths = shared_app.test_client().get("/openapi.json").json["paths"]

    for operation in (it for it in OPERATIONS if it.heeds_key):
        published = paths[operation.path]["post"]
        assert "Idempotency-Key" in [it["name"] for it in published["parameters"]]
