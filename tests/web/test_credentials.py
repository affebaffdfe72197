"""API credentials on their page: an Owner's business, and a secret that is shown once."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from leadvibe.identity import api_keys, queries
from leadvibe.identity.api_keys import SCOPES, USUAL_SCOPES, KeyKind
from leadvibe.lib.clock import utc_now
from tests.factories import make_credential
from tests.people import basic
from tests.web.pages import links_in

CREDENTIALS = "/app/credentials"


def delete_path(credential):
    return f"{CREDENTIALS}/{credential.secret_id}/delete"


@pytest.mark.parametrize("name", ["admin", "owner"])
def test_an_owner_sees_the_credentials_of_the_unit(browse, people, world, name):
    page = browse(people[name]).get(CREDENTIALS).text

    assert people.credential.credential.client_id in page
    assert people.credential.client_secret not in page
    assert links_in(page, CREDENTIALS)


@pytest.mark.parametrize("name", ["operator", "viewer"])
def test_nobody_else_may_see_or_change_them(browse, people, world, name):
    browser, credential = browse(people[name]), people.credential.credential

    assert browser.get(CREDENTIALS).status_code == 403
    assert browser.post(CREDENTIALS, {"name": "Mine"}).status_code == 403
    assert browser.post(delete_path(credential)).status_code == 403
    assert links_in(browser.get("/app/leads").text, CREDENTIALS) == []
    assert queries.list_credentials(people.scope) == [credential]


def test_a_stranger_finds_none_of_them(browse, people, world):
    browser, credential = browse(people.stranger), people.credential.credential

    assert credential.client_id not in browser.get(CREDENTIALS).text
    assert browser.post(delete_path(credential)).status_code == 404
    assert queries.list_credentials(people.scope) == [credential]


def test_nobody_is_led_to_the_sign_in(browse, world):
    assert "/app/login" in browse(None).get(CREDENTIALS).location


def test_credentials_cannot_look_after_themselves(client, people, world):
    answer = client.get(CREDENTIALS, headers=basic(people.credential))

    assert answer.status_code == 403


def test_a_form_without_its_token_is_refused(browse, people, world):
    answer = browse(people.owner).client.post(CREDENTIALS, data={"name": "Website"})

    assert answer.status_code == 403
    assert len(queries.list_credentials(people.scope)) == 1


def test_the_secret_is_shown_once_and_works(browse, people, world):
    browser = browse(people.owner)

    created = browser.post(CREDENTIALS, {"name": "  CRM sync  "})
    client_id = re.search(r'id="created-id">([^<]+)<', created.text)[1]
    secret = re.search(r'id="created-secret">([^<]+)<', created.text)[1]

    assert "“CRM sync” is ready" in created.text
    assert created.headers["Cache-Control"] == "no-store"
    assert f"-u {client_id}:{secret}" in created.text.replace("&#39;", "'")
    assert queries.authenticate_credential(client_id, secret).unit_id == people.scope.unit_id
    again = browser.get(CREDENTIALS).text
    assert client_id in again
    assert secret not in again


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("", "Name it after the program"), ("x" * 51, "characters"), ("a\nb", "characters")],
)
def test_a_name_that_makes_no_sense_is_explained(browse, people, world, name, complaint):
    answer = browse(people.owner).post(CREDENTIALS, {"name": name})

    assert answer.status_code == 422
    assert complaint in answer.text
    assert len(queries.list_credentials(people.scope)) == 1


def test_a_deleted_credential_is_refused_at_once(browse, people, world, client):
    browser = browse(people.owner)

    answer = browser.post(delete_path(people.credential.credential))

    assert (answer.status_code, answer.location) == (303, CREDENTIALS)
    assert "The credential is deleted" in browser.get(CREDENTIALS).text
    assert client.get("/leads", headers=basic(people.credential)).status_code == 401


def test_a_credential_that_is_gone_is_not_found(browse, people, world):
    answer = browse(people.owner).post(f"{CREDENTIALS}/{uuid4()}/delete")

    assert answer.status_code == 404


def test_another_units_credential_is_not_found(browse, people, world):
    foreign = make_credential(people.stranger.unit).credential

    assert browse(people.owner).post(delete_path(foreign)).status_code == 404


def test_one_is_given_a_limit_of_its_own_and_counted_with_the_others_again(browse, people):
    owner, credential = browse(people.owner), people.credential.credential
    path = f"{CREDENTIALS}/{credential.secret_id}/limit"

    owner.post(path, {"rps": "5", "burst": "20"})
    assert "5 a second" in owner.get(CREDENTIALS).text

    owner.post(path, {"rps": "50", "burst": "20"})
    page = owner.get(CREDENTIALS).text
    assert "Choose at least 50" in page
    assert "5 a second" in page

    owner.post(path, {"rps": "", "burst": ""})
    assert "None of its own" in owner.get(CREDENTIALS).text
    assert browse(people.operator).post(path, {"rps": "5", "burst": "20"}).status_code == 403
    assert browse(people.stranger).post(path, {"rps": "5", "burst": "20"}).status_code == 404


# Keys of other lead APIs


def created_key(page):
    return re.search(r'id="created-key">([^<]+)<', page)[1]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("form", "kind", "scopes"),
    [
        ({"use": "nexus", "reads": "y"}, KeyKind.NEXUS, {"leads.read"}),
        ({"use": "nexus", "reads": "y", "writes": "y"}, KeyKind.NEXUS, set(USUAL_SCOPES)),
        ({"use": "nexus", "reads": "y", "writes": "y", "deletes": "y"}, KeyKind.NEXUS, set(SCOPES)),
        ({"use": "octanist"}, KeyKind.OCTANIST, set(USUAL_SCOPES)),
    ],
)
def test_a_key_is_shown_once_with_a_command_to_try_it(browse, people, form, kind, scopes):
    browser = browse(people.owner)

    created = browser.post(CREDENTIALS, {"name": "ERP", **form})
    key = created_key(created.text)

    holder = api_keys.authenticate_key(key, kind, now=utc_now())
    assert holder.principal.scope == people.scope
    assert holder.scopes == scopes
    assert created.headers["Cache-Control"] == "no-store"
    assert re.search(rf'id="created-key-curl"[^>]*>curl [^<]*{key}', created.text)
    again = browser.get(CREDENTIALS).text
    assert key not in again
    assert key.rpartition("_")[0] in again


def test_a_key_that_may_do_nothing_is_not_made(browse, people, world):
    answer = browse(people.owner).post(CREDENTIALS, {"name": "ERP", "use": "nexus"})

    assert answer.status_code == 422
    assert "A key needs scopes" in answer.text
    assert api_keys.list_api_keys(people.scope, now=utc_now()) == []


def test_a_test_token_reads_leads_for_an_hour(browse, people, world, client):
    page = browse(people.owner).post(f"{CREDENTIALS}/test-token").text
    headers = {"Authorization": f"Bearer {created_key(page)}"}

    assert client.get("/api/v1/leads", headers=headers).status_code == 200
    assert client.delete("/api/v1/leads/nobody", headers=headers).status_code == 403
    later = utc_now() + api_keys.TEST_TOKEN_LASTS
    assert api_keys.list_api_keys(people.scope, now=later) == []


def test_a_deleted_key_is_refused_at_once(browse, people, world, client):
    owner = browse(people.owner)
    page = owner.post(f"{CREDENTIALS}/test-token").text
    [key] = api_keys.list_api_keys(people.scope, now=utc_now())
    path = f"{CREDENTIALS}/keys/{key.key_id}/delete"

    assert browse(people.operator).post(path).status_code == 403
    assert browse(people.stranger).post(path).status_code == 404
    assert owner.post(path).location == CREDENTIALS

    headers = {"Authorization": f"Bearer {created_key(page)}"}
    assert client.get("/api/v1/leads", headers=headers).status_code == 401
    assert browse(people.operator).post(f"{CREDENTIALS}/test-token").status_code == 403
