"""Who comes in, and how everything that goes wrong is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from openapi_spec_validator import validate

from leadvibe.audit.queries import list_entries
from leadvibe.identity import api_keys, archiving
from leadvibe.identity.api_keys import DELETE_LEADS, READ_LEADS, SCOPES, WRITE_LEADS, KeyKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.token_bucket import Taking, TokenBuckets
from tests.dialects.nexus.conftest import LEADS
from tests.factories import make_unit
from tests.people import basic

ALL = [
    ("GET", LEADS),
    ("POST", LEADS),
    ("GET", f"{LEADS}/ann"),
    ("PATCH", f"{LEADS}/ann"),
    ("POST", f"{LEADS}/ann/claim"),
    ("DELETE", f"{LEADS}/ann"),
]


def is_error(answer, status):
    return (
        answer.status_code == status
        and answer.content_type == "application/json"
        and list(answer.json) == ["error"]
        and bool(answer.json["error"])
    )


@pytest.mark.parametrize(("method", "path"), ALL)
def test_nobody_comes_in_without_a_key(client, people, world, method, path):
    assert is_error(client.open(path, method=method, json={}), 401)


@pytest.mark.parametrize(("method", "path"), ALL)
def test_a_stranger_finds_nobody(nexus, nexus_with, elsewhere, method, path):
    nexus.create(name="Ann", email="ann@acme.com")
    stranger = nexus_with(elsewhere.scope, *SCOPES)
    ann = nexus.list().json["data"][0]["id"]

    answer = stranger.send(
        method,
        path.replace("ann", ann),
        json=None if method == "GET" else {"name": "Bob", "email": "bob@acme.com"},
    )

    assert answer.status_code in {200, 201, 400, 404}
    assert "ann@acme.com" not in answer.text
    assert nexus.names() == ["Ann"]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer sk_short", "Bearer é", "Token x", "{key}", "Basic {key}"],
)
def test_what_is_no_key_is_refused(client, nexus, header):
    key = nexus.headers["Authorization"].removeprefix("Bearer ")

    answer = client.get(LEADS, headers={"Authorization": header.format(key=key)})

    assert is_error(answer, 401)


def test_keys_and_passwords_of_other_apis_are_refused(client, people, world, make_key):
    octanist = make_key(KeyKind.OCTANIST).text

    for headers in (
        basic(people.credential),
        people.owner.bearer,
        {"Authorization": f"Bearer {octanist}"},
        {"X-API-KEY": octanist},
    ):
        assert is_error(client.get(LEADS, headers=headers), 401)


def test_a_browsers_session_is_no_key(browse, people, world):
    browser = browse(people.owner)

    assert is_error(browser.get(LEADS), 401)
    assert is_error(browser.client.post(LEADS, json={}), 401)


def test_our_api_does_not_take_the_key(client, nexus):
    assert client.get("/leads", headers=nexus.headers).status_code == 401


def test_a_wrong_secret_is_refused(client, nexus):
    key = nexus.headers["Authorization"]
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")

    assert is_error(client.get(LEADS, headers={"Authorization": wrong}), 401)


@pytest.mark.parametrize(("method", "path"), ALL)
def test_a_key_does_what_its_scopes_say(people, world, nexus_with, method, path):
    needed = {"GET": READ_LEADS, "DELETE": DELETE_LEADS}.get(method, WRITE_LEADS)
    others = [scope for scope in SCOPES if scope != needed]

    refused = nexus_with(people.scope, *others).send(method, path, json={})
    let_in = nexus_with(people.scope, needed).send(method, path, json={})

    assert is_error(refused, 403)
    assert needed in refused.json["error"]
    assert let_in.status_code not in {401, 403}


def test_a_key_that_is_deleted_or_over_is_refused(client, people, world, make_key):
    kept = make_key(KeyKind.NEXUS).text
    over = make_key(KeyKind.NEXUS, lasts=timedelta(seconds=-1)).text
    [key] = api_keys.list_api_keys(people.scope, now=utc_now())
    assert client.get(LEADS, headers={"Authorization": f"Bearer {kept}"}).status_code == 200

    api_keys.delete_api_key(people.scope, key.key_id)

    for text in (kept, over):
        assert is_error(client.get(LEADS, headers={"Authorization": f"Bearer {text}"}), 401)


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("GET", f"{LEADS}/", {}, 404),
        ("GET", f"{LEADS}/nobody", {}, 404),
        ("GET", f"{LEADS}/a%00b", {}, 404),
        ("POST", f"{LEADS}/nobody/claim/again", {}, 405),
        ("DELETE", LEADS, {}, 405),
        ("DELETE", f"{LEADS}/", {}, 404),
        ("PUT", f"{LEADS}/ann", {}, 405),
        ("POST", LEADS, {"data": "{", "content_type": "application/json"}, 400),
        ("POST", LEADS, {"data": "[]", "content_type": "application/json"}, 400),
        ("POST", LEADS, {"data": "null", "content_type": "application/json"}, 400),
        ("POST", LEADS, {"data": '{"name": NaN}', "content_type": "application/json"}, 400),
        ("POST", LEADS, {"data": '"\\ud800"', "content_type": "application/json"}, 400),
        ("POST", LEADS, {}, 400),
        ("POST", LEADS, {"data": {"name": "Ann"}}, 415),
        ("POST", LEADS, {"data": "name", "content_type": "text/plain"}, 415),
        ("POST", LEADS, {"json": {"name": "n" * 300_000}}, 413),
    ],
)
def test_every_refusal_has_the_same_form(nexus, method, path, given, status):
    assert is_error(nexus.send(method, path, **given), status)


def test_a_fault_of_ours_has_it_too_and_says_nothing_of_itself(nexus, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr("leadvibe.dialects.nexus.leads.find_record", fail)

    answer = nexus.get("ann")

    assert is_error(answer, 500)
    assert "bug" not in answer.text


def test_other_addresses_below_the_base_are_those_of_our_api(client, nexus):
    for path in ("/api/v1/lead", "/api/v1/", "/api/v1/leadsome"):
        assert "code" in client.get(path, headers=nexus.headers).json


def test_an_archived_unit_is_closed(people, world, nexus_with):
    unit = make_unit(people.organization, "Second")
    second = nexus_with(unit.scope, READ_LEADS)
    archiving.archive_unit(world.principal, unit.scope, now=utc_now())
    commit()

    assert is_error(second.list(), 403)


def test_writes_are_audited_under_the_keys_beginning(nexus, people):
    nexus.make("Ann")

    entries = list_entries(people.organization.org_id, limit=50)
    [entry] = [it for it in entries if it.path == LEADS]

    assert nexus.headers["Authorization"].startswith(f"Bearer {entry.actor}_")
    assert (entry.method, entry.status, entry.unit_id) == ("POST", 201, people.scope.unit_id)


def test_limits_hold_also_for_who_has_no_key(nexus, make_app, monkeypatch):
    limited = make_app(rate_limit_mode="enforce", rate_limit_key_by="unit").test_client()

    for headers in (nexus.headers, {}):
        assert "RateLimit-Remaining" in limited.get(LEADS, headers=headers).headers

    monkeypatch.setattr(TokenBuckets, "take", lambda *_: Taking(False, 0, 5, 5))
    answer = limited.get(LEADS, headers=nexus.headers)

    assert is_error(answer, 429)
    assert answer.headers["Retry-After"] == "5"


def test_the_document_is_valid_and_names_every_operation(client):
    answer = client.get("/api/v1/openapi.json")
    document = answer.json

    validate(document)
    assert answer.content_type == "application/json"
    assert {path: sorted(each) for path, each in document["paths"].items()} == {
        LEADS: ["get", "post"],
        f"{LEADS}/{{leadId}}": ["delete", "get", "patch"],
        f"{LEADS}/{{leadId}}/claim": ["post"],
    }
    [status, *_] = document["paths"][LEADS]["get"]["parameters"]
    assert "NOT_CONTACTED" in str(status)
    changed = document["components"]["schemas"]["LeadChange"]["properties"]
    assert changed["status"]["type"] == "string"
    assert "null" in str(changed["company"])
    made = document["components"]["schemas"]["NewLead"]["properties"]
    assert "null" in str(made["status"])
