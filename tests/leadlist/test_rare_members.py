"""Remembered members: what is remembered says where to look, and never hides anybody."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadvibe.engine.conditions import Joiner
from leadvibe.leadlist import queries, rare_members
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.paging import PageRequest
from leadvibe.segments.membership import Membership
from leadvibe.segments.types import RuleDraft, RuleType
from tests.effort import examples
from tests.factories import make_organization, make_segment, make_unit

pytestmark = pytest.mark.usefixtures("fresh_database")

PLANS = ["pro", "free", "gold"]


@pytest.fixture
def scope(app, monkeypatch):
    monkeypatch.setattr(queries, "STEPS", 0)
    monkeypatch.setattr(rare_members, "WORTH_IT", 0)
    monkeypatch.setattr(rare_members, "WORTH_A_SEARCH", 0)
    scope = make_unit(make_organization()).scope
    commit()
    return scope


@pytest.fixture
def pros(scope):
    """Leads on the plan "pro", for whom a segment asks."""
    make_segment(scope, [plan_is("pro")])
    commit()
    return Membership(scope).of_rules([plan_is("pro")])


def plan_is(plan, **kwargs):
    return RuleDraft(
        rule_type=RuleType.LEAD_METADATA, field="plan", operator="equals", value=plan,
        order=0, **kwargs,
    )  # fmt: skip


def make_lead(scope, lead_id, **metadata):
    leads.create(
        scope, lead_id=lead_id, metadata=metadata, account_id=None, source="api", now=utc_now()
    )


def describe(scope, lead_id, **metadata):
    leads.describe(scope, {lead_id: metadata}, now=utc_now())


def look_ahead():
    commit()
    rare_members.look_ahead(is_stopping=lambda: False)


def members(scope, audience):
    lines = queries.list_members(scope, audience, PageRequest(1, 100))
    assert queries.count_members(scope, audience) == len(lines)
    return {line.lead_id for line in lines}


def look_ahead_until_forgotten():
    """Search until no change is left: a transaction of another database may hold some up."""
    look_ahead()
    for _ in range(50):
        if not changes():
            return
        time.sleep(0.1)
        driver().execute("DELETE FROM rare_members")
        look_ahead()
    raise AssertionError("changes are never forgotten")


def changes():
    return driver().execute("SELECT count(*) FROM lead_changes").fetchone()[0]


def test_nobody_knows_where_members_are_before_a_search(scope, pros):
    make_lead(scope, "ada", plan="pro")
    assert rare_members.where_members_are(scope, pros) is None
    assert members(scope, pros) == {"ada"}


def test_a_search_remembers_who_was_found(scope, pros):
    make_lead(scope, "ada", plan="pro")
    make_lead(scope, "bo", plan="free")
    look_ahead()
    assert rare_members.where_members_are(scope, pros) == ["ada"]
    assert members(scope, pros) == {"ada"}


def test_who_becomes_or_ceases_to_be_a_member_shows_at_once(scope, pros):
    make_lead(scope, "ada", plan="pro")
    make_lead(scope, "bo", plan="free")
    look_ahead()
    describe(scope, "bo", plan="pro")
    describe(scope, "ada", plan="free")
    make_lead(scope, "cleo", plan="pro")
    assert members(scope, pros) == {"bo", "cleo"}
    commit()
    assert members(scope, pros) == {"bo", "cleo"}


def test_a_change_that_was_begun_before_a_search_and_committed_after_it_is_found(scope, pros, app):
    make_lead(scope, "ada", plan="free")
    commit()
    describe(scope, "ada", plan="pro")

    def search_elsewhere():
        with app.app_context():
            rare_members.look_ahead(is_stopping=lambda: False)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(search_elsewhere).result()
    commit()
    assert members(scope, pros) == {"ada"}
    look_ahead()
    assert members(scope, pros) == {"ada"}


def test_changes_are_forgotten_once_every_search_has_seen_them(scope, pros):
    make_lead(scope, "ada", plan="pro")
    look_ahead_until_forgotten()
    describe(scope, "ada", plan="gold")
    commit()
    assert changes() == 1
    look_ahead_until_forgotten()
    assert members(scope, pros) == set()


def test_changes_are_forgotten_where_nobody_searches(scope, monkeypatch):
    monkeypatch.setattr(rare_members, "WORTH_IT", 50)
    make_lead(scope, "ada", plan="pro")
    look_ahead_until_forgotten()


def test_a_score_alone_is_no_change(scope, pros):
    make_lead(scope, "ada", plan="pro")
    look_ahead_until_forgotten()
    driver().execute("UPDATE leads SET score = 50 WHERE unit_id = %s", (scope.unit_id,))
    commit()
    assert changes() == 0


def test_with_too_many_changes_all_leads_are_read(scope, pros, monkeypatch):
    monkeypatch.setattr(rare_members, "MOST_CHANGED", 1)
    look_ahead()
    make_lead(scope, "ada", plan="pro")
    make_lead(scope, "bo", plan="pro")
    commit()
    assert rare_members.where_members_are(scope, pros) is None
    assert members(scope, pros) == {"ada", "bo"}


def test_members_who_are_many_are_not_remembered(scope, pros, monkeypatch):
    monkeypatch.setattr(rare_members, "MOST_REMEMBERED", 1)
    make_lead(scope, "ada", plan="pro")
    make_lead(scope, "bo", plan="pro")
    look_ahead()
    assert rare_members.where_members_are(scope, pros) is None
    assert members(scope, pros) == {"ada", "bo"}


def test_what_no_segment_asks_any_more_is_forgotten(scope, pros):
    make_lead(scope, "ada", plan="pro")
    look_ahead()
    driver().execute("DELETE FROM segments WHERE unit_id = %s", (scope.unit_id,))
    look_ahead()
    assert rare_members.where_members_are(scope, pros) is None


def test_two_units_remember_apart(scope, pros):
    other = make_unit(make_organization("Other")).scope
    make_segment(other, [plan_is("pro")])
    make_lead(scope, "ada", plan="pro")
    make_lead(other, "bo", plan="pro")
    look_ahead()
    assert rare_members.where_members_are(scope, pros) == ["ada"]
    assert rare_members.where_members_are(other, pros) == ["bo"]


def test_rules_of_other_kinds_narrow_nothing_where_they_are_joined_by_or(scope):
    level = RuleDraft(
        rule_type=RuleType.ENGAGEMENT_LEVEL, operator="equals", value="Hot", order=1,
        logic_op=Joiner.OR,
    )  # fmt: skip
    audience = Membership(scope).of_rules([plan_is("pro"), level])
    make_lead(scope, "ada", plan="pro")
    look_ahead()
    assert rare_members.where_members_are(scope, audience) is None


LEAD_IDS = [f"ld_{number}" for number in range(6)]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("describe"), st.sampled_from(LEAD_IDS), st.sampled_from(PLANS)),
        st.tuples(st.just("merge"), st.sampled_from(LEAD_IDS), st.sampled_from([None, "ld_x"])),
        st.tuples(st.just("delete"), st.sampled_from(LEAD_IDS), st.none()),
        st.tuples(st.sampled_from(["search", "commit", "undo"]), st.none(), st.none()),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_in_any_order_of_changes_and_searches_nobody_is_missing(scope, pros, steps):
    for what, lead_id, value in steps:
        if what == "describe":
            put(scope, lead_id, plan=value)
        elif what == "merge":
            driver().execute(
                "UPDATE leads SET merged_into = %s WHERE unit_id = %s AND lead_id = %s",
                (value, scope.unit_id, lead_id),
            )
        elif what == "delete":
            driver().execute(
                "DELETE FROM leads WHERE unit_id = %s AND lead_id = %s", (scope.unit_id, lead_id)
            )
        elif what == "search":
            look_ahead()
        elif what == "commit":
            commit()
        else:
            rollback()
        assert members(scope, pros) == members_by_reading(scope)
    driver().execute("DELETE FROM leads WHERE unit_id = %s", (scope.unit_id,))
    commit()


def put(scope, lead_id, *, plan):
    driver().execute(
        """
        INSERT INTO leads (unit_id, lead_id, name, metadata, source, created_at, updated_at)
        VALUES (%s, %s, '', jsonb_build_object('plan', %s::text), 'test', now(), now())
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET metadata = excluded.metadata
        """,
        (scope.unit_id, lead_id, plan),
    )


def members_by_reading(scope):
    rows = driver().execute(
        """
        SELECT lead_id FROM leads
        WHERE unit_id = %s AND merged_into IS NULL AND metadata->>'plan' = 'pro'
        """,
        (scope.unit_id,),
    )
    return {lead_id for (lead_id,) in rows}
