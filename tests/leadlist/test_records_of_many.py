"""What lists of records read where there are many leads, and that they find whom they should."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from leadvibe.leadlist import record_pages, record_search, record_sql
from leadvibe.leadlist.record_totals import count_records
from leadvibe.leadlist.record_types import HeldBy, Order, RecordQuery
from leadvibe.leadlist.records import list_records
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.statuses import Status
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id
from leadvibe.lib.paging import PageRequest

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
COUNT = 2_000
SIZE = 10
STATUS_OUTCOMES = """(VALUES (0, 'not_contacted', 'open'), (1, 'contacted', 'open'),
    (2, 'qualified', 'qualified'), (3, 'converted', 'won'), (4, 'lost', 'lost'))"""

SEARCHING = {
    "FEW": 30, "COMMON": 600, "SAMPLED_PERCENT": 100, "MANY": 50, "TEXT_PER_LEAD": 1,
    "MOST_STEPS": 200, "ENTRIES": 400,
}  # fmt: skip


@pytest.fixture
def scope(world, monkeypatch):
    """Many leads, half called Ann; a third has an owner, and some of these claims are over."""
    bound = {"unit": world.scope.unit_id, "at": NOON, "count": COUNT, "owner": new_id()}
    driver().execute(
        f"""
        INSERT INTO lead_records (unit_id, lead_id, intake, created_at, updated_at, status,
            outcome, value, name, website, utm_source, gclid, owner_id, claimed_until)
        SELECT %(unit)s, 'l' || n, 'api', %(at)s::timestamptz - n * interval '1 minute',
            %(at)s::timestamptz - n %% 977 * interval '1 minute', s.status, s.outcome,
            CASE WHEN n %% 3 > 0 THEN n %% 97 END,
            CASE WHEN n %% 2 = 0 THEN 'Ann ' ELSE 'Bo ' END || n,
            'w' || n %% 3, 'u' || n %% 5, CASE WHEN n %% 4 = 0 THEN 'g' END,
            CASE WHEN n %% 3 = 0 THEN %(owner)s::uuid END,
            CASE WHEN n %% 9 = 0 THEN %(at)s::timestamptz + (n %% 2 - 0.5) * interval '1 day' END
        FROM generate_series(1, %(count)s) n
        JOIN {STATUS_OUTCOMES} s (number, status, outcome) ON s.number = n / 7 %% 5
        """,
        bound,
    )
    driver().execute(
        """
        INSERT INTO leads (unit_id, lead_id, name, metadata, source, created_at, updated_at)
        SELECT unit_id, lead_id, name, '{}', 'api', created_at, updated_at FROM lead_records
        WHERE unit_id = %(unit)s
        """,
        bound,
    )
    driver().execute(
        """
        INSERT INTO lead_search (unit_id, lead_id, text, grams)
        SELECT unit_id, lead_id, lower(name), search_terms(unit_id, name) FROM lead_records
        WHERE unit_id = %(unit)s
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET text = excluded.text, grams = excluded.grams
        """,
        bound,
    )
    driver().execute("ANALYZE lead_records, leads, lead_record_texts")
    for name, value in SEARCHING.items():
        monkeypatch.setattr(record_search, name, value)
    return world.scope


def rows_read() -> int:
    """Return how many records this transaction has read so far."""
    return _read("coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)", "lead_records")


def texts_looked_up() -> int:
    """Return how many leads this transaction has looked up the text of so far."""
    return _read("coalesce(idx_tup_fetch, 0)", "lead_record_texts")


def _read(rows: str, table: str) -> int:
    statement = f"SELECT {rows} FROM pg_stat_xact_user_tables WHERE relname = %s"
    [number] = driver().execute(statement, (table,)).fetchone()
    return number


def page_of(scope, *conditions, page=1, **options):
    return list_records(scope, RecordQuery(tuple(conditions), **options), PageRequest(page, SIZE))


def everybody(scope):
    return list_records(scope, RecordQuery(), PageRequest(1, COUNT)).items


@pytest.mark.parametrize("orders", [(), (Order("value", is_descending=True),), (Order("name"),)])
def test_a_common_search_walks_the_list(scope, orders):
    wanted = {"orders": orders} if orders else {}
    before = rows_read()

    found = page_of(scope, search="ann", **wanted)

    assert rows_read() - before < COUNT / 4
    assert (found.total.count, found.total.is_capped) == (record_search.MANY, True)
    listed = list_records(scope, RecordQuery(**wanted), PageRequest(1, 500)).items
    anns = [it.lead_id for it in listed if it.name.startswith("Ann")]
    assert [it.lead_id for it in found.items] == anns[:SIZE]


def test_a_walk_for_a_search_ends_where_its_page_does(scope):
    driver().execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    before = texts_looked_up()

    page_of(scope, search="ann")

    assert SIZE < texts_looked_up() - before < 4 * SIZE < record_search.MOST_STEPS


def test_pages_of_a_search_go_on_behind_the_total_that_is_sure(scope):
    pages = [page_of(scope, search="ann", page=it) for it in range(1, COUNT // 2 // SIZE + 2)]

    found = [it.lead_id for page in pages for it in page.items]
    assert found == [it.lead_id for it in everybody(scope) if it.name.startswith("Ann")]
    assert all(it * SIZE < page.total.count for it, page in enumerate(pages[:-2], start=1))
    assert pages[-1].total.count == COUNT // 2
    assert not pages[-1].total.is_capped


SEARCHED = {
    "the few who are asked for are looked at": {"FEW": COUNT},
    "all who have the text are read": {"FEW": 0, "COMMON": COUNT},
    "the list is walked": {"FEW": 0, "COMMON": 0, "ENTRIES": COUNT, "MOST_STEPS": COUNT},
    "the list is walked in vain": {"FEW": 0, "COMMON": 0, "ENTRIES": COUNT, "MOST_STEPS": 81},
    "some of the list is walked": {"FEW": 0, "COMMON": 0, "ENTRIES": 300, "MOST_STEPS": 300},
}
SORTED = [
    (Order("created_at", is_descending=True),),
    (Order("value"),),
    (Order("name", is_descending=True),),
    (Order("outcome"), Order("value", is_descending=True)),
    (Order("next_call_at"), Order("created_at", is_descending=True)),
]
ASKED_BESIDES = [
    (),
    (Comparison("utm_source", "eq", "u2"),),
    (Comparison("outcome", "in", ["won", "open"]), Comparison("gclid", "exists", False)),
    (Comparison("gclid", "eq", "g"), Comparison("value", "gte", 40)),
    (Comparison("updated_at", "lt", NOON - timedelta(minutes=600)),),
]


@pytest.mark.parametrize("way", SEARCHED)
def test_searches_are_in_order_however_they_are_read(scope, monkeypatch, way):
    for name, value in SEARCHED[way].items():
        monkeypatch.setattr(record_search, name, value)
    for conditions, text, orders in product(ASKED_BESIDES, ("ann", "ann 1", "nn"), SORTED):
        query = RecordQuery(conditions, search=text, orders=orders)
        pages = [list_records(scope, query, PageRequest(it, 40)).items for it in (1, 2, 3)]
        found = [it for page in pages for it in page]

        listed = list_records(scope, RecordQuery(conditions, orders=orders), PageRequest(1, COUNT))
        having = [it for it in listed.items if text in it.name.lower()][:120]
        assert [_sorted_by(it, orders) for it in found] == [_sorted_by(it, orders) for it in having]
        assert len({it.lead_id for it in found}) == len(found)


def _sorted_by(record, orders):
    return [record.fields.get(it.column, getattr(record, it.column, None)) for it in orders]


def test_a_rare_search_is_counted_and_sorted_whole(scope):
    found = page_of(scope, search="ann 19", orders=(Order("name", is_descending=True),))

    names = [it.name for it in everybody(scope) if it.name.startswith("Ann 19")]
    assert [it.name for it in found.items] == sorted(names, reverse=True)[:SIZE]
    assert (found.total.count, found.total.is_capped) == (len(names), False)


def test_a_common_search_that_the_first_leads_do_not_have_is_found_whole(scope):
    last = Comparison("created_at", "lt", NOON - timedelta(minutes=COUNT - 6))

    found = page_of(scope, last, search="ann")

    assert [it.lead_id for it in found.items] == ["l1996", "l1998", "l2000"]
    assert (found.total.count, found.total.is_capped) == (3, False)


@pytest.mark.parametrize("is_descending", [True, False])
def test_several_orders_that_begin_with_the_status_read_a_page_alone(scope, is_descending):
    orders = (Order("outcome", is_descending=is_descending), Order("value", is_descending=True))
    before = rows_read()

    found = page_of(scope, orders=orders).items

    assert rows_read() - before < COUNT / 4
    everyone = sorted(everybody(scope), key=lambda it: -(it.fields["value"] or -1))
    everyone.sort(key=lambda it: it.outcome, reverse=is_descending)
    shown, best = [
        [(it.outcome, it.fields["value"]) for it in those] for those in (found, everyone)
    ]
    assert shown == best[:SIZE]


@pytest.mark.parametrize("status", [None, *Status])
@pytest.mark.parametrize("is_unheld", [True, False])
def test_leads_of_a_status_and_those_nobody_has_are_not_counted(
    scope, statements, status, is_unheld
):
    conditions = () if status is None else (Comparison("status", "eq", status),)
    query = RecordQuery(conditions, held_by=HeldBy(None, NOON) if is_unheld else None)
    plainly = record_sql.count(record_sql.where(scope, query))
    if not conditions and not is_unheld:
        return
    statements.clear()

    assert count_records(scope, query) == plainly > 0
    assert all("claimed_until" in it for it in statements if "lead_records" in it)


@pytest.mark.parametrize(
    "conditions",
    [
        (Comparison("website", "eq", "w1"), Comparison("utm_source", "eq", "u2")),
        (Comparison("updated_at", "gte", NOON), Comparison("outcome", "in", ["won"])),
        (Comparison("gclid", "exists", True), Comparison("value", "gte", 0)),
        (Comparison("website", "eq", "w1"), Comparison("gclid", "exists", False)),
    ],
)
def test_what_is_asked_for_together_is_counted_in_indexes(scope, statements, conditions):
    plainly = record_sql.count(record_sql.where(scope, RecordQuery(conditions)))
    statements.clear()

    assert count_records(scope, RecordQuery(conditions)) == plainly
    *_, counting = [it for it in statements if it.startswith("SELECT count")]
    assert "Index Only Scan" in _plan_without_leads(counting)


def test_the_newest_are_walked_in_their_index_alone(scope, statements, monkeypatch):
    monkeypatch.setattr(record_pages, "FEW", 0)
    page_of(scope, Comparison("gclid", "exists", False), Comparison("value", "gte", 40))
    [walking] = [it for it in statements if f"LIMIT {record_pages.STEPS}" in it]

    assert "Index Only Scan using ix_lead_records_created" in _plan_without_leads(walking)


def _plan_without_leads(statement: str) -> str:
    """Return the plan that reads the fewest leads, for any values: of indexes alone, if they can.

    As after a vacuum, and with pages so dear that what other tests have left in them is no matter.
    """
    driver().execute(
        "UPDATE pg_class SET relallvisible = relpages * 10 WHERE relname = 'lead_records'"
    )
    for way in ("seq", "random"):
        driver().execute(f"SET LOCAL {way}_page_cost = 1e6")
    numbers = iter(range(1, 100))
    generic = re.sub("%s", lambda _: f"${next(numbers)}", statement)
    plan = driver().execute(f"EXPLAIN (GENERIC_PLAN) {generic}")
    return "\n".join(line for (line,) in plan)


def test_leads_with_several_long_texts_are_written(scope):
    texts = [" ".join(str(hash((number, it))) for it in range(110)) for number in range(4)]

    driver().execute(
        "UPDATE lead_records SET (website, label_id, utm_medium, gclid) = (%s, %s, %s, %s)"
        " WHERE unit_id = %s AND lead_id = 'l1'",
        [*(it[:2_000] for it in texts), scope.unit_id],
    )
