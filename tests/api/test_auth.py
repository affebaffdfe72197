"""Signing in for tokens, staying signed in, and who is asking."""

from __future__ import annotations

import pytest

from leadvibe.audit.queries import list_entries
from tests.api.conftest import ANYBODY, CREDENTIAL
from tests.people import PASSWORD


def log_in(caller, email, password=PASSWORD):
    return caller.post("/auth/login", {"email": email, "password": password})


def bearer(response):
    return {"Authorization": f"Bearer {response.json['token']}"}


@pytest.fixture
def anybody(call_as):
    return call_as(ANYBODY)


def test_a_password_gives_a_token_that_says_who_one_is(anybody, people):
    response = log_in(anybody, people.owner.email.upper())

    assert response.json["expires_in"] == 15 * 60
    me = anybody.send("GET", "/auth/me", headers=bearer(response)).json
    assert me == response.json["user"]
    assert me == {
        "org_member_id": str(people.owner.member.org_member_id),
        "first_name": "Owner",
        "last_name": "",
        "email": people.owner.email,
        "role": "member",
        "verified": False,
    }


@pytest.mark.parametrize(
    ("email", "password"),
    [("owner@acme.test", "wrong"), ("nobody@acme.test", PASSWORD), ("", ""), ("\x00", "x")],
)
def test_a_wrong_pair_is_refused_without_saying_what_is_wrong(anybody, people, email, password):
    response = log_in(anybody, email, password)

    if "\x00" in email:
        assert response.status_code == 400
        return
    assert response.status_code == 401
    assert response.json["code"] == "sign_in_refused"
    assert "fields" not in response.json
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_guessing_is_slowed_down(anybody, people):
    for _ in range(6):
        log_in(anybody, people.owner.email, "wrong")

    response = log_in(anybody, people.owner.email)

    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert response.json["code"] == "throttled"


@pytest.mark.parametrize("path", ["/auth/login", "/auth/refresh"])
def test_what_is_missing_is_named(anybody, path):
    response = anybody.post(path, {})

    assert response.status_code == 400
    assert response.json["fields"]


def test_a_refresh_token_works_once_and_a_copy_ends_the_family(anybody, people):
    first = log_in(anybody, people.owner.email).json
    second = anybody.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert anybody.send("GET", "/me", headers=bearer(second)).status_code == 200

    again = anybody.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    after = anybody.post("/auth/refresh", {"refresh_token": second.json["refresh_token"]})

    assert (again.status_code, after.status_code) == (401, 401)
    assert again.json["code"] == "token_refused"


def test_logging_out_ends_the_refresh_token(anybody, people):
    session = log_in(anybody, people.owner.email)
    body = {"refresh_token": session.json["refresh_token"]}

    response = anybody.send("POST", "/auth/logout", json=body, headers=bearer(session))

    assert response.status_code == 204
    assert anybody.post("/auth/refresh", body).status_code == 401


def test_logging_out_without_a_refresh_token_is_fine(call_as):
    assert call_as("owner").send("POST", "/auth/logout").status_code == 204


@pytest.mark.parametrize(
    "header",
    [
        "Bearer not-a-token",
        "Bearer",
        "Basic bm9ib2R5Ondyb25n",
        "Basic ???",
        "Basic bm8tY29sb24=",
        "Digest username=x",
    ],
)
def test_a_header_that_proves_nothing_is_refused(anybody, header):
    response = anybody.send("GET", "/leads", headers={"Authorization": header})

    assert response.status_code == 401
    assert response.json["error"]


def test_sign_ins_are_audited_with_the_address(anybody, people):
    log_in(anybody, people.owner.email)
    log_in(anybody, people.owner.email, "wrong")

    entries = list_entries(people.organization.org_id, limit=5)

    seen = [(it.actor, it.path, it.status) for it in entries]
    assert (people.owner.email, "/auth/login", 200) in seen
    assert (people.owner.email, "/auth/login", 401) in seen


def test_a_member_in_a_browser_needs_the_token_of_its_pages_to_write(browse, people, world):
    browser = browse(people.owner)
    rule = {"event_type": "email_open", "weight": 5}

    assert browser.get("/auth/me").json["email"] == people.owner.email
    assert browser.client.post("/rules", json=rule).status_code == 403
    assert browser.send("POST", "/rules", json=rule).status_code == 201


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_leftover_cookies_are_expired(app, method):
    client = app.test_client()
    client.set_cookie("jwt", "old")
    client.set_cookie("other", "kept")

    response = client.open("/auth/cleanup", method=method)

    assert response.status_code == 204
    assert client.get_cookie("jwt") is None
    assert client.get_cookie("other") is not None


def test_a_credential_is_not_somebody(call_as):
    response = call_as(CREDENTIAL).get("/auth/me")

    assert response.status_code == 403
