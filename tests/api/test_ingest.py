"""The intake: what is accepted, what is refused with which remedy, and what an answer promises."""

from __future__ import annotations

import psycopg
import pytest
from redis import Redis
from sqlalchemy import make_url

from leadvibe.api.ingest import MOST_EVENTS
from leadvibe.events import queries as events
from leadvibe.identity import service as identity
from leadvibe.leads import queries as leads
from leadvibe.lib.bell import Bell
from leadvibe.lib.db import commit
from leadvibe.pipeline import process

EVENT = {"event_type": "page_view", "lead_id": "ld_1"}
EMAIL = {"alias_kind": "email", "raw_value": "Ada@Acme.test"}


def waiting(scope):
    return events.inbox_status(scope).waiting


def test_an_accepted_event_waits_for_the_pipeline_and_is_echoed(api, people):
    response = api.post("/ingest", {**EVENT, "metadata": {"url": "/pricing", "n": 1}})

    assert response.status_code == 202
    assert response.json["message"] == "event ingested"
    assert response.json["metadata"] == {"url": "/pricing", "n": 1}
    assert waiting(people.scope) == 1


def test_an_event_finds_its_lead_by_any_alias_however_it_is_spelled(api, people):
    cookie = {"alias_kind": "cookie", "raw_value": "c-1"}
    api.post("/ingest", {"event_type": "page_view", "aliases": [EMAIL, cookie]})
    api.post(
        "/ingest", {"event_type": "page_view", "alias_kind": "email", "alias": "ADA@acme.test"}
    )
    process.drain(people.scope)

    [lead] = api.get("/leads").json
    aliases = api.get(f"/leads/{lead['lead_id']}/aliases").json

    assert {(it["kind"], it["value"]) for it in aliases} == {
        ("email", "ada@acme.test"),
        ("cookie", "c-1"),
    }
    assert len(api.get(f"/events/{lead['lead_id']}").json) == 2


def test_a_key_in_the_header_keeps_a_repeated_event_from_counting_twice(api, people, world):
    world.add_rule("page_view", 5)
    for _ in range(2):
        api.send("POST", "/ingest", json=EVENT, headers={"Idempotency-Key": "order-7"})
    process.drain(people.scope)

    assert api.get("/score/ld_1").json["score"] == 5


def test_a_message_id_in_the_body_wins_over_the_header(api, people):
    for message_id in ("a", "b"):
        api.send(
            "POST",
            "/ingest",
            json={**EVENT, "message_id": message_id},
            headers={"Idempotency-Key": "the same"},
        )
    process.drain(people.scope)

    assert len(api.get("/events/ld_1").json) == 2


def test_a_key_that_cannot_be_kept_is_refused(api):
    response = api.send("POST", "/ingest", json=EVENT, headers={"Idempotency-Key": "k" * 201})

    assert response.status_code == 400
    assert "Idempotency-Key" in response.json["fields"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"lead_id": "ld_1"}, "event_type"),
        ({"event_type": "", "lead_id": "ld_1"}, "event_type"),
        ({"event_type": "  ", "lead_id": "ld_1"}, "event_type"),
        ({"event_type": 7, "lead_id": "ld_1"}, "event_type"),
        ({"event_type": "e" * 201, "lead_id": "ld_1"}, "event_type"),
        ({"event_type": "a\nb", "lead_id": "ld_1"}, "event_type"),
        ({"event_type": "page_view"}, "aliases"),
        ({"event_type": "page_view", "aliases": []}, "aliases"),
        ({"event_type": "page_view", "aliases": "ada"}, "aliases"),
        ({"event_type": "page_view", "aliases": [EMAIL] * 21}, "aliases"),
        ({"event_type": "page_view", "aliases": [{"raw_value": "x"}]}, "aliases.0.alias_kind"),
        (
            {"event_type": "page_view", "aliases": [EMAIL, {**EMAIL, "alias_kind": "fax"}]},
            "aliases.1.alias_kind",
        ),
        (
            {"event_type": "e", "aliases": [{"alias_kind": "phone", "raw_value": "none"}]},
            "aliases.0.raw_value",
        ),
        ({"event_type": "page_view", "alias_kind": "email"}, "alias"),
        ({**EVENT, "timestamp": "yesterday"}, "timestamp"),
        ({**EVENT, "timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
        ({**EVENT, "timestamp": "0001-01-01T00:00:00+10:00"}, "timestamp"),
        ({**EVENT, "timestamp": "9999-12-31T23:59:59-10:00"}, "timestamp"),
        ({**EVENT, "metadata": [1]}, "metadata"),
        ({**EVENT, "metadata": {"a": "\x00"}}, "metadata"),
        ({**EVENT, "message_id": "m" * 201}, "message_id"),
        ([EVENT], "body"),
        ("event", "body"),
    ],
)
def test_a_bad_event_is_refused_by_field_and_nothing_is_stored(api, people, document, field):
    response = api.post("/ingest", document)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]
    assert response.json["fields"][field] in response.json["error"]
    assert waiting(people.scope) == 0


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"event_type": "x", "lead_id": "1", "metadata": {"a": NaN}}', "application/json", 400),
        (b'{"event_type": "x", "lead_id": "1", "metadata": {"a": 1e999}}', "application/json", 400),
        (b'{"event_type": "\\ud800", "lead_id": "1"}', "application/json", 400),
        (b'{"event_type": "\xff", "lead_id": "1"}', "application/json", 400),
        (b"[" * 10_000, "application/json", 400),
        (b"", "application/json", 400),
        (b'{"event_type": "x", "lead_id": "1"}', "text/plain", 415),
        (b'{"event_type": "x", "lead_id": "1"}', "", 415),
        (b"event_type=x&lead_id=1", "application/x-www-form-urlencoded", 415),
        (b'{"event_type": "x", "lead_id": "1"}', "application/vnd.acme+json", 202),
        (b'{"a": "%s"}' % (b"x" * 2_000_000), "application/json", 413),
    ],
)
def test_a_body_that_is_no_json_is_refused(api, people, raw, content_type, status):
    response = api.send("POST", "/ingest", data=raw, content_type=content_type)

    assert response.status_code == status
    assert waiting(people.scope) == (status == 202)


