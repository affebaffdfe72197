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
