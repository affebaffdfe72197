"""API credentials: shown once, good for one unit, and gone when deleted."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests.api.conftest import Caller

NOBODYS = "00000000-0000-0000-0000-000000000000"


def as_credential(app, made):
    pair = f"{made['client_id']}:{made['client_secret']}"
    return Caller(
        app.test_client(), {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    )


def test_a_new_pair_works_and_its_secret_is_never_shown_again(app, call_as, people):
    owner = call_as("owner")

    response = owner.post("/secrets", {"name": "Website"})

    made = response.json
    assert response.status_code == 201
    assert made["client_id"].startswith("lv_ci_")
    assert made["client_secret"].startswith("lv_cs_")
    assert as_credential(app, made).get("/leads").status_code == 200
    listed = owner.get("/secrets").json
    assert made["client_id"] in {it["client_id"] for it in listed}
    assert set(listed[0]) == {
        "secret_id",
        "unit_id",
        "client_id",
        "name",
        "trust_upstream_consent",
        "created_at",
        "rps",
        "burst",
    }


def test_a_deleted_pair_is_refused_at_once(app, call_as):
    owner = call_as("owner")
    made = owner.post("/secrets", {"name": "Website"}).json
    credential = as_credential(app, made)
    assert credential.get("/leads").status_code == 200

    assert owner.delete(f"/secrets/{made['secret_id']}").status_code == 204

    assert credential.get("/leads").json["code"] == "credential_refused"
    assert owner.delete(f"/secrets/{made['secret_id']}").status_code == 404


@pytest.mark.parametrize("name", ["", " ", "n" * 51, "a\x00", None, 5])
def test_a_bad_name_is_refused(call_as, name):
    response = call_as("owner").post("/secrets", {"name": name})

    assert response.status_code == 400
    assert list(response.json["fields"]) == ["name"]


@pytest.mark.parametrize("secret_id", ["sec_1", NOBODYS])
def test_a_credential_that_is_not_there_is_not_found(call_as, secret_id):
    response = call_as("owner").delete(f"/secrets/{secret_id}")

    assert response.status_code == 404
    assert response.json["code"] == "credential_not_found"


@pytest.mark.parametrize("is_trusted", [True, False])
def test_whether_consent_is_trusted_is_kept(call_as, is_trusted):
    owner = call_as("owner")
    made = owner.post("/secrets", {"name": "Website"}).json

    response = owner.put(f"/secrets/{made['secret_id']}", {"trust_upstream_consent": is_trusted})

    assert response.status_code == 204
    kept = {it["secret_id"]: it["trust_upstream_consent"] for it in owner.get("/secrets").json}
    assert kept[made["secret_id"]] is is_trusted


@pytest.mark.parametrize("body", [{}, {"trust_upstream_consent": "yes"}, {"name": "x"}])
def test_consent_is_trusted_or_not(call_as, body):
    owner = call_as("owner")
    made = owner.post("/secrets", {"name": "Website"}).json

    response = owner.put(f"/secrets/{made['secret_id']}", body)

    assert (response.status_code, list(response.json["fields"])) == (
        400,
        ["trust_upstream_consent"],
    )


def test_another_units_credential_cannot_be_changed(call_as, people):
    secret_id = people.credential.credential.secret_id

    response = call_as("stranger").put(f"/secrets/{secret_id}", {"trust_upstream_consent": True})

    assert (response.status_code, response.json["code"]) == (404, "credential_not_found")


def test_a_key_of_another_lead_api_works_until_it_is_deleted(call_as, app):
    owner = call_as("owner")

    made = owner.post("/api-keys", {"name": "ERP", "kind": "nexus", "is_test": True}).json
    client, headers = app.test_client(), {"Authorization": f"Bearer {made['api_key']}"}

    assert made["api_key"].startswith(f"{made['prefix']}_")
    assert made["expires_at"] is not None
    assert client.get("/api/v1/leads", headers=headers).status_code == 200
    [listed] = owner.get("/api-keys").json
    assert "api_key" not in listed
    assert owner.delete(f"/api-keys/{made['key_id']}").status_code == 204
    assert client.get("/api/v1/leads", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "kind": "nexus"}, "name"),
        ({"name": "ERP"}, "kind"),
        ({"name": "ERP", "kind": "other"}, "kind"),
        ({"name": "ERP", "kind": "nexus", "scopes": []}, "scopes"),
        ({"name": "ERP", "kind": "nexus", "scopes": ["leads.all"]}, "scopes.0"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(call_as, body, field):
    response = call_as("owner").post("/api-keys", body)

    assert (response.status_code, list(response.json["fields"])) == (400, [field])
