"""Applying a quick start to a unit that is really there."""

from __future__ import annotations

from dataclasses import replace

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.quickstart import queries, service
from leadvibe.quickstart.types import MAKER, Answers, Applied, Part, Sensitivity, Standing
from leadvibe.scoring.queries import current_version, list_rules
from leadvibe.segments import service as segment_service
from leadvibe.segments.queries import list_segments
from leadvibe.triggers.queries import list_triggers
from tests.world import World

ANSWERS = Answers(industry="saas", event_types=("demo_request", "pricing_page_view"))


def apply(world: World, answers: Answers = ANSWERS) -> Applied:
    made = service.apply_quick_start(world.principal, world.scope, answers, now=utc_now())
    commit()
    return made


def test_everything_is_made_once_as_one_version(world: World) -> None:
    before = current_version(world.scope)

    apply(world)
    segments, triggers = list_segments(world.scope), list_triggers(world.scope)
    again = apply(world)

    assert current_version(world.scope) == before + 1
    assert again.plan.does_nothing
    assert list_segments(world.scope) == segments
    assert list_triggers(world.scope) == triggers
    assert {it.created_by for it in [*segments, *triggers, *list_rules(world.scope)]} == {MAKER}
    assert len(segments) == len(triggers) == 3
    assert all(it.recipients.notify_owner for it in triggers)


def test_a_segment_that_somebody_edited_stays_theirs(world: World) -> None:
    apply(world)
    hottest = next(it for it in list_segments(world.scope) if it.name == "Hottest leads")
    segment_service.update_segment(
        world.principal, world.scope, hottest.segment_id, {"name": "Ours"}, now=utc_now()
    )

    made = apply(world, replace(ANSWERS, industry="content"))

    standings = {step.item.key: step.standing for step in made.plan.steps}
    assert standings["segment:Hottest leads"] is Standing.EDITED
    assert standings["segment:Good fit, still quiet"] is Standing.CHANGE
    assert "Ours" in {it.name for it in list_segments(world.scope)}


def test_what_is_switched_off_later_goes_again(world: World) -> None:
    apply(world)
    keys = {it for it in queries.read_quick_start(world.scope).made if not it.startswith("levels")}

    apply(world, replace(ANSWERS, off=frozenset(keys)))

    assert list_segments(world.scope) == []
    assert list_triggers(world.scope) == []
    assert list_rules(world.scope) == []


def test_another_sensitivity_changes_triggers_in_place(world: World) -> None:
    apply(world)
    ids = {it.trigger_id for it in list_triggers(world.scope)}

    made = apply(world, replace(ANSWERS, sensitivity=Sensitivity.MANY))

    assert {it.trigger_id for it in list_triggers(world.scope)} == ids
    assert made.plan.count(Standing.CHANGE) >= 2
    rules = [it for it in made.plan.steps if it.item.part is Part.RULE]
    assert {it.standing for it in rules} == {Standing.SAME}


def test_put_away_it_is_over(world: World) -> None:
    assert not queries.read_quick_start(world.scope).is_over

    service.dismiss(world.scope, now=utc_now())

    assert queries.read_quick_start(world.scope).is_over
    assert queries.read_quick_start(world.scope).applied_at is None
