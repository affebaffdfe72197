"""Webhooks, posted to a real server and verified as a receiver does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

import leadvibe
from leadvibe.lib.outbound import Outbound
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.exchange import LONGEST_REQUEST, LONGEST_RESPONSE
from leadvibe.notifications.transports.webhook import Target, new_secret, send
from tests.notifications.parcels import NOW, make_lead, make_notice, make_parcel
from tests.standins.web_server import Told

DELIVERY_ID = "00000000-0000-0000-0000-000000000009"


def verified_by(secret: str, asked) -> bool:
    """Verify a request the way that standardwebhooks.com tells receivers to."""
    headers = asked.headers
    content = headers["webhook-id"] + "." + headers["webhook-timestamp"] + "." + asked.body.decode()
    key = base64.b64decode(secret.split("_", 1)[1])
    digest = hmac.new(key, content.encode(), hashlib.sha256).digest()
    expected = base64.b64encode(digest).decode()
    versions = [each.split(",", 1) for each in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and given == expected for version, given in versions)


def refused(web_server, outbound, told, **target) -> TransportError:
    web_server.always(told)
    with pytest.raises(TransportError) as failed:
        send(outbound, Target(url=web_server.url, **target), make_parcel(), now=NOW)
    return failed.value


def test_the_payload_says_what_happened(web_server, outbound):
    folded = make_notice(summary="asked for a demo", cause=None)

    send(outbound, Target(url=f"{web_server.url}/hook?a=1"), make_parcel(folded=[folded]), now=NOW)

    [asked] = web_server.asked
    assert (asked.method, asked.path) == ("POST", "/hook?a=1")
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"] == f"Leadvibe/{leadvibe.__version__}"
    payload = asked.json
    [earlier] = payload.pop("folded")
    assert payload == {
        "event": "milestone.reached",
        "id": "00000000-0000-0000-0000-000000000001",
        "fired_at": "2026-11-28T09:12:30Z",
        "org_id": "00000000-0000-0000-0000-000000000002",
        "unit_id": "00000000-0000-0000-0000-000000000003",
        "trigger": {"trigger_id": "trigger-1", "name": "Sales ready", "type": "milestone"},
        "lead": {
            "lead_id": "lead-1",
            "best_alias": "Ada Example",
            "score": 1085,
            "engagement_level": "Hot",
            "profile_level": "A",
            "owner_name": "Olga Owner",
            "metadata": {"company": "Example GmbH", "employees": 250},
            "url": "https://leads.example.com/app/leads/lead-1",
        },
        "cause": {
            "event_id": "00000000-0000-0000-0000-000000000004",
            "event_type": "demo_request",
            "timestamp": "2026-11-28T09:12:30Z",
            "metadata": {"page": "/demo"},
        },
        "details": {"threshold": 85},
        "summary": "reached 85 points (Hot)",
        "reasons": [
            {"event_type": "demo_request", "points": 100, "count": 2},
            {"event_type": "unsubscribe", "points": -15, "count": 1},
        ],
    }
    assert (earlier["summary"], earlier["cause"]) == ("asked for a demo", None)


def test_a_receiver_can_verify_the_signature_with_either_secret(web_server, outbound):
    current, previous = new_secret(), new_secret()
    target = Target(url=web_server.url, secrets=(current, previous))

    send(outbound, target, make_parcel(lead=make_lead(best_alias="Åda")), now=NOW)

    [asked] = web_server.asked
    assert asked.headers["webhook-id"] == asked.headers["x-leadvibe-delivery"] == DELIVERY_ID
    assert asked.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert asked.headers["x-leadvibe-event"] == "milestone.reached"
    assert verified_by(current, asked)
    assert verified_by(previous, asked)
    assert not verified_by(new_secret(), asked)


def test_the_plain_signature_is_of_the_body_with_the_current_secret(web_server, outbound):
    secrets = (new_secret(), new_secret())

    send(outbound, Target(url=web_server.url, secrets=secrets), make_parcel(), now=NOW)

    [asked] = web_server.asked
    expected = hmac.new(secrets[0].encode(), asked.body, "sha256").hexdigest()
    assert asked.headers["x-leadvibe-signature"] == f"sha256={expected}"


def test_without_a_secret_nothing_is_signed(web_server, outbound):
    send(outbound, Target(url=web_server.url), make_parcel(), now=NOW)

    assert not {"webhook-signature", "x-leadvibe-signature"} & set(web_server.asked[0].headers)


def test_secrets_are_long_and_new_each_time():
    secret = new_secret()

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert secret != new_secret()


def test_the_receipt_tells_both_sides_but_no_secret(web_server, outbound):
    web_server.always(Told(202, b"thanks", {"X-Trace": "t1", "Set-Cookie": "session=hidden"}))
    target = Target(url=web_server.url, secrets=(new_secret(),), auth_header="Bearer hunter2")

    receipt = send(outbound, target, make_parcel(), now=NOW)

    assert web_server.asked[0].headers["authorization"] == "Bearer hunter2"
    assert receipt.status == 202
    assert receipt.request.startswith(f"POST {web_server.url}\n")
    assert f"X-Leadvibe-Delivery: {DELIVERY_ID}" in receipt.request
    assert receipt.request.endswith(web_server.asked[0].body.decode())
    assert receipt.response.startswith("202 Accepted\n")
    assert "X-Trace: t1" in receipt.response
    assert receipt.response.endswith("\n\nthanks")
    told = f"{receipt} {target}"
    assert not [each for each in ("hunter2", "hidden", *target.secrets) if each in told]


def test_what_is_kept_is_cut_short(web_server, outbound):
    web_server.always(Told(body="ü".encode() * 30_000))
    lead = make_lead(metadata={"note": "ü" * 30_000})

    receipt = send(outbound, Target(url=web_server.url), make_parcel(lead=lead), now=NOW)

    assert LONGEST_REQUEST - 2 < len(receipt.request.encode()) <= LONGEST_REQUEST
    assert LONGEST_RESPONSE - 2 < len(receipt.response.encode()) <= LONGEST_RESPONSE
    assert json.loads(web_server.asked[0].body)["lead"]["metadata"] == lead.metadata


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_any_status_that_says_so(web_server, outbound, status):
    web_server.always(Told(status, b""))

    assert send(outbound, Target(url=web_server.url), make_parcel(), now=NOW).status == status


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_temporary(web_server, outbound, status):
    error = refused(web_server, outbound, Told(status, b"busy"))

    assert error.is_temporary
    assert (error.status, error.retry_after_seconds) == (status, None)
    assert error.reason.startswith(f"the webhook answered {status}")
    assert error.request.startswith("POST ")
    assert error.response.endswith("busy")


@pytest.mark.parametrize("status", [301, 302, 304, 307, 400, 401, 403, 404, 410, 413, 422])
def test_what_will_not_pass_is_final(web_server, outbound, status):
    error = refused(web_server, outbound, Told(status, b"", {"Retry-After": "5"}))

    assert not error.is_temporary
    assert (error.status, error.retry_after_seconds) == (status, None)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Sat, 28 Nov 2026 09:14:30 GMT", 120),
        ("Saturday, 28-Nov-26 09:14:30 GMT", 120),
        ("Sat, 28 Nov 2026 08:00:00 GMT", 0),
        ("9" * 400, 86_400),
        ("Sat, 28 Nov 9999 08:00:00 GMT", 86_400),
        ("-5", None),
        ("soon", None),
        ("Sat, 99 Nov 2026 08:00:00 GMT", None),
    ],
)
def test_a_receiver_may_ask_to_be_left_alone(web_server, outbound, status, asked, seconds):
    error = refused(web_server, outbound, Told(status, headers={"Retry-After": asked}))

    assert error.is_temporary
    assert error.retry_after_seconds == seconds


def test_a_private_address_is_final(web_server):
    error = refused(web_server, Outbound(allow_private=False), Told(), auth_header="Bearer hunter2")

    assert not error.is_temporary
    assert "private address" in error.reason
    assert error.status is None
    assert error.request.startswith(f"POST {web_server.url}\n")
    assert "hunter2" not in error.request
    assert web_server.asked == []


def test_nobody_there_is_temporary(outbound):
    with pytest.raises(TransportError) as failed:
        send(outbound, Target(url="http://127.0.0.1:1/"), make_parcel(), now=NOW)

    assert failed.value.is_temporary
    assert failed.value.reason == "nothing answers at its address"


@pytest.mark.parametrize("auth_header", ["a\r\nX-Injected: b", "Bearer ☃"])
def test_a_header_that_cannot_be_sent_is_final(web_server, outbound, auth_header):
    error = refused(web_server, outbound, Told(), auth_header=auth_header)

    assert not error.is_temporary
    assert error.reason == "a header set for it cannot be sent"
    assert web_server.asked == []
