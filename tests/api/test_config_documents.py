"""The configuration as a document: what is read of it, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from pydantic import ValidationError

from leadvibe.api.config_documents import ConfigDocument
from leadvibe.api.params import problems_of
from leadvibe.engine.policies import SURGE_GENTLE, SURGE_STANDARD, Band, SurgeMode
from leadvibe.lib.clock import utc_now
from leadvibe.scoring.changes import changes_between
from tests.scoring.strategies import whole_configs

LEAST = {"rulesets": [], "levels": [], "policies": {}}
DECAY = {"inactive_for": 30, "unit": "days", "decrease": -25}


def read(**changes):
    return ConfigDocument.model_validate(LEAST | changes).to_config()


def problems(**changes):
    with pytest.raises(ValidationError) as caught:
        ConfigDocument.model_validate(LEAST | changes)
    return problems_of(caught.value)


@given(whole_configs())
def test_what_is_written_is_read_back_as_it_was(config):
    document = ConfigDocument.model_validate(config.to_json())

    assert changes_between(config, document.to_config()) == []


def test_ids_and_times_that_are_missing_are_made():
    before = utc_now()
    rule = {"event_type": "page_view", "weight": 5}

    config = read(
        rulesets=[{"name": "New", "rules": [rule, rule | {"event_type": "demo"}]}],
        policies={"decays": [DECAY]},
    )

    first, second = config.rulesets[0].rules
    assert first.rule_id != second.rule_id
    [decay] = config.policies.decays
    assert decay.decrease == 25
    assert before <= decay.created_at <= utc_now()


def test_a_surge_preset_needs_no_more_than_its_name():
    assert read().policies.surge == SURGE_STANDARD
    assert read(policies={"surge": {"mode": "gentle"}}).policies.surge == SURGE_GENTLE


def test_custom_surge_has_the_usual_idle_reset_and_the_widest_cap():
    bands = [{"min_events": 2, "multiplier_percent": 125}]

    surge = read(policies={"surge": {"mode": "custom", "bands": bands}}).policies.surge

    assert (surge.mode, surge.bands) == (SurgeMode.CUSTOM, (Band(2, 125),))
    assert (surge.idle_reset_seconds, surge.cap_percent) == (1800, 300)


def test_what_the_organisation_decides_is_passed_over():
    config = read(version=7, allow_negative_scores=True, policies={"abm_enabled": True})

    assert (config.version, config.allow_negative_scores) == (0, False)
    assert not config.policies.abm_enabled


def test_an_operator_is_read_in_any_spelling():
    test = {"key": "size", "operator": "Greater Than", "value": 50}
    ruleset = {"name": "Fit", "rules": [{"test": test, "weight": 5}]}

    config = read(policies={"profile_rulesets": [ruleset]})

    assert config.policies.profile_rulesets[0].rules[0].test.operator == "gt"


@pytest.mark.parametrize("part", ["rulesets", "levels", "policies"])
def test_no_part_may_be_forgotten(part):
    with pytest.raises(ValidationError) as caught:
        ConfigDocument.model_validate({name: LEAST[name] for name in LEAST if name != part})

    assert problems_of(caught.value) == {part: "is missing: it is required"}


def test_every_bad_field_is_named():
    found = problems(
        rulesets=[{"name": " ", "rules": [{"event_type": "x", "weight": 1.5, "wieght": 2}]}],
        levels=[{"kind": "mood", "name": "Low", "min_score": 0}],
        session_timeout_seconds=90,
        policies={
            "surge": {"mode": "custom", "bands": [{"min_events": 0, "multiplier_percent": 99}]},
            "decays": [DECAY | {"unit": "years"}],
            "velocity_filters": [{"event_type": "x", "count_threshold": 1, "time_window_ms": 0}],
            "metadata_filters": [{"name": "Bots", "conditions": []}],
            "event_types": {"x": {"reach": "far"}},
        },
    )

    assert set(found) == {
        "rulesets.0.name",
        "rulesets.0.rules.0.weight",
        "rulesets.0.rules.0.wieght",
        "levels.0.kind",
        "session_timeout_seconds",
        "policies.surge.bands.0.min_events",
        "policies.surge.bands.0.multiplier_percent",
        "policies.decays.0.unit",
        "policies.velocity_filters.0.time_window_ms",
        "policies.metadata_filters.0.conditions",
        "policies.event_types.x.reach",
    }
    assert found["rulesets.0.rules.0.wieght"] == "is not known here: remove it"
    assert found["session_timeout_seconds"] == "must be a multiple of 60"
