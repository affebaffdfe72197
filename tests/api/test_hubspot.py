"""The HubSpot connection through the API: tried first, sealed, and never shown."""

from __future__ import annotations

import pytest

from leadvibe.http.sealing import sealer
from leadvibe.lib.db import commit, driver
from leadvibe.notifications import hubspot
from tests.standins.hubspot import TOKEN
from tests.standins.web_server import told_json

PATH = "/settings/ou/hubspot"


@pytest.fixture
def owner(call_as):
    return call_as("owner")


@pytest.fixture
def hub(hubspot_account):
    return hubspot_account


def stored_token():
    return driver().execute("SELECT token FROM hubspot_connections").fetchone()[0]


def test_a_unit_is_not_connected_until_somebody_does(owner):
    assert owner.get(PATH).json.items() >= {
        "connected": False, "portal": None, "score_property": "leadvibe_score",
        "level_property": "leadvibe_level", "problem": None, "updated_at": None,
    }.items()  # fmt: skip


def test_a_token_is_tried_sealed_and_never_shown(owner, hub, people):
    answer = owner.put(PATH, {"token": TOKEN, "score_property": "lead_score"})

    assert answer.status_code == 200
    assert set(hub.properties) == {"lead_score", "leadvibe_level"}
    assert answer.json["connected"] is True
    assert answer.json["portal"] == "4711"
    assert answer.json["updated_by"] == people.owner.email
    assert TOKEN not in answer.text
    assert TOKEN not in owner.get(PATH).text
    assert TOKEN not in stored_token()
    assert sealer().open(stored_token()) == TOKEN


def test_a_token_that_hubspot_does_not_know_is_not_stored(owner, hub):
    refused = owner.put(PATH, {"token": "pat-other"})

    assert (refused.status_code, refused.json["code"]) == (400, "hubspot_refused")
    assert "does not accept the token" in refused.json["fields"]["token"]
    assert owner.get(PATH).json["connected"] is False


def test_a_token_cannot_be_tried_while_hubspot_is_down(owner, hub):
    hub.next = [told_json(503, {})]

    refused = owner.put(PATH, {"token": TOKEN})

    assert (refused.status_code, list(refused.json["fields"])) == (400, ["body"])
    assert owner.put(PATH, {"token": TOKEN}).status_code == 200


def test_the_token_that_is_known_may_be_left_out(owner, hub):
    missing = owner.put(PATH, {})
    owner.put(PATH, {"token": TOKEN})

    changed = owner.put(PATH, {"level_property": "lead_level"})

    assert (missing.status_code, list(missing.json["fields"])) == (400, ["token"])
    assert changed.json["level_property"] == "lead_level"
    assert sealer().open(stored_token()) == TOKEN


@pytest.mark.parametrize(
    "body", [{"token": "a b"}, {"token": "é"}, {"token": TOKEN, "score_property": "Lead Score"}]
)
def test_what_cannot_be_is_refused(owner, hub, body):
    assert owner.put(PATH, body).status_code == 400
    assert hub.asked == []


def test_a_problem_shows_until_it_is_connected_anew(owner, hub, people):
    owner.put(PATH, {"token": TOKEN})
    connection = hubspot.find_connection(people.scope)
    hubspot.mark_problem(people.scope, connection, problem="the token was revoked")
    commit()
    assert owner.get(PATH).json["problem"] == "the token was revoked"

    owner.put(PATH, {"token": TOKEN})
    hubspot.mark_problem(people.scope, connection, problem="a late one")
    commit()

    assert owner.get(PATH).json["problem"] is None


def test_disconnecting_forgets_the_token(owner, hub):
    owner.put(PATH, {"token": TOKEN})

    assert owner.delete(PATH).status_code == 204
    assert owner.get(PATH).json["connected"] is False
    assert driver().execute("SELECT count(*) FROM hubspot_connections").fetchone() == (0,)


def test_a_change_that_somebody_was_quicker_than_is_refused(owner, hub):
    seen = owner.put(PATH, {"token": TOKEN}).json
    owner.put(PATH, {"level_property": "lead_level"})

    late = owner.send("DELETE", PATH, headers={"If-Match": f'"{seen["etag"]}"'})

    assert late.status_code == 412


def test_only_owners_connect_and_others_see_whether_it_works(call_as, hub):
    call_as("owner").put(PATH, {"token": TOKEN})

    for name in ("operator", "viewer"):
        assert call_as(name).put(PATH, {"token": TOKEN}).status_code == 403
        assert call_as(name).delete(PATH).status_code == 403
        assert call_as(name).get(PATH).json["connected"] is True
    assert call_as("stranger").get(PATH).json["connected"] is False
