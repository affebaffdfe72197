"""What counts as usage: events that came in, in the month in which they did, and each once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from leadvibe.events import usage
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.metrics.usage import get_usage
from leadvibe.pipeline import intake, process, returning
from leadvibe.pipeline.scorebook import current_config
from leadvibe.scoring import policies
from tests.factories import (
    make_decay,
    make_event,
    make_metadata_filter,
    make_organization,
    make_principal,
    make_rule,
    make_scope,
)
from tests.pipeline.stored import settle

MARCH = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
APRIL = MARCH + timedelta(seconds=1)


@pytest.fixture
def scope(app) -> Scope:
    return make_scope()


def receive(scope, *events, at=MARCH, source="test"):
    intake.accept(scope, events, source=source, now=at)
    commit()
    process.drain(scope)


def used(scope, *, since=date(2026, 1, 1)):
    return {month: events for _, month, events in usage.list_usage(scope.org_id, since=since)}


def test_events_count_in_the_month_in_which_they_came_in(scope):
    long_ago = make_event(timestamp=datetime(2025, 6, 1, tzinfo=UTC))

    receive(scope, make_event(), long_ago)
    receive(scope, make_event(), at=APRIL)

    assert used(scope) == {date(2026, 3, 1): 2, date(2026, 4, 1): 1}
    assert used(scope, since=date(2026, 4, 1)) == {date(2026, 4, 1): 1}


def test_a_month_ends_by_utc_wherever_the_clock_stands():
    in_tokyo = datetime.fromisoformat("2026-04-01T08:59:59+09:00")

    assert usage.month_of(in_tokyo) == date(2026, 3, 1)


def test_a_message_that_came_twice_counts_once(scope):
    event = make_event(event_id="m-1")

    receive(scope, event, event)
    receive(scope, event, at=APRIL)

    assert used(scope) == {date(2026, 3, 1): 1}


def test_suppressed_events_count_and_those_of_the_sample_do_not(scope):
    make_metadata_filter(scope, ("bot", "equals", "yes"))

    receive(scope, make_event(metadata={"bot": "yes"}))
    receive(scope, make_event(), source=usage.SAMPLE_SOURCE)

    assert used(scope) == {date(2026, 3, 1): 1}


def test_what_leadvibe_itself_writes_does_not_count(scope):
    make_rule(scope, weight=50)
    make_decay(scope)
    now = utc_now()
    receive(scope, make_event(timestamp=now), at=now)

    assert settle(scope, now + timedelta(days=2)) == 1

    assert used(scope) == {usage.month_of(now): 1}


def test_an_event_that_goes_back_to_the_inbox_is_not_counted_twice(scope):
    made = make_metadata_filter(scope, ("bot", "equals", "yes"))
    nobodys = make_event(cookie="c-1", metadata={"bot": "yes"})
    receive(scope, nobodys, make_event())
    policies.delete_metadata_filter(make_principal(scope), scope, made.item_id, now=utc_now())

    stretch = returning.send_back(scope, current_config(scope))

    assert stretch.events == 1
    assert used(scope) == {date(2026, 3, 1): 1}
    process.drain(scope)
    assert used(scope) == {date(2026, 3, 1): 2}


def test_usage_is_that_of_all_units_of_the_organisation_and_of_no_other(app):
    acme = make_organization()
    first, second, other = make_scope(acme), make_scope(acme), make_scope()
    for scope, events in ((first, 3), (second, 2), (other, 7)):
        receive(scope, *(make_event() for _ in range(events)))

    found = get_usage(first, limit=4, now=MARCH)

    assert (found.current.month, found.current.events) == (date(2026, 3, 1), 5)
    assert (found.current.overage, found.unit_events) == (1, 3)


def test_the_last_twelve_months_are_told_across_the_year(scope):
    receive(scope, make_event(), at=datetime(2025, 4, 1, tzinfo=UTC))
    receive(scope, make_event(), at=datetime(2025, 3, 31, tzinfo=UTC))

    months = get_usage(scope, limit=None, now=MARCH).months

    assert len(months) == 12
    assert (months[0].month, months[0].events) == (date(2025, 4, 1), 1)
    assert (months[-1].month, months[-1].events) == (date(2026, 3, 1), 0)
    assert [it.month for it in months] == sorted(it.month for it in months)
