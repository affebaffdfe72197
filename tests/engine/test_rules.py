from __future__ import annotations

import pytest

from leadvibe.engine.rules import PLAIN, Config, LevelKind

from .factories import MONDAY, make_config, make_level, make_rule, make_ruleset

RULE_ID = "01980000-0000-7000-8000-000000000001"
RULESET_ID = "01980000-0000-7000-8000-000000000002"
LEVEL_ID = "01980000-0000-7000-8000-000000000003"


def oldest_snapshot() -> dict:
    """The least that any stored snapshot holds; what was added since must have a default."""
    return {
        "version": 3,
        "rulesets": [
            {
                "ruleset_id": RULESET_ID,
                "name": "Default",
                "rules": [{"rule_id": RULE_ID, "event_type": "page_view", "weight": -2}],
            }
        ],
        "levels": [{"level_id": LEVEL_ID, "kind": "profile", "name": "Poor", "min_score": 0}],
    }


def test_a_snapshot_is_written_in_plain_json_values():
    ruleset = make_ruleset(make_rule("page_view", 2, start_at=MONDAY), is_primary=True)
    level = make_level("Hot", 50, None)

    snapshot = make_config(ruleset, version=4, levels=(level,)).to_json()

    assert snapshot == {
        "version": 4,
        "rulesets": [
            {
                "ruleset_id": str(ruleset.ruleset_id),
                "name": "Default",
                "is_primary": True,
                "active": True,
                "start_at": None,
                "end_at": None,
                "rules": [
                    {
                        "rule_id": str(ruleset.rules[0].rule_id),
                        "event_type": "page_view",
                        "weight": 2,
                        "active": True,
                        "start_at": "2025-06-02T09:00:00+00:00",
                        "end_at": None,
                        "icon": None,
                    }
                ],
                "score_column": "total_score",
            }
        ],
        "levels": [
            {
                "level_id": str(level.level_id),
                "kind": "engagement",
                "name": "Hot",
                "min_score": 50,
                "max_score": None,
                "color": "#64748b",
                "order": 0,
            }
        ],
        "allow_negative_scores": False,
        "session_timeout_seconds": 1800,
        "policies": PLAIN.to_json(),
    }


def test_a_snapshot_from_before_a_setting_existed_takes_its_default():
    config = Config.from_json(oldest_snapshot())

    [ruleset] = config.rulesets
    [rule] = ruleset.rules
    [level] = config.levels
    assert (config.allow_negative_scores, config.session_timeout_seconds) == (False, 1800)
    assert (ruleset.active, ruleset.is_primary, ruleset.start_at) == (True, False, None)
    assert (rule.active, rule.weight, rule.end_at) == (True, -2, None)
    assert (level.kind, level.max_score, level.color) == (LevelKind.PROFILE, None, "#64748b")


def test_a_snapshot_may_hold_what_this_version_does_not_know():
    snapshot = oldest_snapshot()
    snapshot["later"] = {"some": "thing"}
    snapshot["rulesets"][0]["later"] = 1
    snapshot["rulesets"][0]["rules"][0]["later"] = 1
    snapshot["levels"][0]["later"] = 1

    assert Config.from_json(snapshot) == Config.from_json(oldest_snapshot())


def test_a_snapshot_without_a_weight_is_refused_rather_than_guessed():
    snapshot = oldest_snapshot()
    del snapshot["rulesets"][0]["rules"][0]["weight"]

    with pytest.raises(KeyError, match="weight"):
        Config.from_json(snapshot)


def test_a_config_knows_its_primary_ruleset():
    other, primary = make_ruleset(), make_ruleset(is_primary=True)

    assert make_config(other, primary).find_primary() is primary
    assert make_config(other).find_primary() is None


def test_a_ruleset_in_force_is_active_and_inside_its_window():
    ruleset = make_ruleset(start_at=MONDAY)

    assert ruleset.is_in_force(MONDAY)
    assert not make_ruleset(active=False).is_in_force(MONDAY)
    assert not make_ruleset(end_at=MONDAY).is_in_force(MONDAY)
