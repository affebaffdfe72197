"""Scoring settings: who may change which, and where they hold."""

from __future__ import annotations

import pytest

from leadvibe.scoring import queries

PATH = "/settings/scoring"
USUAL = {"allow_negative_scores": False, "abm_enabled": False, "session_timeout_minutes": 30}


def settings_of(caller):
    settings = caller.get(PATH).json
    assert settings.pop("etag")
    return settings


def test_everybody_in_the_unit_sees_the_settings(call_as, world):
    for name in ("admin", "owner", "operator", "viewer", "credential"):
        assert settings_of(call_as(name)) == USUAL


def test_an_operator_changes_what_is_the_units_own(call_as, world):
    response = call_as("operator").put(PATH, {"session_timeout_minutes": 45})

    assert response.status_code == 204
    assert response.data == b""
    assert settings_of(call_as("viewer")) == USUAL | {"session_timeout_minutes": 45}
    assert settings_of(call_as("stranger")) == USUAL


@pytest.mark.parametrize("setting", ["allow_negative_scores", "abm_enabled"])
@pytest.mark.parametrize("name", ["owner", "operator", "viewer", "credential"])
def test_only_an_admin_changes_what_is_the_organisations(call_as, world, name, setting):
    response = call_as(name).put(PATH, {setting: True, "session_timeout_minutes": 45})

    assert response.status_code == 403
    assert settings_of(call_as("admin")) == USUAL

    assert call_as("admin").put(PATH, {setting: True}).status_code == 204
    assert settings_of(call_as("viewer")) == USUAL | {setting: True}
    assert settings_of(call_as("stranger")) == USUAL


def test_an_operator_may_say_again_what_is_the_organisations(call_as, world):
    response = call_as("operator").put(PATH, USUAL | {"session_timeout_minutes": 45})

    assert response.status_code == 204
    assert call_as("viewer").get(PATH).json["session_timeout_minutes"] == 45


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"allow_negative_scores": "yes"}, "allow_negative_scores"),
        ({"abm_enabled": None}, "abm_enabled"),
        ({"session_timeout_minutes": 0}, "session_timeout_minutes"),
        ({"session_timeout_minutes": 1441}, "session_timeout_minutes"),
        ({"session_timeout_minutes": 1.5}, "session_timeout_minutes"),
        ({"session_timeout_minutes": None}, "session_timeout_minutes"),
    ],
)
def test_a_bad_setting_is_refused_by_field(call_as, world, change, field):
    response = call_as("admin").put(PATH, change)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_a_change_of_nothing_makes_no_version(call_as, world):
    before = queries.current_version(world.scope)

    assert call_as("admin").put(PATH, {}).status_code == 204
    assert call_as("admin").put(PATH, USUAL).status_code == 204
    assert queries.current_version(world.scope) == before


def test_scores_go_below_zero_from_then_on(call_as, world):
    world.add_rule("unsubscribe", -20)
    world.happen("unsubscribe", "ld_1")
    call_as("admin").put(PATH, {"allow_negative_scores": True})
    world.happen("unsubscribe", "ld_1")

    assert call_as("viewer").get("/score/ld_1").json["score"] == -20
