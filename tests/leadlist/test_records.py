"""Leads by what is recorded of them: conditions, orders, pages, and totals that are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import cycle, product

import pytest

from leadvibe.leadlist import kept_counts, record_pages, record_sql, record_totals
from leadvibe.leadlist.kept_counts import find_kept_count
from leadvibe.leadlist.record_totals import count_records
from leadvibe.leadlist.record_types import Order, RecordQuery
from leadvibe.leadlist.records import list_records
from leadvibe.leadlist.types import Comparison
from leadvibe.lib.db import driver
from leadvibe.lib.paging import PageRequest

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
CHANGED = MIDNIGHT + timedelta(days=8)
COUNT = 60


@pytest.fixture
def scope(world):
    """Sixty leads over five days, of all kinds; every seventh is merged away."""
    rows = """
        INSERT INTO lead_records (unit_id, lead_id, is_listed, intake, created_at, updated_at,
            status, outcome, value, gclid, qualified_at, name, website, utm_source)
        SELECT %(unit)s, 'l' || lpad(n::text, 2, '0'), n %% 7 <> 0,
            (ARRAY['api', 'gtm', 'inbound'])[1 + n %% 3],
            %(at)s::timestamptz + n * interval '2 hours',
            %(changed)s::timestamptz - n * interval '1 h',
            (ARRAY['contacted', 'qualified', 'converted', 'lost'])[1 + n %% 4],
            (ARRAY['open', 'qualified', 'won', 'lost'])[1 + n %% 4],
            CASE WHEN n %% 2 = 0 THEN n %% 5 END, CASE WHEN n %% 3 = 1 THEN 'g' END,
            CASE WHEN n %% 4 IN (1, 2) THEN %(at)s::timestamptz + n * interval '1 day' END,
            CASE WHEN n %% 5 <> 0 THEN 'P' || n %% 3 END, 'w' || n %% 2,
            CASE WHEN n %% 4 > 0 THEN 'u' || n %% 3 END
        FROM generate_series(1, %(count)s) n
    """
    bound = {"unit": world.scope.unit_id, "at": MIDNIGHT, "changed": CHANGED, "count": COUNT}
    driver().execute(rows, bound)
    driver().execute(
        """
        INSERT INTO leads (unit_id, lead_id, name, metadata, source, created_at, updated_at)
        SELECT unit_id, lead_id, lead_id, '{}', 'api', created_at, updated_at FROM lead_records
        WHERE unit_id = %(unit)s
        """,
        bound,
    )
    return world.scope


def listed(scope, *conditions, size=500, page=1, **options):
    query = RecordQuery(tuple(conditions), **options)
    found = list_records(scope, query, PageRequest(page, size))
    assert found.total.count == counted_plainly(scope, conditions)
    return [it.lead_id for it in found.items]


def found_plainly(scope, conditions):
    text, values = record_sql.where(scope, RecordQuery(tuple(conditions)))
    rows = driver().execute(f"SELECT lead_id FROM lead_records r WHERE {text}", values)
    return {lead_id for (lead_id,) in rows}


def counted_plainly(scope, conditions):
    return record_sql.count(record_sql.where(scope, RecordQuery(tuple(conditions))))


TIMES = [MIDNIGHT + timedelta(hours=it) for it in (-100, 0, 5, 48, 71, 1000)]
ALTERNATIVES = [
    [
        [],
        [Comparison("outcome", "in", ["won"])],
        [Comparison("outcome", "in", ["open", "lost"]), Comparison("outcome", "eq", "lost")],
    ],
    [[], [Comparison("intake", "eq", "api")]],
    [[], *([Comparison(it, "exists", has)] for it in ("gclid", "value") for has in (True, False))],
    [[], *([Comparison("created_at", "gte", at)] for at in TIMES)],
    [[], *([Comparison("created_at", "lt", at)] for at in TIMES)],
]


def test_counts_that_are_kept_are_those_that_are_counted(scope):
    for parts in product(*ALTERNATIVES):
        conditions = [each for part in parts for each in part]
        if conditions:
            kept = find_kept_count(scope, conditions)
            assert kept == counted_plainly(scope, conditions), conditions


BOUNDS = [
    (column, first, last, since, since + span)
    for column, at in (
        ("created_at", MIDNIGHT), ("updated_at", CHANGED), ("qualified_at", MIDNIGHT),
    )
    for first, last in (("gte", "lt"), ("gt", "lte"))
    for since in (at - timedelta(hours=51), at - timedelta(days=2), at + timedelta(hours=26))
    for span in map(timedelta, (0, 0.25, 1, 1.5, 2, 40))
]  # fmt: skip


@pytest.mark.parametrize("counts_what_is_wanted", [True, False, None])
def test_counts_of_days_and_of_parts_of_days(scope, monkeypatch, counts_what_is_wanted):
    if counts_what_is_wanted is not None:
        step = 2.0 if counts_what_is_wanted else 0.25
        guesses = (step**number for number in cycle(range(100)))
        monkeypatch.setattr(kept_counts._Asked, "_guess", lambda *_: next(guesses))

    for column, first, last, since, before in BOUNDS:
        bounds = [Comparison(column, first, since), Comparison(column, last, before)]
        for asked in (bounds, bounds[:1], bounds[1:], [*bounds, Comparison("intake", "eq", "api")]):
            assert find_kept_count(scope, asked) == counted_plainly(scope, asked), asked


def test_days_of_two_times_are_not_kept_together(scope):
    changed = Comparison("updated_at", "gte", CHANGED - timedelta(hours=20))

    for other in (Comparison("created_at", "lt", CHANGED), Comparison("gclid", "exists", True)):
        assert find_kept_count(scope, [changed, other]) is None
        counted = count_records(scope, RecordQuery((changed, other)))
        assert counted == counted_plainly(scope, [changed, other]) > 0


NARROWED = [
    [],
    [Comparison("outcome", "in", ["won", "open"])],
    [Comparison("gclid", "exists", True)],
    [Comparison("website", "eq", "w1"), Comparison("utm_source", "eq", "u2")],
    [Comparison("gclid", "exists", False), Comparison("fbc", "exists", False)],
]
RANGED = [
    *([Comparison("value", operator, 2)] for operator in ("gte", "gt", "lte", "lt", "eq")),
    *(
        [Comparison(column, "gte", first), Comparison(column, "lt", last)]
        for column, at in (("updated_at", CHANGED), ("qualified_at", MIDNIGHT))
        for first in (at - timedelta(hours=30), at + timedelta(days=9))
        for last in (at - timedelta(hours=31), at + timedelta(days=30))
    ),
    [Comparison("qualified_at", "exists", False)],
]


@pytest.mark.parametrize("ranged", RANGED)
@pytest.mark.parametrize("narrowed", NARROWED)
def test_counts_are_right_from_either_side(scope, narrowed, ranged):
    conditions = (*narrowed, *ranged)
    plainly = counted_plainly(scope, conditions)

    assert count_records(scope, RecordQuery(conditions)) == plainly
    less = record_totals._plan_subtraction(scope, conditions)
    assert less is None or less.count(scope) == plainly


def test_those_who_lack_several_things_are_counted_by_those_who_have_them(scope):
    lacking = tuple(Comparison(it, "exists", False) for it in ("gclid", "value", "fbc"))
    late = Comparison("updated_at", "lt", CHANGED - timedelta(hours=20))

    unqualified = Comparison("qualified_at", "exists", False)
    for conditions in (lacking[:2], lacking, (lacking[0], late), (unqualified, late)):
        less = record_totals._plan_subtraction(scope, conditions)
        assert less is not None
        assert less.count(scope) == counted_plainly(scope, conditions) > 0


def test_of_what_is_taken_off_only_what_is_not_kept_is_counted(scope, statements):
    midnight = CHANGED.replace(hour=0, minute=0, second=0, microsecond=0)
    late, unqualified = (
        Comparison("updated_at", "lt", midnight),
        Comparison("qualified_at", "exists", False),
    )
    plainly = counted_plainly(scope, (late, unqualified))
    less = record_totals._plan_subtraction(scope, (late, unqualified))
    statements.clear()

    assert less is not None
    assert less.count(scope) == plainly > 0
    [counting] = [it for it in statements if "FROM lead_records " in it]
    assert "updated_at" in counting
    assert "qualified_at" in counting


def test_merged_leads_and_other_units_are_left_out(scope, people):
    assert len(listed(scope, Comparison("intake", "in", ["api", "gtm", "inbound"]))) == 52
    assert not listed(people.stranger.scope, Comparison("created_at", "exists", True))


ORDERS = [
    *(
        (Order(column, is_descending=is_descending),)
        for column in ("created_at", "updated_at", "value", "qualified_at", "name", "outcome")
        for is_descending in (True, False)
    ),
    (Order("outcome"), Order("value", is_descending=True)),
    (Order("value", is_descending=True), Order("name")),
]
WAYS = {
    "all are read": {},
    "the order is walked": {"FEW": 0},
    "the order is walked in vain": {"FEW": 0, "STEPS": 3},
}


@pytest.mark.parametrize("way", WAYS)
def test_lists_are_in_order_however_they_are_read(scope, monkeypatch, way):
    for name, value in WAYS[way].items():
        monkeypatch.setattr(record_pages, name, value)
    for narrowed, orders in product([*NARROWED, *RANGED[-8:]], ORDERS):
        query = RecordQuery(tuple(narrowed), orders=orders)
        whole = list_records(scope, query, PageRequest(1, 99)).items
        assert {it.lead_id for it in whole} == found_plainly(scope, narrowed)
        keys = [_keys(it, orders) for it in whole]
        assert keys == sorted(keys)
        pages = [list_records(scope, query, PageRequest(it, 7)).items for it in range(1, 9)]
        assert [it.lead_id for page in pages for it in page] == [it.lead_id for it in whole]


def _keys(record, orders):
    """Return what a record is sorted by, so that less is first."""
    keys = []
    for column, is_descending in orders:
        given = record.fields[column] if column == "value" else getattr(record, column)
        number = _number(given)
        keys.append((number is None, -number if is_descending and number is not None else number))
    return keys


def _number(given):
    if isinstance(given, datetime):
        return given.timestamp()
    if isinstance(given, str):
        return int.from_bytes(given.encode().ljust(16, b"\0"))
    return given


@pytest.mark.parametrize("column", ["value", "qualified_at", "name", "outcome", "created_at"])
@pytest.mark.parametrize("is_descending", [True, False])
def test_pages_are_the_whole_list_cut_up(scope, column, is_descending):
    conditions = [Comparison("created_at", "exists", True)]
    orders = (Order(column, is_descending=is_descending), Order("gclid"))

    whole = listed(scope, *conditions, orders=orders)
    pages = [listed(scope, *conditions, orders=orders, size=9, page=it) for it in range(1, 8)]

    assert [it for page in pages for it in page] == whole
    assert len(set(whole)) == 52


def test_what_a_lead_does_not_have_stands_last_either_way(scope):
    for is_descending in (True, False):
        query = RecordQuery(orders=(Order("value", is_descending=is_descending),))
        found = list_records(scope, query, PageRequest(1, 500)).items
        values = [it.fields["value"] for it in found]
        there = [it for it in values if it is not None]
        assert there == sorted(there, reverse=is_descending)
        assert values[len(there) :] == [None] * (52 - len(there))


def test_a_count_of_many_is_remembered_for_a_moment(scope, monkeypatch, statements):
    monkeypatch.setattr(record_totals, "QUICKLY_COUNTED", 3)
    query = RecordQuery((Comparison("name", "eq", "P1"), Comparison("value", "gte", 0)))
    first = count_records(scope, query)
    statements.clear()

    assert count_records(scope, query) == first > 3
    assert statements == []
    record_totals._counts._kept.clear()


def test_nobody_lacks_what_every_lead_has(scope, statements):
    statements.clear()

    assert listed(scope, Comparison("created_at", "exists", False)) == []
    assert not any("ORDER BY" in it for it in statements)
