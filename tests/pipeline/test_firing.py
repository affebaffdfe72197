from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.engine.policies import FieldTest, Reach
from leadvibe.engine.triggers import (
    Count,
    Filters,
    FireMode,
    Milestone,
    Pattern,
    Sequence,
    Step,
    Surge,
)
from leadvibe.events import service as events
from leadvibe.identity import queries as identity
from leadvibe.identity.types import Scope
from leadvibe.leads import ownership
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.notifications import preferences
from leadvibe.notifications.preferences import Preferences
from leadvibe.notifications.types import Happening
from leadvibe.pipeline import firing, intake, merging, process, rescore
from leadvibe.scoring import event_types
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import service as scoring
from tests.factories import (
    make_decay,
    make_event,
    make_member,
    make_member_reachable,
    make_principal,
    make_rule,
    make_ruleset,
    make_scope,
    make_trigger,
    make_velocity_filter,
    send,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def scope(app) -> Scope:
    scope = make_scope()
    make_rule(scope, "page_view", 10)
    make_rule(scope, "demo_request", 80)
    make_rule(scope, "refund", -50)
    return scope


def happen(scope: Scope, *happened, **fields) -> None:
    """Let events happen, each (type, minutes after noon), and score them in one batch."""
    for event_type, minutes in happened:
        send(scope, make_event(event_type, timestamp=at(minutes), **fields))
    settle(scope)


def settle(scope: Scope) -> None:
    commit()
    process.drain(scope)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def emitted(scope: Scope) -> list[tuple]:
    """Return what was emitted: who, through which type of event, and what is said of it."""
    return (
        driver()
        .execute(
            "SELECT lead_id, event_type, summary FROM emitted_events WHERE unit_id = %s"
            " ORDER BY occurred_at, emitted_id",
            (scope.unit_id,),
        )
        .fetchall()
    )


def destinations(scope: Scope) -> list[tuple]:
    return (
        driver()
        .execute(
            "SELECT d.transport, t.address, d.state FROM deliveries d"
            " JOIN destinations t USING (unit_id, destination_id)"
            " WHERE d.unit_id = %s ORDER BY 1, 2",
            (scope.unit_id,),
        )
        .fetchall()
    )


# Milestones


def test_a_score_that_reaches_the_threshold_is_told_with_its_cause(scope):
    make_trigger(scope, Milestone(80))

    happen(scope, ("page_view", 0), ("demo_request", 1), ("page_view", 2))

    assert emitted(scope) == [("lead", "demo_request", "reached 90 points")]
    assert destinations(scope) == [("webhook", "https://hooks.example.com/leads", "waiting")]


def test_a_score_that_is_exactly_the_threshold_has_reached_it(scope):
    make_trigger(scope, Milestone(80))

    happen(scope, ("demo_request", 0))

    assert len(emitted(scope)) == 1


def test_a_score_that_stays_above_is_no_news(scope):
    make_trigger(scope, Milestone(80), fire_mode=FireMode.ALWAYS)

    happen(scope, ("demo_request", 0))
    happen(scope, ("demo_request", 1))

    assert len(emitted(scope)) == 1


@pytest.mark.parametrize(("mode", "times"), [(FireMode.ONCE, 1), (FireMode.ALWAYS, 2)])
def test_how_often_a_crossing_is_told_depends_on_the_mode(scope, mode, times):
    make_trigger(scope, Milestone(80), fire_mode=mode)

    for minute in range(3):
        happen(scope, (("demo_request", "refund", "demo_request")[minute], minute))

    assert len(emitted(scope)) == times


def test_a_crossing_within_the_cooldown_is_not_told(scope):
    make_trigger(scope, Milestone(80), fire_mode=FireMode.ALWAYS, cooldown_seconds=600)

    happen(scope, ("demo_request", 0), ("refund", 1), ("demo_request", 9))
    happen(scope, ("refund", 9.5), ("refund", 9.6), ("demo_request", 10))

    assert [event_type for _, event_type, _ in emitted(scope)] == ["demo_request"] * 2


def test_a_milestone_for_one_type_of_event_hears_no_other(scope):
    make_trigger(scope, Milestone(80, event_type="page_view"))

    happen(scope, ("demo_request", 0), lead_id="demo")
    happen(scope, *[("page_view", minute) for minute in range(8)], lead_id="viewer")

    assert [lead for lead, *_ in emitted(scope)] == ["viewer"]


def test_a_milestone_of_another_ruleset_looks_at_that_one(scope):
    other = make_ruleset(scope)
    make_rule(scope, "page_view", 100, ruleset=other)
    make_trigger(scope, Milestone(100, ruleset_id=other.ruleset_id))

    happen(scope, ("demo_request", 0), ("page_view", 1))

    assert emitted(scope) == [("lead", "page_view", "reached 100 points")]


def test_a_late_event_is_told_when_it_takes_todays_score_across(scope):
    make_trigger(scope, Milestone(80))
    happen(scope, *[("page_view", minute) for minute in range(10, 17)])

    happen(scope, ("page_view", 0))

    assert emitted(scope) == [("lead", "page_view", "reached 80 points")]


def test_a_late_event_that_crosses_nothing_today_is_not_told(scope):
    make_trigger(scope, Milestone(80))
    happen(scope, ("page_view", 10), ("refund", 11))

    happen(scope, ("demo_request", 0))

    assert emitted(scope) == []


def test_a_rescore_tells_nobody(scope):
    make_trigger(scope, Milestone(80))
    happen(scope, ("page_view", 0))
    make_rule_worth(scope, "page_view", 100)

    rescore.rescore_leads(scope, ["lead"], now=utc_now())
    commit()

    assert emitted(scope) == []


def make_rule_worth(scope: Scope, event_type: str, weight: int) -> None:
    [rule] = [it for it in score_queries.list_rules(scope) if it.event_type == event_type]
    scoring.update_rule(
        make_principal(scope), scope, rule.rule_id, {"weight": weight}, now=utc_now()
    )


def test_a_merge_tells_nobody(scope):
    make_trigger(scope, Milestone(80))
    happen(scope, *[("page_view", minute) for minute in range(5)], lead_id="one")
    happen(scope, *[("page_view", minute) for minute in range(5)], lead_id="two")

    merging.merge(make_principal(scope), scope, "one", ["two"], now=utc_now())
    commit()

    assert emitted(scope) == []


def test_an_event_that_makes_leads_one_is_told_only_if_it_crosses_itself(scope):
    make_trigger(scope, Milestone(80))
    happen(scope, *[("page_view", minute) for minute in range(5)], cookie="c1")
    happen(scope, *[("page_view", minute) for minute in range(4)], email="ada@example.com")

    happen(scope, ("other", 20), cookie="c1", email="ada@example.com")
    assert emitted(scope) == []

    happen(scope, *[("page_view", minute) for minute in range(30, 33)], cookie="c2")
    happen(scope, ("refund", 39), email="ada@example.com")
    happen(scope, ("demo_request", 40), cookie="c2", email="ada@example.com")
    assert [event_type for _, event_type, _ in emitted(scope)] == ["demo_request"]


def test_whoever_was_told_of_is_not_told_of_again_after_a_merge(scope):
    make_trigger(scope, Milestone(80))
    happen(scope, ("demo_request", 0), lead_id="one")
    happen(scope, ("page_view", 1), lead_id="two")
    merging.merge(make_principal(scope), scope, "two", ["one"], now=utc_now())
    commit()

    happen(scope, ("refund", 2), ("demo_request", 3), lead_id="two")

    assert len(emitted(scope)) == 1


def test_an_import_that_skips_triggers_is_quiet(scope):
    make_trigger(scope, Milestone(80))
    arrival = intake.arrive(make_event("demo_request"), source="test", now=utc_now(), is_quiet=True)
    intake.post(scope, [arrival])
    settle(scope)

    assert emitted(scope) == []


def test_an_event_that_came_in_before_the_trigger_does_not_fire_it(scope):
    send(scope, make_event("demo_request"))
    make_trigger(scope, Milestone(80), created_at=utc_now() + timedelta(seconds=1))
    settle(scope)

    assert emitted(scope) == []


def test_an_inactive_trigger_does_not_fire(scope):
    make_trigger(scope, Milestone(80), active=False)

    happen(scope, ("demo_request", 0))

    assert emitted(scope) == []


@pytest.mark.parametrize("decision", [{"hidden": True}, {"reach": Reach.DECIDE}])
def test_types_that_may_not_activate_are_not_heard(scope, decision):
    happen(scope, ("page_view", -99), lead_id="other")
    make_trigger(scope, Surge(1, 60))
    event_types.decide_event_type(
        make_principal(scope), scope, "page_view", now=utc_now(), **decision
    )

    happen(scope, ("page_view", 0))

    assert emitted(scope) == []


def test_a_message_that_comes_twice_is_told_once(scope):
    make_trigger(scope, Surge(1, 60), fire_mode=FireMode.ALWAYS)

    for _ in range(2):
        send(scope, make_event("page_view", message_id="m1"))
        settle(scope)

    assert len(emitted(scope)) == 1


def test_another_units_triggers_hear_nothing(scope):
    elsewhere = make_scope()
    make_trigger(elsewhere, Surge(1, 60))

    happen(scope, ("page_view", 0))

    assert emitted(elsewhere) == []


def owned(scope: Scope, security, lead_id: str = "lead"):
    """Give a lead to a member who can be told, and return them."""
    organization = identity.get_organization(scope.org_id)
    member = make_member(organization, security=security)
    make_member_reachable(scope, member)
    ownership.assign_owner(scope, lead_id, member, now=utc_now())
    commit()
    return member


def test_an_owner_is_told_that_a_score_fell_below_a_milestone_and_nobody_else(scope, security):
    make_trigger(scope, Milestone(80), notify_owner=True, emails=("sales@x.example",))
    happen(scope, ("demo_request", 0))
    member = owned(scope, security)

    happen(scope, ("refund", 1))

    assert emitted(scope)[1:] == [("lead", "refund", "fell below 80 points, to 30")]
    assert destinations(scope) == [
        ("email", member.email, "waiting"),
        ("email", "sales@x.example", "waiting"),
    ]


def test_a_score_that_comes_back_within_the_batch_has_left_nothing(scope):
    make_trigger(scope, Milestone(80), notify_owner=True)
    happen(scope, ("demo_request", 0))

    happen(scope, ("refund", 1), ("demo_request", 2))

    assert len(emitted(scope)) == 1


def test_decay_that_takes_a_score_below_a_milestone_is_told(scope, security):
    make_decay(scope, 1, "hours", 10)
    make_trigger(scope, Milestone(80), notify_owner=True)
    now = utc_now()
    send(scope, make_event("demo_request", timestamp=now))
    settle(scope)
    owned(scope, security)

    for _ in rescore.settle_decay(scope, now=now + timedelta(hours=1, seconds=1)):
        pass

    assert emitted(scope)[1:] == [("lead", "DECAY", "fell below 80 points, to 70")]
    assert len(destinations(scope)) == 1


def test_a_muted_kind_is_not_told(scope, security):
    make_trigger(scope, Milestone(80), notify_owner=True)
    happen(scope, ("page_view", 0))
    member = owned(scope, security)
    muted = Preferences(muted=frozenset({Happening.MILESTONE_REACHED}))
    preferences.save_preferences(scope, member.org_member_id, muted, now=utc_now())

    happen(scope, ("demo_request", 1))

    assert len(emitted(scope)) == 1
    assert destinations(scope) == []


# Sequences, patterns, surges


def test_a_sequence_is_complete_across_batches_and_in_order_only(scope):
    make_trigger(scope, Sequence((Step("pricing"), Step("demo_request")), 2 * 86400, ordered=True))

    happen(scope, ("demo_request", 0), ("pricing", 1))
    assert emitted(scope) == []
    happen(scope, ("demo_request", 2))

    assert emitted(scope) == [
        ("lead", "demo_request", "did pricing, then demo_request within 2 days")
    ]


def test_a_sequence_that_takes_longer_than_its_window_is_none(scope):
    make_trigger(scope, Sequence((Step("pricing"), Step("demo_request")), 60, ordered=True))

    happen(scope, ("pricing", 0), ("demo_request", 1.1))

    assert emitted(scope) == []


def test_a_late_event_completes_a_sequence(scope):
    make_trigger(scope, Sequence((Step("pricing"), Step("demo_request")), 3600, ordered=True))
    happen(scope, ("demo_request", 10))

    happen(scope, ("pricing", 5))

    assert [event_type for _, event_type, _ in emitted(scope)] == ["pricing"]


def test_a_step_looks_at_metadata(scope):
    step = Step("page_view", (FieldTest("url", "contains", "pricing"),))
    make_trigger(scope, Sequence((step, Step("demo_request")), 3600))

    happen(scope, ("page_view", 0), ("demo_request", 1), metadata={"url": "/blog"}, lead_id="a")
    happen(scope, ("page_view", 0), ("demo_request", 1), metadata={"url": "/pricing"}, lead_id="b")

    assert [lead for lead, *_ in emitted(scope)] == ["b"]


def test_a_pattern_needs_all_its_counts(scope):
    make_trigger(scope, Pattern((Count(Step("page_view"), 3), Count(Step("demo_request"))), 3600))

    happen(scope, ("page_view", 0), ("demo_request", 1), ("page_view", 2))
    assert emitted(scope) == []
    happen(scope, ("page_view", 3))

    assert [event_type for _, event_type, _ in emitted(scope)] == ["page_view"]


def test_a_surge_is_told_once_and_again_when_as_many_events_follow(scope):
    make_trigger(scope, Surge(3, 600), fire_mode=FireMode.ALWAYS)

    happen(scope, *[("page_view", minute) for minute in range(5)])
    assert len(emitted(scope)) == 1
    happen(scope, ("page_view", 5))

    assert len(emitted(scope)) == 2


def test_suppressed_events_take_no_part(scope):
    make_velocity_filter(scope, threshold=2, seconds=600)
    make_trigger(scope, Surge(3, 600))

    happen(scope, *[("page_view", minute) for minute in range(5)])

    assert emitted(scope) == []


# For whom, and to whom


def test_filters_are_tested_on_the_lead_as_the_event_leaves_it(scope):
    make_trigger(scope, Milestone(80), filters=Filters(engagement_levels=("Hot",)), name="hot")
    make_trigger(scope, Milestone(80), filters=Filters(engagement_levels=("Very Hot",)), name="v")

    happen(scope, ("demo_request", 0))

    names = driver().execute(
        "SELECT trigger_name FROM emitted_events WHERE unit_id = %s", (scope.unit_id,)
    )
    assert names.fetchall() == [("v",)]


def test_each_destination_gets_one_delivery(scope):
    make_trigger(
        scope, Milestone(80), webhook_url="https://a.example.com",
        emails=("x@y.example", "z@y.example"),
        slack_target_kind="channel", slack_target_id="C1",
        teams_target_id="https://t.example.com/w", hubspot_sync=True,
    )  # fmt: skip

    happen(scope, ("demo_request", 0))

    assert destinations(scope) == [
        ("email", "x@y.example", "waiting"),
        ("email", "z@y.example", "waiting"),
        ("hubspot", scope.unit_id.hex, "waiting"),
        ("slack", "channel:C1", "waiting"),
        ("teams", "https://t.example.com/w", "waiting"),
        ("webhook", "https://a.example.com", "waiting"),
    ]


def test_the_notice_holds_the_lead_its_cause_and_its_reasons(scope):
    trigger = make_trigger(scope, Milestone(80))

    happen(
        scope, ("page_view", 0), ("page_view", 1), ("demo_request", 2),
        email="ada@example.com", metadata={"plan": "pro"},
    )  # fmt: skip

    [document] = (
        driver()
        .execute("SELECT document FROM notices WHERE unit_id = %s", (scope.unit_id,))
        .fetchone()
    )
    assert document["event"] == "milestone.reached"
    assert document["trigger"]["trigger_id"] == str(trigger.trigger_id)
    assert document["lead"]["best_alias"] == "ada@example.com"
    assert document["lead"]["email"] == "ada@example.com"
    assert document["lead"]["engagement_level"] == "Very Hot"
    assert document["cause"]["event_type"] == "demo_request"
    assert document["cause"]["metadata"] == {"plan": "pro"}
    assert document["reasons"] == [
        {"event_type": "demo_request", "points": 80, "count": 1},
        {"event_type": "page_view", "points": 20, "count": 2},
    ]
    assert [it["event_type"] for it in document["recent"]] == [
        "demo_request", "page_view", "page_view",
    ]  # fmt: skip


def test_a_fault_among_triggers_keeps_no_event_from_being_scored(scope, monkeypatch, caplog):
    make_trigger(scope, Milestone(80))

    def fail(*_args, **_kwargs):
        raise RuntimeError("a fault")

    monkeypatch.setattr(firing, "emit", fail)
    happen(scope, ("demo_request", 0))

    [score] = (
        driver().execute("SELECT score FROM leads WHERE unit_id = %s", (scope.unit_id,)).fetchone()
    )
    assert score == 80
    assert "could not be tested" in caplog.text


def test_an_event_that_breaks_its_batch_keeps_the_others_from_nothing(scope):
    make_trigger(scope, Milestone(80))
    send(scope, make_event("demo_request", lead_id="a"))
    broken = intake.arrive(make_event("x", lead_id="b"), source="test", now=utc_now())
    events.post_arrival(scope, broken._replace(payload='{"event_type": "broken"}'))
    send(scope, make_event("demo_request", lead_id="c"))

    settle(scope)

    assert sorted(lead for lead, *_ in emitted(scope)) == ["a", "c"]


def test_a_trigger_that_goes_while_it_fires_takes_nothing_along(scope, monkeypatch):
    doomed = make_trigger(scope, Milestone(80), name="doomed")
    make_trigger(scope, Milestone(80), name="kept", emails=("x@y.example",))
    known = firing.queries.list_active_triggers(scope)
    monkeypatch.setattr(firing.queries, "list_active_triggers", lambda _scope: known)
    driver().execute("DELETE FROM triggers WHERE trigger_id = %s", (doomed.trigger_id,))

    happen(scope, ("demo_request", 0))

    assert ("email", "x@y.example", "waiting") in destinations(scope)