def test_metadata_beyond_the_limit_is_refused_as_too_large(api):
    largest = "x" * (100 * 1024 - len('{"a":""}'))

    assert api.post("/ingest", {**EVENT, "metadata": {"a": largest}}).status_code == 202
    refused = api.post("/ingest", {**EVENT, "metadata": {"a": f"{largest}x"}})

    assert refused.status_code == 413
    assert "metadata" in refused.json["fields"]


def test_a_batch_answers_for_each_event_and_a_bad_one_stops_no_other(api, people):
    response = api.post("/ingest/batch", {"events": [EVENT, {"event_type": "x"}, 7, EVENT]})

    assert response.status_code == 202
    assert (response.json["accepted"], response.json["rejected"]) == (2, 2)
    assert [it["status"] for it in response.json["results"]] == [
        "accepted",
        "rejected",
        "rejected",
        "accepted",
    ]
    assert "aliases" in response.json["results"][1]["fields"]
    assert waiting(people.scope) == 2


def test_a_batch_may_be_a_bare_list(api):
    response = api.post("/ingest/batch", [EVENT, EVENT])

    assert response.status_code == 202
    assert response.json["accepted"] == 2


def test_a_batch_keeps_the_order_of_its_events(api, people):
    at = "2026-01-01T00:00:00Z"
    kinds = ["first", "second", "third"]
    documents = [{**EVENT, "event_type": kind, "timestamp": at} for kind in kinds]
    api.post("/ingest/batch", {"events": documents})
    process.drain(people.scope)

    assert [it["event_type"] for it in api.get("/events/ld_1").json] == kinds[::-1]


def test_a_batch_without_a_good_event_is_refused(api):
    response = api.post("/ingest/batch", {"events": [{"event_type": "x"}, {}]})

    assert response.status_code == 400
    assert set(response.json["fields"]) == {"events.0.aliases", "events.1.event_type"}


@pytest.mark.parametrize("count", [0, MOST_EVENTS + 1])
def test_a_batch_of_the_wrong_size_is_refused(api, count):
    response = api.post("/ingest/batch", {"events": [EVENT] * count})

    assert response.status_code == 400
    assert "events" in response.json["fields"]


def test_the_largest_batch_is_taken_whole(api, people):
    response = api.post("/ingest/batch", {"events": [EVENT] * MOST_EVENTS})

    assert response.json["accepted"] == MOST_EVENTS
    assert waiting(people.scope) == MOST_EVENTS


def test_the_pipeline_hears_of_an_event(app, api):
    bell = Bell(app.extensions["leadvibe.redis"])
    listener = bell.listen()
    listener.wait(timeout_seconds=0.1)  # from now on it hears
    api.post("/ingest", EVENT)

    assert listener.wait(timeout_seconds=5)
    listener.close()


def test_events_are_accepted_while_the_broker_is_away(app, api, monkeypatch):
    nobody = Bell(Redis.from_url("redis://127.0.0.1:1"))
    monkeypatch.setitem(app.extensions, "leadvibe.bell", nobody)

    assert api.post("/ingest", EVENT).status_code == 202


def test_an_accepted_event_is_there_for_others_at_once(fresh_database, api):
    address = make_url(fresh_database).set(drivername="postgresql")
    for document in (EVENT, EVENT):
        assert api.post("/ingest", document).status_code == 202
    assert api.post("/ingest/batch", {"events": [EVENT, EVENT]}).status_code == 202

    with psycopg.connect(address.render_as_string(hide_password=False)) as other:
        assert other.execute("SELECT count(*) FROM inbox").fetchone() == (4,)


def test_a_deleted_credential_is_refused_at_once(api, people):
    assert api.post("/ingest", EVENT).status_code == 202

    identity.delete_credential(people.scope, people.credential.credential.secret_id)
    commit()

    assert api.post("/ingest", EVENT).status_code == 401


def test_an_event_for_a_lead_nobody_knows_makes_it(api, people):
    api.post("/ingest", EVENT)
    process.drain(people.scope)

    assert leads.find_lead(people.scope, "ld_1") is not None
