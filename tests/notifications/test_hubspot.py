"""Contacts, written to a stand-in for HubSpot."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.lib.outbound import Outbound
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.transports.hubspot import (
    Connection,
    Portal,
    describe,
    ensure_properties,
    send_many,
)
from leadvibe.notifications.types import Receipt
from tests.notifications.parcels import NOW, make_lead, make_parcel
from tests.standins.hubspot import TOKEN, running_hubspot
from tests.standins.web_server import Told, told_json

SCORE, LEVEL = "leadvibe_score", "leadvibe_level"


@pytest.fixture
def hubspot():
    with running_hubspot() as server:
        server.properties = {
            SCORE: {"name": SCORE, "type": "number"},
            LEVEL: {"name": LEVEL, "type": "string"},
        }
        yield server


@pytest.fixture
def connection(hubspot):
    return make_connection(hubspot)


def make_connection(hubspot, token=TOKEN) -> Connection:
    return Connection(
        token=token, base_url=f"{hubspot.url}/", score_property=SCORE, level_property=LEVEL
    )


@pytest.fixture
def write(connection):
    """Return a way to send parcels, guarded as in an installation."""
    return lambda parcels: send_many(Outbound(allow_private=False), connection, parcels, now=NOW)


def parcel_to(email, *, number=9, score=10, minute=0):
    lead = make_lead(email=email, score=score)
    return make_parcel(number=number, lead=lead, fired_at=NOW + timedelta(minutes=minute))


def parcels_to(*emails):
    return [parcel_to(email, number=number) for number, email in enumerate(emails)]


def test_scores_and_levels_are_written_by_address(hubspot, write):
    [receipt] = write([parcel_to(" Ada@Example.test ", score=1085)])

    assert hubspot.contacts == {
        "ada@example.test": {"email": "ada@example.test", SCORE: "1085", LEVEL: "Hot"}
    }
    assert receipt.status == 200
    assert TOKEN not in f"{receipt}"


def test_contacts_go_together_in_batches_of_a_hundred(hubspot, write):
    outcomes = write(parcels_to(*(f"lead{n}@x.test" for n in range(250))))

    assert [len(batch) for batch in hubspot.batches()] == [100, 100, 50]
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert len(outcomes) == len(hubspot.contacts) == 250


def test_nothing_to_write_asks_nothing(hubspot, write):
    assert write([]) == []
    assert hubspot.asked == []


def test_the_latest_of_several_parcels_for_a_contact_is_written(hubspot, write):
    outcomes = write(
        [
            parcel_to("ada@x.test", number=1, score=30, minute=2),
            parcel_to("ADA@x.test", number=2, score=20, minute=1),
            parcel_to("bob@x.test", number=3),
        ]
    )

    assert hubspot.contacts["ada@x.test"][SCORE] == "30"
    assert [outcome.status for outcome in outcomes] == [200, 200, 200]


@pytest.mark.parametrize("email", [None, "", " "])
def test_a_lead_without_an_address_fails_alone(hubspot, write, email):
    failed, receipt = write(parcels_to(email, "ada@x.test"))

    assert not failed.is_temporary
    assert "no e-mail address" in failed.reason
    assert isinstance(receipt, Receipt)


@pytest.mark.parametrize("tells_contacts_apart", [True, False])
def test_a_bad_contact_fails_alone(hubspot, write, tells_contacts_apart):
    hubspot.tells_contacts_apart = tells_contacts_apart

    outcomes = write(parcels_to("ada@x.test", "bad@x.test", "bob@x.test", "cem@x.test"))

    assert [isinstance(each, Receipt) for each in outcomes] == [True, False, True, True]
    assert set(hubspot.contacts) == {"ada@x.test", "bob@x.test", "cem@x.test"}
    assert not outcomes[1].is_temporary
    assert "Email address" in outcomes[1].reason
    assert "is invalid" in outcomes[1].response


def test_an_error_that_names_nobody_is_of_those_who_were_not_written(hubspot, write):
    error = {"category": "RATE_LIMITS", "message": "Too many", "context": {}}
    written = [{"id": "1", "properties": {"email": "ada@x.test"}}]
    hubspot.next = [told_json(207, {"results": written, "numErrors": 1, "errors": [error]})]

    receipt, failed = write(parcels_to("ada@x.test", "bob@x.test"))

    assert receipt.status == 207
    assert failed.is_temporary
    assert failed.reason == "HubSpot refuses the contact: Too many"


def test_a_property_that_is_gone_is_told_without_trying_each_contact(hubspot, write):
    hubspot.properties = {}

    outcomes = write(parcels_to("ada@x.test", "bob@x.test"))

    assert len(hubspot.batches()) == 1
    assert all("PROPERTY_DOESNT_EXIST" in outcome.reason for outcome in outcomes)
    assert not any(outcome.is_temporary for outcome in outcomes)


def test_a_revoked_token_is_final(hubspot):
    connection = make_connection(hubspot, token="pat-eu1-old")

    outcomes = send_many(Outbound(allow_private=False), connection, parcels_to("a@x.test"), now=NOW)

    assert (outcomes[0].status, outcomes[0].is_temporary) == (401, False)
    assert outcomes[0].reason == "HubSpot does not accept the token; enter a new one"
    assert "pat-eu1" not in outcomes[0].request + repr(connection)


def test_a_missing_scope_is_final_and_named(hubspot, write):
    said = "requires all of [crm.objects.contacts.write]"
    hubspot.next = [told_json(403, {"category": "MISSING_SCOPES", "message": said})]

    [failed] = write(parcels_to("a@x.test"))

    assert not failed.is_temporary
    assert failed.reason == f"the HubSpot token lacks a permission ({said})"


@pytest.mark.parametrize(
    ("headers", "content", "seconds"),
    [
        ({"Retry-After": "11"}, {}, 11),
        ({"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, {}, 10),
        ({"X-HubSpot-RateLimit-Daily-Remaining": "0"}, {}, 3600),
        ({}, {"policyName": "DAILY"}, 3600),
        ({}, {}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_hubspot_says(hubspot, write, headers, content, seconds):
    hubspot.next = [told_json(429, content, **headers)]

    failed, other = write(parcels_to("a@x.test", "b@x.test"))

    assert failed is other
    assert failed.is_temporary
    assert failed.retry_after_seconds == seconds
    assert failed.reason == "HubSpot asks us to slow down"


@pytest.mark.parametrize(
    "told", [Told(500), Told(502, b"<html>"), Told(200, b"<html>"), Told(200, b"[]")]
)
def test_what_makes_no_sense_may_pass(hubspot, write, told):
    hubspot.next = [told]

    [failed] = write(parcels_to("a@x.test"))

    assert failed.is_temporary
    assert failed.status == told.status


def test_missing_properties_are_created_once(hubspot, connection):
    hubspot.properties = {}

    for _ in range(2):
        ensure_properties(Outbound(allow_private=False), connection, now=NOW)

    created = [asked.json for asked in hubspot.asked if asked.method == "POST"]
    assert [(each["name"], each["type"], each["fieldType"]) for each in created] == [
        (SCORE, "number", "number"),
        (LEVEL, "string", "text"),
    ]
    assert {each["groupName"] for each in created} == {"contactinformation"}


def test_a_property_that_somebody_else_just_created_will_do(hubspot, connection):
    hubspot.next = [told_json(404, {})]

    ensure_properties(Outbound(allow_private=False), connection, now=NOW)


def test_a_property_of_another_type_is_refused(hubspot, connection):
    hubspot.properties[SCORE]["type"] = "string"

    with pytest.raises(TransportError) as failed:
        ensure_properties(Outbound(allow_private=False), connection, now=NOW)

    assert failed.value.reason == (
        "the HubSpot property leadvibe_score is not a number; choose another name"
    )


def test_a_connection_is_tested_by_asking_whose_it_is(hubspot, connection):
    portal = describe(Outbound(allow_private=False), connection, now=NOW)

    assert portal == Portal(portal_id=4711, account_type="STANDARD", domain="app-eu1.hubspot.com")
    with pytest.raises(TransportError, match="401"):
        describe(Outbound(allow_private=False), make_connection(hubspot, token="old"), now=NOW)
