from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.engine.triggers import Milestone, TriggerKind
from leadvibe.events import queries as event_queries
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports.sample import SAMPLE_RULESETS
from leadvibe.imports.sample.audiences import NOWHERE, SAMPLE_SEGMENTS
from leadvibe.imports.sample_load import (
    FIRES_FOR,
    SampleReport,
    load_sample,
    wipe_sample,
)
from leadvibe.leads.record_checks import find_wrong
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import process, rescore
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import snapshots
from leadvibe.segments.queries import list_segments
from leadvibe.segments.service import create_segment, update_segment
from leadvibe.triggers.queries import list_emitted, list_triggers
from leadvibe.triggers.service import update_trigger
from leadvibe.triggers.types import EmittedFilter
from tests.factories import (
    make_decay,
    make_event,
    make_metadata_filter,
    make_principal,
    make_rule,
    make_scope,
    make_trigger,
    send,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TABLES = (
    "events", "score_entries", "lead_scores", "lead_sessions", "leads", "lead_search",
    "lead_aliases", "lead_alias_conflicts", "rules", "event_types", "source_tallies", "inbox",
    "score_snapshots", "lead_records", "lead_status_changes",
)  # fmt: skip


@pytest.fixture
def scope(app) -> Scope:
    return make_scope()


@pytest.fixture
def principal(scope) -> Principal:
    return make_principal(scope)


def load(principal: Principal, scope: Scope) -> SampleReport:
    report = load_sample(principal, scope, now=NOW, leads=60, events=900)
    commit()
    process.drain(scope)
    return report


def wipe(principal: Principal, scope: Scope):
    report = wipe_sample(principal, scope, now=utc_now())
    commit()
    return report


def count(scope: Scope, table: str, where: str = "true") -> int:
    [number] = (
        driver()
        .execute(f"SELECT count(*) FROM {table} WHERE unit_id = %s AND {where}", (scope.unit_id,))
        .fetchone()
    )
    return number


def an_email(scope: Scope) -> str:
    """Return the address of one of the sample's leads with points."""
    [email] = (
        driver()
        .execute(
            """
        SELECT a.raw_value FROM lead_aliases a JOIN leads l USING (unit_id, lead_id)
        WHERE l.unit_id = %s AND a.kind = 'email' ORDER BY l.score DESC LIMIT 1
        """,
            (scope.unit_id,),
        )
        .fetchone()
    )
    return email


def assert_scores_are_right(scope: Scope) -> None:
    assert [one for step in rescore.verify(scope) for one in step.found] == []


def test_the_sample_is_loaded_scored_and_right(scope, principal):
    report = load(principal, scope)

    assert (report.leads, report.events) == (60, 900)
    assert count(scope, "leads") == 60
    assert count(scope, "events", f"source = '{SAMPLE_SOURCE}'") == 900
    assert count(scope, "leads", "score > 0") > 20
    assert event_queries.count_dead_letters(scope) == 0
    assert_scores_are_right(scope)


def test_sample_leads_are_named_described_and_as_old_as_their_first_event(scope, principal):
    load(principal, scope)

    ages = (
        driver()
        .execute(
            """
        SELECT l.created_at = min(e.occurred_at) FROM leads l
        JOIN events e USING (unit_id, lead_id) WHERE l.unit_id = %s
        GROUP BY l.lead_id, l.created_at
        """,
            (scope.unit_id,),
        )
        .fetchall()
    )
    assert ages == [(True,)] * 60
    assert count(scope, "leads", "metadata ? 'company' AND name <> lead_id") > 20


def test_sample_leads_have_a_record_and_its_history(scope, principal):
    load(principal, scope)

    statuses = "status <> 'not_contacted'"
    assert count(scope, "lead_records", statuses) > 0
    assert count(scope, "lead_records", f"{statuses} AND updated_at < created_at") == 0
    assert count(scope, "leads", "metadata ? 'lead_status'") == count(
        scope, "lead_records", statuses
    )
    assert count(scope, "lead_records", "source IS NOT NULL") > 20
    assert count(scope, "lead_records", "next_call_at IS NOT NULL AND next_call_at < now()") > 0
    assert find_wrong(scope) == []


def test_the_samples_rules_join_the_units_own_and_never_replace_them(scope, principal):
    own = make_rule(scope, "page_view", 77)

    report = load(principal, scope)

    rules = score_queries.list_rules(scope)
    assert score_queries.get_rule(scope, own.rule_id).weight == 77
    assert report.rules == sum(len(ruleset.rules) for ruleset in SAMPLE_RULESETS) - 1
    assert {rule.created_by for rule in rules} == {SAMPLE_SOURCE, "test"}
    assert [ruleset.name for ruleset in score_queries.list_rulesets(scope)] == [
        "Engagement",
        "Product usage",
    ]


def test_loading_twice_loads_once(scope, principal):
    load(principal, scope)

    again = load(principal, scope)

    assert not again.is_new
    assert count(scope, "events") == 900


def test_wiping_takes_all_of_it_out_again(scope, principal):
    load(principal, scope)
    assert snapshots.take_snapshots(scope, now=utc_now()) > 0

    report = wipe(principal, scope)

    assert (report.events, report.leads, report.rulesets) == (900, 60, 1)
    assert {table: count(scope, table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert [ruleset.name for ruleset in score_queries.list_rulesets(scope)] == ["Engagement"]
    assert_scores_are_right(scope)


def test_the_sample_brings_segments_and_a_trigger_of_each_kind(scope, principal):
    load(principal, scope)

    triggers = list_triggers(scope)
    assert {it.kind for it in triggers} == set(TriggerKind)
    assert all(it.active for it in triggers)
    assert {it.recipients.webhook_url for it in triggers} == {NOWHERE}
    assert len(list_segments(scope)) == 3
    assert count(scope, "deliveries") == 0

    wipe(principal, scope)

    assert list_triggers(scope) == []
    assert list_segments(scope) == []
    assert count(scope, "destinations") == 0


def test_the_samples_triggers_fire_for_its_last_month_and_tell_nobody(scope, principal):
    load_sample(principal, scope, now=NOW, leads=60, events=900)
    [milestone] = list_triggers(scope, TriggerKind.MILESTONE)
    own = make_trigger(scope, Milestone(score_threshold=3))
    by = replace(principal, label=SAMPLE_SOURCE)
    fields = {"score_threshold": 3}
    update_trigger(by, scope, milestone.kind, milestone.trigger_id, fields, now=NOW)
    commit()

    process.drain(scope)

    fired = list_emitted(scope, None, EmittedFilter(), PageRequest(1, 100))
    assert milestone.trigger_id in {it.trigger_id for it in fired}
    assert own.trigger_id not in {it.trigger_id for it in fired}
    assert all(it.fired_at == it.occurred_at >= NOW - FIRES_FOR for it in fired)
    assert count(scope, "notices") == count(scope, "deliveries") == 0

    wipe(principal, scope)

    assert count(scope, "emitted_events") == 0


def test_what_somebody_changed_of_the_samples_stays(scope, principal):
    load(principal, scope)
    trigger, segment = list_triggers(scope)[0], list_segments(scope)[0]
    update_trigger(
        principal, scope, trigger.kind, trigger.trigger_id, {"active": False}, now=utc_now()
    )
    update_segment(principal, scope, segment.segment_id, {"name": "Ours"}, now=utc_now())
    commit()

    wipe(principal, scope)

    assert [it.trigger_id for it in list_triggers(scope)] == [trigger.trigger_id]
    assert [it.name for it in list_segments(scope)] == ["Ours"]


def test_a_name_that_is_taken_is_not_taken_twice(scope, principal):
    mine = {"name": SAMPLE_SEGMENTS[0].name, "description": "", "active": True}
    create_segment(principal, scope, mine, now=utc_now())

    load(principal, scope)

    assert len(list_segments(scope)) == 3
    wipe(principal, scope)
    assert [it.created_by for it in list_segments(scope)] == [principal.label]


def test_wiping_takes_out_what_decay_wrote_about_the_sample(scope, principal):
    make_decay(scope, 1, "days", 1)
    load(principal, scope)
    assert sum(rescore.settle_decay(scope, now=utc_now() + timedelta(days=2))) > 0

    report = wipe(principal, scope)

    assert (report.leads, report.rescored) == (60, 0)
    assert {table: count(scope, table) for table in TABLES} == dict.fromkeys(TABLES, 0)


def test_wiping_takes_out_what_filters_put_aside_without_a_lead(scope, principal):
    make_metadata_filter(scope, ("agent", "exists", None))
    load(principal, scope)
    scanned = make_event(email="nobody@example.com", metadata={"agent": "bot"})
    send(scope, scanned, source=SAMPLE_SOURCE)
    send(scope, make_event(email=an_email(scope)))
    commit()
    process.drain(scope)
    assert count(scope, "events", "lead_id IS NULL") == 1

    report = wipe(principal, scope)

    assert (report.events, report.rescored) == (901, 1)
    assert count(scope, "events") == 1
    assert_scores_are_right(scope)


def test_wiping_twice_finds_nothing_more_and_the_sample_can_be_loaded_again(scope, principal):
    load(principal, scope)
    wipe(principal, scope)

    assert wipe(principal, scope).events == 0
    assert load(principal, scope).is_new


def test_wiping_before_the_pipeline_came_by_empties_the_inbox(scope, principal):
    load_sample(principal, scope, now=NOW, leads=60, events=900)
    commit()
    send(scope, make_event(lead_id="real"))

    report = wipe(principal, scope)

    assert (report.waiting, report.events) == (900, 0)
    assert event_queries.inbox_status(scope).waiting == 1


def test_what_is_real_stays_and_a_lead_that_is_both_is_rescored(scope, principal):
    make_rule(scope, "real_event", 7)
    send(scope, make_event("real_event", lead_id="real", timestamp=NOW))
    commit()
    process.drain(scope)
    load(principal, scope)
    email = an_email(scope)
    send(scope, make_event("real_event", email=email, timestamp=NOW + timedelta(hours=1)))
    commit()
    process.drain(scope)

    report = wipe(principal, scope)

    assert report.rescored == 1
    assert report.leads == 59
    leads = driver().execute(
        "SELECT score, event_count FROM leads WHERE unit_id = %s", (scope.unit_id,)
    )
    assert leads.fetchall() == [(7, 1), (7, 1)]
    assert [rule.event_type for rule in score_queries.list_rules(scope)] == ["real_event"]
    assert_scores_are_right(scope)


def test_somebody_who_is_known_already_keeps_their_name(scope, principal):
    load(principal, scope)
    email = an_email(scope)
    wipe(principal, scope)
    send(scope, make_event(lead_id="mine", email=email))
    commit()
    process.drain(scope)
    driver().execute("""UPDATE leads SET metadata = '{"name": "Mine"}' WHERE lead_id = 'mine'""")

    load(principal, scope)

    [metadata] = driver().execute("SELECT metadata FROM leads WHERE lead_id = 'mine'").fetchone()
    assert metadata == {"name": "Mine"}


def test_the_sample_of_one_unit_is_no_business_of_another(scope, principal):
    elsewhere = make_scope()
    load(principal, scope)

    assert wipe(make_principal(elsewhere), elsewhere).events == 0
    assert count(scope, "events") == 900
