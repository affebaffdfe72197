"""Rules: what events are worth."""

from __future__ import annotations

import pytest

from leadvibe.scoring.queries import current_version

RULE_FIELDS = {
    "rule_id",
    "ruleset_id",
    "org_id",
    "unit_id",
    "event_type",
    "weight",
    "icon",
    "active",
    "etag",
    "start_at",
    "end_at",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
}
NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def rule(world):
    return world.add_rule("page_view", 5)


def test_a_rule_goes_into_the_primary_ruleset_and_says_who_made_it(call_as, people, world):
    response = call_as("operator").post("/rules", {"event_type": "email_open", "weight": 5})

    assert response.status_code == 201
    assert set(response.json) == RULE_FIELDS
    assert response.json["ruleset_id"] == str(world.primary.ruleset_id)
    assert response.json["unit_id"] == str(people.unit.unit_id)
    assert response.json["created_by"] == people.operator.email
    assert (response.json["active"], response.json["weight"]) == (True, 5)


def test_ids_and_audit_fields_are_the_servers_to_set(api, people):
    given = {"rule_id": NOBODYS, "unit_id": NOBODYS, "created_by": "me", "updated_at": "never"}

    made = api.post("/rules", {"event_type": "email_open", "weight": 5, **given}).json

    assert made["rule_id"] != NOBODYS
    assert made["unit_id"] == str(people.unit.unit_id)
    assert made["created_by"] == people.credential.credential.client_id


def test_a_rule_can_go_into_another_ruleset(api, world):
    second = world.add_ruleset("Experimental")
    document = {"event_type": "email_open", "weight": 5, "ruleset_id": str(second.ruleset_id)}

    assert api.post("/rules", document).json["ruleset_id"] == str(second.ruleset_id)
    assert len(api.get(f"/rulesets/{second.ruleset_id}/rules").json) == 1
    assert api.get(f"/rulesets/{world.primary.ruleset_id}/rules").json == []
    assert len(api.get("/rules").json) == 1


def test_without_a_primary_ruleset_one_has_to_be_named(api, world):
    api.put(f"/rulesets/{world.primary.ruleset_id}", {"is_primary": False})

    response = api.post("/rules", {"event_type": "email_open", "weight": 5})

    assert response.status_code == 400
    assert "ruleset_id" in response.json["fields"]


def test_an_event_type_is_scored_once_in_a_ruleset(api, rule):
    response = api.post("/rules", {"event_type": rule.event_type, "weight": 1})

    assert response.status_code == 409
    assert "event_type" in response.json["fields"]


@pytest.mark.parametrize(
    ("document", "status", "field"),
    [
        ({"weight": 5}, 400, "event_type"),
        ({"event_type": "x"}, 400, "weight"),
        ({"event_type": "x", "weight": "5"}, 400, "weight"),
        ({"event_type": "x", "weight": 5.5}, 400, "weight"),
        ({"event_type": "x", "weight": True}, 400, "weight"),
        ({"event_type": "x", "weight": None}, 400, "weight"),
        ({"event_type": "x", "weight": 10_001}, 400, "weight"),
        ({"event_type": "x", "weight": -10_001}, 400, "weight"),
        ({"event_type": "x", "weight": 5, "active": "yes"}, 400, "active"),
        ({"event_type": "x", "weight": 5, "start_at": "soon"}, 400, "start_at"),
        ({"event_type": "x", "weight": 5, "icon": "i" * 101}, 400, "icon"),
        ({"event_type": "x", "weight": 5, "ruleset_id": "rs_default"}, 400, "ruleset_id"),
        (
            {"event_type": "x", "weight": 5, "start_at": "2026-02-01", "end_at": "2026-01-01"},
            400,
            "end_at",
        ),
    ],
)
def test_a_bad_rule_is_refused_by_field(api, document, status, field):
    response = api.post("/rules", document)

    assert response.status_code == status
    assert list(response.json["fields"]) == [field]
    assert api.get("/rules").json == []


def test_a_ruleset_that_is_not_there_is_not_found(api):
    document = {"event_type": "x", "weight": 5, "ruleset_id": NOBODYS}

    assert api.post("/rules", document).json["code"] == "ruleset_not_found"
    assert api.get(f"/rulesets/{NOBODYS}/rules").json["code"] == "ruleset_not_found"


def test_a_change_leaves_the_rest_as_it_is(api, rule):
    window = {"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-02-01T00:00:00Z"}
    api.put(f"/rules/{rule.rule_id}", {"icon": "eye", **window})

    changed = api.put(f"/rules/{rule.rule_id}", {"weight": 7, "end_at": None}).json

    assert (changed["weight"], changed["icon"]) == (7, "eye")
    assert (changed["start_at"], changed["end_at"]) == ("2026-01-01T00:00:00Z", None)
    assert changed["event_type"] == "page_view"


@pytest.mark.parametrize("field", ["event_type", "weight", "active", "ruleset_id"])
def test_what_a_rule_cannot_be_without_cannot_be_null(api, rule, field):
    response = api.put(f"/rules/{rule.rule_id}", {field: None})

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_a_rule_stays_in_its_ruleset(api, world, rule):
    second = world.add_ruleset("Experimental")
    path = f"/rules/{rule.rule_id}"

    assert api.put(path, {"ruleset_id": str(rule.ruleset_id), "weight": 6}).status_code == 200
    refused = api.put(path, {"ruleset_id": str(second.ruleset_id)})

    assert refused.status_code == 400
    assert list(refused.json["fields"]) == ["ruleset_id"]


def test_a_rule_cannot_take_an_event_type_that_is_scored_already(api, world, rule):
    other = world.add_rule("email_open", 1)

    response = api.put(f"/rules/{other.rule_id}", {"event_type": rule.event_type})

    assert response.status_code == 409


def test_changing_and_deleting_a_rule_does_not_rewrite_history(api, world, rule):
    world.happen("page_view", "ld_1")
    api.put(f"/rules/{rule.rule_id}", {"weight": 100})
    assert api.get("/score/ld_1").json["score"] == 5

    world.happen("page_view", "ld_1")
    assert api.get("/score/ld_1").json["score"] == 105

    assert api.delete(f"/rules/{rule.rule_id}").status_code == 204
    world.happen("page_view", "ld_1")
    assert api.get("/score/ld_1").json["score"] == 105
    assert api.get("/rules").json == []


def test_a_change_of_nothing_makes_no_version(api, world, rule):
    before = current_version(world.scope)

    assert api.put(f"/rules/{rule.rule_id}", {}).json["weight"] == 5
    assert current_version(world.scope) == before


@pytest.mark.parametrize("rule_id", ["rl_2", NOBODYS])
def test_a_rule_that_is_not_there_is_not_found(api, rule_id):
    for response in (api.put(f"/rules/{rule_id}", {"weight": 1}), api.delete(f"/rules/{rule_id}")):
        assert response.status_code == 404
        assert response.json["code"] == "rule_not_found"
