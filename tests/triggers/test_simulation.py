"""What a trigger would have done: the engine over stored history, and nothing is written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadvibe import schema
from leadvibe.engine.crossings import count_rises
from leadvibe.engine.firing import Pace
from leadvibe.engine.patterns import Act, find_firings
from leadvibe.engine.policies import FieldTest, Reach
from leadvibe.engine.triggers import (
    ANY_TYPE,
    Count,
    Filters,
    FireMode,
    Milestone,
    Pattern,
    Step,
    Surge,
    window_of,
)
from leadvibe.engine.triggers import Sequence as Steps
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import editing, process
from leadvibe.scoring import event_types
from leadvibe.scoring.lead_scores import list_ledger
from leadvibe.scoring.queries import find_primary
from leadvibe.triggers import simulation
from leadvibe.triggers.simulation import simulate
from leadvibe.triggers.types import Setup
from tests.effort import examples
from tests.factories import (
    make_event,
    make_metadata_filter,
    make_principal,
    make_rule,
    make_ruleset,
    make_scope,
    send,
)

DAY = 24 * 60 * 60
NOW = utc_now().replace(microsecond=0)


@pytest.fixture
def scope(app):
    """Return a unit in which `a` gives 10 points and `b` takes 10."""
    scope = make_scope()
    make_rule(scope, "a", 10)
    make_rule(scope, "b", -10)
    commit()
    return scope


def happen(scope, *done, lead_id="lead"):
    """Let events happen, each given as its type and how many hours ago, with its metadata."""
    arrivals = [
        make_event(
            event_type,
            lead_id=lead_id,
            timestamp=NOW - timedelta(hours=ago),
            metadata=dict(*metadata),
        )
        for event_type, ago, *metadata in done
    ]
    send(scope, *arrivals)
    commit()
    process.drain(scope)


def tried(scope, shape, *, days=30, lead_id=None, filters=Filters(), **pace):  # noqa: B008
    setup = Setup(shape=shape, filters=filters, **pace)
    return simulate(scope, setup, days=days, now=NOW, lead_id=lead_id)


def counts_of(found):
    return {it.lead_id: it.count for it in found.leads}


ALWAYS = {"fire_mode": FireMode.ALWAYS}
STEPS = Steps((Step("a"), Step("b")), DAY, ordered=True)


class TestEvents:
    def test_whoever_took_the_steps_within_the_window_matches(self, scope):
        happen(scope, ("a", 10), ("b", 9), lead_id="ana")
        happen(scope, ("b", 10), ("a", 9), lead_id="bo")
        happen(scope, ("a", 100), ("b", 9), lead_id="cy")

        found = tried(scope, STEPS)

        [lead] = found.leads
        assert (lead.lead_id, lead.event_type, lead.count) == ("ana", "b", 1)
        assert lead.fired_at == NOW - timedelta(hours=9)
        assert (found.total, found.firings) == (1, 1)

    def test_what_completes_before_the_span_does_not_count_and_may_take_part(self, scope):
        happen(scope, ("a", 30), ("b", 26), lead_id="ana")
        happen(scope, ("a", 25), ("b", 23), lead_id="bo")

        assert counts_of(tried(scope, STEPS, days=1)) == {"bo": 1}

    def test_what_lies_in_the_future_has_not_happened(self, scope):
        happen(scope, ("a", 1), ("b", -1))

        assert tried(scope, STEPS).total == 0

    def test_once_and_always_and_a_cooldown_are_honoured(self, scope):
        happen(scope, ("a", 9), ("a", 8), ("a", 5))
        shape = Surge(1, DAY, "a")

        assert tried(scope, shape).firings == 1
        assert tried(scope, shape, **ALWAYS).firings == 3
        assert tried(scope, shape, **ALWAYS, cooldown_seconds=2 * 60 * 60).firings == 2

    def test_patterns_ask_for_metadata(self, scope):
        happen(scope, ("a", 3, {"plan": "pro"}), ("a", 2, {"plan": "free"}), lead_id="ana")
        happen(scope, ("a", 3, {"plan": "free"}), ("a", 2), lead_id="bo")
        pro = Step("a", (FieldTest("plan", "equals", "pro"),))

        assert counts_of(tried(scope, Pattern((Count(pro), Count(Step("a"), 2)), DAY))) == {
            "ana": 1
        }

    def test_suppressed_events_count_for_nothing(self, scope):
        make_metadata_filter(scope, ("agent", "contains", "bot"))
        happen(scope, ("a", 2, {"agent": "bot"}))

        assert tried(scope, Surge(1, DAY)).total == 0

    @pytest.mark.parametrize("decided", [{"hidden": True}, {"reach": Reach.DECIDE}], ids=str)
    def test_types_that_are_hidden_or_must_not_activate_are_not_heard(self, scope, decided):
        happen(scope, ("a", 2))
        decide(scope, "a", **decided)

        assert tried(scope, Surge(1, DAY)).total == 0
        assert tried(scope, Surge(1, DAY, "a")).total == 0
        assert tried(scope, Milestone(5)).total == 0

    def test_what_leadvibe_writes_itself_is_no_event_of_a_lead(self, scope):
        happen(scope, ("a", 2))

        assert tried(scope, Surge(2, DAY, ANY_TYPE)).total == 0


class TestScores:
    def test_a_score_that_rises_to_the_threshold_matches_each_time(self, scope):
        happen(scope, ("a", 5), ("a", 4), ("b", 3), ("a", 2), lead_id="ana")
        happen(scope, ("a", 5), lead_id="bo")

        found = tried(scope, Milestone(20), **ALWAYS)

        [lead] = found.leads
        assert (lead.lead_id, lead.score, lead.count) == ("ana", 20, 2)
        assert lead.fired_at == NOW - timedelta(hours=2)

    def test_only_events_of_a_type_count_when_one_is_named(self, scope):
        happen(scope, ("a", 5))

        assert tried(scope, Milestone(10, "a")).total == 1
        assert tried(scope, Milestone(10, "b")).total == 0

    def test_what_several_entries_make_of_one_event_is_one_step(self, scope):
        happen(scope, ("a", 2))
        driver().execute(
            """
            INSERT INTO score_entries
            SELECT unit_id, lead_id, ruleset_id, 2, event_id, rule_id, version, kind, -7,
                   multiplier_percent, 10, -7, 3, occurred_at
            FROM score_entries WHERE unit_id = %s
            """,
            (scope.unit_id,),
        )

        assert tried(scope, Milestone(5)).total == 0
        assert tried(scope, Milestone(3)).leads[0].score == 3

    def test_another_ruleset_has_scores_of_its_own(self, scope):
        second = make_ruleset(scope)
        make_rule(scope, "a", 50, ruleset=second)
        commit()
        happen(scope, ("a", 2))

        assert tried(scope, Milestone(50)).total == 0
        assert tried(scope, Milestone(50, ruleset_id=second.ruleset_id)).total == 1

    def test_who_was_there_before_the_span_does_not_match(self, scope):
        happen(scope, ("a", 30), ("a", 2))

        assert tried(scope, Milestone(10), days=1).total == 0
        assert tried(scope, Milestone(20), days=1).total == 1


class TestLeads:
    def test_one_lead_alone_may_be_asked_about(self, scope):
        for lead_id in ("ana", "bo"):
            happen(scope, ("a", 2), lead_id=lead_id)

        assert counts_of(tried(scope, Surge(1, DAY), lead_id="bo")) == {"bo": 1}
        assert counts_of(tried(scope, Milestone(10), lead_id="bo")) == {"bo": 1}

    def test_filters_ask_what_leads_are_now(self, scope):
        happen(scope, ("a", 2), lead_id="ana")
        happen(scope, ("a", 2), lead_id="bo")
        editing.patch_lead(scope, "bo", {"plan": "pro"}, now=NOW)
        commit()
        only = Filters(attribute_tests=(FieldTest("plan", "equals", "pro"),))

        found = tried(scope, Surge(1, DAY), filters=only)

        assert counts_of(found) == {"bo": 1}
        assert (found.total, found.left_out) == (1, 1)

    def test_the_newest_are_shown_and_all_are_counted(self, scope, monkeypatch):
        monkeypatch.setattr(simulation, "SHOWN", 2)
        monkeypatch.setattr(simulation, "LEADS_AT_ONCE", 2)
        for hours, lead_id in ((5, "ana"), (1, "bo"), (3, "cy"), (4, "di"), (2, "ed")):
            happen(scope, ("a", hours), lead_id=lead_id)

        found = tried(scope, Surge(1, DAY))

        assert [it.lead_id for it in found.leads] == ["bo", "ed"]
        assert found.total == found.firings == 5

    def test_leads_of_another_unit_are_not_there(self, scope):
        happen(scope, ("a", 2))

        assert tried(make_scope(), Surge(1, DAY)).total == 0
        assert tried(make_scope(), Milestone(1)).total == 0


def test_nothing_is_written(scope, statements):
    happen(scope, ("a", 2), ("b", 1))
    before = rows_of_all_tables()
    statements.clear()

    for shape in (Milestone(10), STEPS, Surge(1, DAY), Pattern((Count(Step("a")),), DAY)):
        assert tried(scope, shape).total == 1

    assert not [it for it in statements if it.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert rows_of_all_tables() == before


TYPES = st.sampled_from("ab")
WHEN = st.integers(0, 72)
DONE = st.lists(st.tuples(TYPES, WHEN), min_size=1, max_size=10)
STEP = st.sampled_from([Step("a"), Step("b"), Step()])
SHAPES = st.one_of(
    st.builds(
        Steps,
        st.lists(STEP, min_size=1, max_size=3).map(tuple),
        st.integers(1, 48).map(lambda hours: hours * 3600),
        st.booleans(),
    ),
    st.builds(Surge, st.integers(1, 3), st.just(DAY), st.sampled_from(["a", ANY_TYPE])),
)


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(done=DONE, shape=SHAPES, mode=st.sampled_from(FireMode), days=st.integers(1, 3))
def test_it_says_what_the_engine_says(app, done, shape, mode, days):
    scope = make_scope()
    make_rule(scope, "a", 10)
    make_rule(scope, "b", -7)
    commit()
    happen(scope, *done)
    since = NOW - timedelta(days=days)

    found = tried(scope, shape, days=days, fire_mode=mode)

    back = since - window_of(shape)
    acts = [it for it in stored_acts(scope, since) if it.occurred_at >= back]
    matches = list(find_firings(shape, acts, Pace(mode, timedelta(0)), None))
    assert found.firings == len(matches)
    if matches:
        assert found.leads[0].fired_at == matches[-1].acts[-1].occurred_at


@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(done=DONE, threshold=st.integers(-10, 30))
def test_rises_are_those_of_the_ledger(app, done, threshold):
    scope = make_scope()
    make_rule(scope, "a", 10)
    make_rule(scope, "b", -7)
    commit()
    happen(scope, *done)

    found = tried(scope, Milestone(threshold), days=10, fire_mode=FireMode.ALWAYS)

    primary = find_primary(scope)
    assert primary is not None
    ledger = list_ledger(scope, ["lead"]).get("lead", [])
    rises = count_rises([it for it in ledger if it.ruleset_id == primary.ruleset_id], [threshold])
    assert found.firings == rises[threshold]


def stored_acts(scope, since):
    statement = """
        SELECT event_id, event_type, occurred_at, receipt, occurred_at >= %s FROM events
        WHERE unit_id = %s ORDER BY occurred_at, receipt
    """
    rows = driver().execute(statement, (since, scope.unit_id))
    return [Act(*row[:4], {}, row[4]) for row in rows]


def rows_of_all_tables():
    names = [table.name for table in schema.metadata.sorted_tables]
    counted = ", ".join(f"(SELECT count(*) FROM {name})" for name in names)
    return driver().execute(f"SELECT {counted}").fetchone()


def decide(scope, event_type, **decided):
    undecided = {"hidden": None, "reach": None}
    event_types.decide_event_type(
        make_principal(scope), scope, event_type, **{**undecided, **decided}, now=NOW
    )
    commit()
