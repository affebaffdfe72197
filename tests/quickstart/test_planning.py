"""What a quick start would do, from nothing and on top of what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.quickstart.errors import BadAnswersError
from leadvibe.quickstart.folding import fold
from leadvibe.quickstart.planning import default_ladder, plan
from leadvibe.quickstart.types import (
    Answers,
    Current,
    Made,
    Part,
    Plan,
    Sensitivity,
    Standing,
    Step,
)
from leadvibe.scoring.checks import find_problems

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = ("demo_request", "pricing_page_view", "page_view", "wave")
SAAS = Answers(industry="saas", event_types=TYPES)
EMPTY = Current(config=Config(1))


def apply(answers: Answers, current: Current) -> tuple[Plan, Current]:
    """Carry out what a plan does about scoring, and remember it."""
    planned = plan(answers, current)
    made = dict(current.made)
    for step in planned.steps:
        if step.standing in {Standing.ADD, Standing.CHANGE}:
            made[step.item.key] = Made(body=step.item.body)
        if step.standing in {Standing.REMOVE, Standing.OFF}:
            made.pop(step.item.key, None)
    config = fold(current.config, planned, now=NOW)
    assert not find_problems(config)
    made = {key: it for key, it in made.items() if not key.startswith(("segment", "trigger"))}
    return planned, replace(current, config=config, made=made)


def step_of(planned: Plan, key: str) -> Step:
    return next(step for step in planned.steps if step.item.key == key)


def weights(current: Current) -> dict[str, int]:
    primary = current.config.find_primary()
    assert primary
    return {rule.event_type: rule.weight for rule in primary.rules}


@pytest.mark.parametrize("industry", ["saas", "product-led", "content", "enterprise-abm"])
@pytest.mark.parametrize("sensitivity", Sensitivity)
def test_every_answer_makes_something_valid(industry: str, sensitivity: Sensitivity) -> None:
    answers = Answers(industry=industry, event_types=TYPES, sensitivity=sensitivity)

    planned, current = apply(answers, EMPTY)

    assert not planned.does_nothing
    assert {step.item.part for step in planned.steps} >= {Part.RULE, Part.LEVELS, Part.TRIGGER}
    again = plan(answers, current)
    assert all(
        step.standing is Standing.SAME
        for step in again.steps
        if step.item.part not in {Part.SEGMENT, Part.TRIGGER}
    )


def test_only_event_types_that_were_chosen_get_a_rule() -> None:
    _, current = apply(SAAS, EMPTY)

    assert weights(current) == {
        "demo_request": 40, "pricing_page_view": 8, "page_view": 1, "wave": 1
    }  # fmt: skip


def test_a_weight_of_ones_own_takes_the_place_of_ours() -> None:
    _, current = apply(replace(SAAS, weights={"rule:wave": 7}), EMPTY)

    assert weights(current)["wave"] == 7


def test_what_is_switched_off_is_not_made() -> None:
    answers = replace(SAAS, off=frozenset({"rule:wave", "decay"}))

    planned, current = apply(answers, EMPTY)

    assert "wave" not in weights(current)
    assert not current.config.policies.decays
    assert step_of(planned, "decay").standing is Standing.OFF


def test_a_rule_that_somebody_made_stays_as_it_is() -> None:
    _, mine = apply(replace(SAAS, weights={"rule:demo_request": 3}), EMPTY)

    planned, current = apply(SAAS, replace(mine, made={}))

    assert step_of(planned, "rule:demo_request").standing is Standing.KEEP
    assert weights(current)["demo_request"] == 3


def test_another_answer_changes_only_what_nobody_has_edited() -> None:
    _, current = apply(SAAS, EMPTY)
    _, edited = apply(replace(SAAS, weights={"rule:demo_request": 5}), current)
    edited = replace(edited, made=current.made)

    planned, after = apply(
        replace(SAAS, sensitivity=Sensitivity.FEW, weights={"rule:wave": 9}), edited
    )

    assert step_of(planned, "rule:demo_request").standing is Standing.EDITED
    assert step_of(planned, "levels:engagement").standing is Standing.CHANGE
    assert weights(after)["demo_request"] == 5
    assert weights(after)["wave"] == 9


def test_another_industry_takes_away_what_it_does_not_ask_for() -> None:
    _, current = apply(SAAS, EMPTY)

    planned, after = apply(replace(SAAS, industry="content", event_types=("blog_view",)), current)

    assert step_of(planned, "rule:demo_request").standing is Standing.REMOVE
    assert weights(after) == {"blog_view": 2}


def test_what_somebody_deleted_stays_away() -> None:
    _, current = apply(SAAS, EMPTY)
    policies = replace(current.config.policies, decays=())
    without = replace(current, config=replace(current.config, policies=policies))

    planned, after = apply(SAAS, without)

    assert step_of(planned, "decay").standing is Standing.GONE
    assert not after.config.policies.decays


def test_levels_switched_off_again_are_what_a_new_unit_has() -> None:
    _, current = apply(SAAS, EMPTY)

    _, after = apply(replace(SAAS, off=frozenset({"levels:engagement"})), current)

    levels = after.config.levels_of(LevelKind.ENGAGEMENT)
    assert [[it.name, it.min_score] for it in levels] == [
        it[:2] for it in default_ladder(LevelKind.ENGAGEMENT)
    ]


def test_few_but_sure_asks_for_more_than_many() -> None:
    def top(sensitivity: Sensitivity) -> int:
        _, current = apply(replace(SAAS, sensitivity=sensitivity), EMPTY)
        return current.config.levels_of(LevelKind.ENGAGEMENT)[-1].min_score

    assert [top(it) for it in Sensitivity] == [150, 100, 60]


def test_an_unknown_industry_is_refused() -> None:
    with pytest.raises(BadAnswersError, match="industry must be one of saas"):
        plan(Answers(industry="circus"), EMPTY)
