"""Totals that nobody counts are those that somebody would count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from leadvibe.leads import histograms
from leadvibe.leads.histograms import Moment
from leadvibe.lib.db import driver, session
from tests.effort import examples
from tests.factories import make_organization, make_unit

EVER, NEVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGES = [
    "UPDATE leads SET score = score + mod(score, 7)",
    "UPDATE leads SET score = 0, last_event_type = NULL, last_event_at = NULL WHERE score > 50",
    "UPDATE leads SET last_event_at = last_event_at + interval '40 minutes'",
    "UPDATE leads SET last_event_type = 'other', name = 'Ana'",
    "UPDATE leads SET merged_into = 'ld_1' WHERE mod(score, 3) = 0",
    "UPDATE leads SET merged_into = '' WHERE mod(score, 5) = 0",
    "UPDATE leads SET merged_into = NULL, created_at = created_at - interval '1 day'",
    "UPDATE leads SET name = name",
    "DELETE FROM leads WHERE mod(score, 4) = 0",
    "DELETE FROM leads",
]
QUIET = settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
times = st.integers(0, 4 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))


@pytest.fixture
def scope(app):
    return make_unit(make_organization()).scope


def fill(scope, count=100):
    driver().execute(
        """
        INSERT INTO leads (unit_id, lead_id, name, source, created_at, updated_at, score,
                           last_event_at, last_event_type)
        SELECT %(unit)s, 'ld_' || n, 'Name', 'api', %(noon)s + n * interval '7 minutes', now(),
               mod(n * 37, 101), %(noon)s + n * interval '11 minutes', 'type_' || mod(n, 5)
        FROM generate_series(1, %(count)s) n
        """,
        {"unit": scope.unit_id, "noon": NOON, "count": count},
    )


def wrong(scope):
    return [bucket.name for bucket in histograms.find_wrong(scope)]


@given(st.lists(st.sampled_from(CHANGES), max_size=4))
@QUIET
def test_whatever_becomes_of_leads_the_histograms_know(scope, changes):
    with session().begin_nested() as savepoint:
        fill(scope)
        for change in changes:
            session().execute(text(change))
            assert wrong(scope) == []
        savepoint.rollback()


def test_each_unit_has_histograms_of_its_own(scope):
    other = make_unit(make_organization()).scope
    fill(scope)
    fill(other, 7)
    driver().execute("DELETE FROM leads WHERE unit_id = %s", (scope.unit_id,))

    assert wrong(scope) == wrong(other) == []
    assert histograms.count_scores(scope, [(0, 200)]) == 0
    assert histograms.count_scores(other, [(0, 200)]) == 7


@given(since=st.none() | times, before=st.none() | times, moment=st.sampled_from(list(Moment)))
@QUIET
def test_any_time_has_as_many_leads_as_are_counted(scope, since, before, moment):
    column = {Moment.CREATED: "created_at", Moment.ACTIVE: "last_event_at"}[moment]
    with session().begin_nested() as savepoint:
        fill(scope, 20)
        counted = session().scalar(
            text(
                f"SELECT count(*) FROM leads WHERE unit_id = :unit"
                f" AND {column} >= :since AND {column} < :before"
            ),
            {"unit": scope.unit_id, "since": since or EVER, "before": before or NEVER},
        )

        assert histograms.count_between(scope, moment, since=since, before=before) == counted
        savepoint.rollback()


def test_leads_in_several_ranges_of_scores_count_once(scope):
    fill(scope)

    overlapping = histograms.count_scores(scope, [(0, 60), (40, 100), (200, 300)])

    assert overlapping == 100
    assert histograms.count_scores(scope, []) == 0


def test_what_is_wrong_is_named_and_put_right(scope):
    fill(scope)
    session().execute(text("UPDATE lead_histograms SET leads = leads + 1 WHERE label = 'type_1'"))
    session().execute(text("DELETE FROM lead_histograms WHERE facet = 'score' AND bucket = 37"))

    assert wrong(scope) == ["leads by event_type type_1", "leads by score 37"]

    histograms.recount(scope)
    assert wrong(scope) == []
