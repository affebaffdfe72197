"""Counts of what is recorded of leads: triggers keep them as they are, whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.leads import records, statuses
from leadvibe.leads.record_checks import find_wrong
from leadvibe.leads.record_counts import FACETS, Counted, count, count_without, tally
from leadvibe.leads.records import Told
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.db import driver

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def scope(people):
    return people.scope


def record(scope, lead_id, source="api", at=NOON, **metadata):
    records.write_records(scope, [Told(lead_id, lead_id, source, at, metadata, ())], now=at)


def win(scope, lead_id):
    statuses.change_status(scope, lead_id, Outcome.WON, by="x", via="x", now=NOON)


def test_leads_are_counted_as_they_come_change_and_go(scope):
    record(scope, "ann", value=5, gclid="g")
    record(scope, "bo", source="wordpress", value=7)
    win(scope, "ann")

    assert count(scope, Counted()) == 2
    assert count(scope, Counted(outcomes=["won"])) == 1
    assert count(scope, Counted(intakes=["wordpress", "gtm"])) == 1
    assert count(scope, Counted(facet="gclid")) == count_without(scope, Counted(facet="gclid")) == 1
    assert count(scope, Counted(facet="qualified_at", outcomes=["won"])) == 1
    assert [(it.outcome, it.leads, it.value) for it in tally(scope, Counted())] == [
        ("open", 1, 7), ("won", 1, 5),
    ]  # fmt: skip

    record(scope, "ann", value=2)
    records.set_listed(scope, ["bo"], is_listed=False)

    assert count(scope, Counted()) == 1
    assert count(scope, Counted(facet="gclid")) == 0
    assert [it.value for it in tally(scope, Counted())] == [2]

    driver().execute("DELETE FROM lead_records")

    assert tally(scope, Counted()) == []


def test_days_are_those_in_utc(scope):
    record(scope, "ann", at=datetime(2026, 3, 9, 23, 59, tzinfo=UTC))
    record(scope, "bo", at=datetime(2026, 3, 10, tzinfo=UTC))

    day = NOON.date()
    assert count(scope, Counted(since=day)) == count(scope, Counted(before=day)) == 1


def test_days_of_the_last_change_and_of_qualifying_are_counted_as_well(scope):
    record(scope, "ann", at=NOON - timedelta(days=9))
    record(scope, "bo", at=NOON - timedelta(days=9))
    win(scope, "ann")

    def number(time, at, **others):
        day = at.date()
        return count(scope, Counted(since=day, before=day + DAY, day_of=time, **others))

    assert number("created_at", NOON - 9 * DAY) == 2
    assert number("updated_at", NOON - 9 * DAY) == 1
    assert number("updated_at", NOON, outcomes=["won"]) == 1
    assert number("qualified_at", NOON) == count(scope, Counted(day_of="qualified_at")) == 1

    record(scope, "bo", at=NOON + DAY, value=3)
    assert [number("updated_at", NOON + it * DAY) for it in (-9, 0, 1)] == [0, 1, 1]

    records.set_listed(scope, ["ann"], is_listed=False)
    assert count(scope, Counted(day_of="updated_at")) == 1
    assert count(scope, Counted(day_of="qualified_at")) == 0
    assert find_wrong(scope) == []


def test_the_triggers_count_every_facet(scope):
    for number, facet in enumerate(sorted(FACETS - {"qualified_at"})):
        record(scope, f"l{number}", **{facet: 1 if facet == "value" else "x"})
    win(scope, "l0")

    assert {facet: count(scope, Counted(facet=facet)) for facet in FACETS} == dict.fromkeys(
        FACETS, 1
    )


def test_other_units_count_by_themselves(scope, people):
    record(scope, "ann")

    assert count(people.stranger.scope, Counted()) == 0
