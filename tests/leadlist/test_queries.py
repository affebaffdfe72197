"""The list of leads: what is in it, in which order, and what a page costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from leadvibe.leadlist import queries
from leadvibe.leadlist.types import LeadFilter, ScoreRange, Sort, SortKey
from leadvibe.leads import service as leads
from leadvibe.lib.db import driver, session
from leadvibe.lib.paging import PageRequest, Total
from tests.effort import examples
from tests.factories import make_organization, make_unit

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ["Ana Silva", "Bo Chen", "Cleo Ito", "Dev Patel", "Eva Öst"]


@pytest.fixture
def scope(app):
    return make_unit(make_organization()).scope


@pytest.fixture
def five(scope):
    """Five leads: Ana has 0 points and was active today, Bo 10 and yesterday, and so on."""
    for number, name in enumerate(NAMES):
        make_lead(scope, f"ld_{number}", name=name, company="Acme" if number % 2 else "Globex")
        set_activity(scope, f"ld_{number}", score=number * 10, days_ago=number)
    return scope


def make_lead(scope, lead_id, **metadata):
    leads.create(scope, lead_id=lead_id, metadata=metadata, account_id=None, source="api", now=NOW)


def set_activity(scope, lead_id, *, score, days_ago=None):
    at = None if days_ago is None else NOW - timedelta(days=days_ago)
    session().execute(
        text(
            "UPDATE leads SET score = :s, last_event_at = :at WHERE lead_id = :id AND unit_id = :u"
        ),
        {"s": score, "at": at, "id": lead_id, "u": scope.unit_id},
    )


def found(scope, sort=None, page=1, size=50, **wanted):
    result = queries.search_leads(
        scope, LeadFilter(**wanted), sort or Sort(), PageRequest(page, size)
    )
    return [line.lead_id[-1] for line in result.items]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort(), "43210"),
        (Sort(SortKey.SCORE, is_descending=False), "01234"),
        (Sort(SortKey.LAST_ACTIVE), "01234"),
        (Sort(SortKey.LAST_ACTIVE, is_descending=False), "43210"),
        (Sort(SortKey.NAME, is_descending=False), "01234"),
        (Sort(SortKey.NAME), "43210"),
    ],
)
def test_each_sort_orders_the_leads(five, sort, expected):
    assert "".join(found(five, sort)) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"min_score": 20}, "432"),
        ({"max_score": 10}, "10"),
        ({"min_score": 10, "max_score": 30}, "321"),
        ({"score_ranges": (ScoreRange(0, 0), ScoreRange(35, None))}, "40"),
        ({"score_ranges": ()}, ""),
        ({"active_since": NOW - timedelta(days=1)}, "10"),
        ({"search": "globex"}, "420"),
        ({"search": "SILVA"}, "0"),
        ({"search": "öst"}, "4"),
        ({"search": "ld_3"}, "3"),
        ({"search": "bo"}, "1"),
        ({"search": "%"}, ""),
        ({"search": "ld_%"}, ""),
        ({"search": "nobody"}, ""),
        ({"search": "acme", "min_score": 20}, "3"),
    ],
)
def test_each_filter_narrows_the_list(five, wanted, expected):
    assert "".join(found(five, **wanted)) == expected


def test_leads_without_activity_come_last(five):
    make_lead(five, "ld_9")

    assert found(five, Sort(SortKey.LAST_ACTIVE))[-1] == "9"
    assert found(five, Sort(SortKey.LAST_ACTIVE, is_descending=False))[0] == "9"


def test_pages_follow_one_another_without_gaps_or_repeats(five):
    pages = [found(five, page=page, size=2) for page in (1, 2, 3, 4)]

    assert pages == [["4", "3"], ["2", "1"], ["0"], []]


def test_a_merged_lead_is_not_listed(five):
    session().execute(text("UPDATE leads SET merged_into = 'ld_0' WHERE lead_id = 'ld_4'"))

    assert "".join(found(five)) == "3210"


def test_another_unit_sees_nothing(five):
    elsewhere = make_unit(make_organization("Elsewhere")).scope

    assert found(elsewhere) == []
    assert found(elsewhere, search="globex") == []
    assert not queries.has_leads(elsewhere)
    assert queries.has_leads(five)


def test_totals_are_right_and_say_where_counting_stopped(five):
    def total(page, size, cap, min_score=0):
        # Two conditions, because a total by one of them is known without counting.
        request, wanted = PageRequest(page, size), LeadFilter(min_score=min_score, created_from=NOW)
        return queries.search_leads(five, wanted, Sort(), request, count_cap=cap).total

    assert total(1, 2, None) == Total(5)
    assert total(1, 2, 3) == Total(3, is_capped=True)
    assert total(1, 2, 3, min_score=None) == Total(5), "the total of all is kept, not counted"
    assert total(1, 2, 5) == Total(5)
    assert total(3, 2, 3) == Total(5)
    assert total(9, 2, None) == Total(5)


def test_a_common_text_is_found_without_its_index(five, monkeypatch):
    monkeypatch.setattr(queries, "RARE", 1)

    assert "".join(found(five, search="globex")) == "420"


def test_how_many_have_a_common_text_is_known_without_counting(five, monkeypatch):
    monkeypatch.setattr(queries, "RARE", 1)

    def total(cap, **wanted):
        request = PageRequest(1, 2)
        found = queries.search_leads(five, LeadFilter(**wanted), Sort(), request, count_cap=cap)
        return found.total

    assert total(1, search="ld_") == Total(1, is_capped=True)
    assert total(4, search="ld_") == Total(4, is_capped=True)
    assert total(5, search="ld_") == Total(5)
    assert total(None, search="ld") == Total(5)
    assert total(3, search="ld", min_score=30) == Total(2)


@pytest.mark.parametrize("is_common", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "310"),  # Ana, and Acme twice
        ("SI", "0"),
        ("il", ""),  # Silva has it, but does not begin so
        ("ö", "4"),
        ("ös", "4"),
        ("ld", "43210"),
        ("3", "3"),
        ("_3", ""),
        ("+", ""),
        ("zz", ""),
    ],
)
def test_one_or_two_letters_find_what_begins_with_them(
    five, monkeypatch, text, expected, *, is_common
):
    if is_common:
        monkeypatch.setattr(queries, "RARE", -1)

    assert "".join(found(five, search=text)) == expected
    assert found(make_unit(make_organization()).scope, search=text) == []


def test_a_line_may_begin_with_any_sign(scope):
    make_lead(scope, "ld_1", email="+1.(555)@acme.test")

    assert found(scope, search="+1") == ["1"]
    assert found(scope, search="(5") == []
    assert found(scope, search="55") == ["1"]


@pytest.mark.parametrize("text", ["z", "zz", "zzz"])
def test_a_text_that_nobody_has_is_not_looked_for_lead_by_lead(many, text):
    driver().execute("SET LOCAL enable_seqscan = off")  # which is quick enough for so few

    plan = explain(
        queries._CANDIDATES.params(unit_id=many.unit_id, wanted=text, pattern=f"%{text}%")
    )

    assert "ix_lead_search_grams" in plan


def test_streaming_yields_the_same_leads_in_the_same_order(five):
    wanted = LeadFilter(min_score=10)

    streamed = [line.lead_id[-1] for line in queries.stream_leads(five, wanted, Sort())]

    assert streamed == found(five, min_score=10)


@pytest.fixture
def many(scope):
    """Five thousand leads, all of whom have "ann" in their text."""
    for statement in (
        """
        INSERT INTO leads (unit_id, lead_id, name, source, created_at, updated_at, score)
        SELECT %(unit)s, 'ld_' || n, 'Name ' || n, 'api', now(), now(), mod(n, 100)
        FROM generate_series(1, 5000) n
        """,
        """
        INSERT INTO lead_search (unit_id, lead_id, text, grams)
        SELECT %(unit)s, 'ld_' || n, 'ann ' || n, search_terms(%(unit)s, 'ann ' || n)
        FROM generate_series(1, 5000) n
        """,
    ):
        driver().execute(statement, {"unit": scope.unit_id})
    # What waits to be put into the index makes it look dear, and how much that is is chance.
    driver().execute("SELECT gin_clean_pending_list('ix_lead_search_grams')")
    driver().execute("ANALYZE leads, lead_search")
    return scope


def test_every_order_is_read_from_its_index(many):
    page = PageRequest(1, 25)
    plans = {
        (key, is_descending, search): explain(
            queries.page_statement(many, LeadFilter(search=search), Sort(key, is_descending), page)
        )
        for key, is_descending, search in product(SortKey, (True, False), ("", "ann", "an"))
    }

    others = {it: plan for it, plan in plans.items() if "Index Scan" not in plan or "Sort" in plan}
    assert others == {}


def explain(statement):
    compiled = statement.compile(session().connection(), compile_kwargs={"literal_binds": True})
    rows = driver().execute("EXPLAIN " + str(compiled).replace("%", "%%"))
    return "\n".join(line for (line,) in rows)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12))
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_finds_the_lead_that_is_called_so(scope, name):
    with session().begin_nested() as savepoint:
        make_lead(scope, "ld_7", name=name)

        found_ids = found(scope, search=name)
        savepoint.rollback()

    assert found_ids == ["7"]


class TestTotals:
    """Of a list by one thing they are known, and must be what counting finds."""

    @pytest.fixture
    def crowd(self, scope):
        """Two hundred leads: the newest have the lowest scores, which is the hard case."""
        driver().execute(
            """
            INSERT INTO leads (unit_id, lead_id, name, source, created_at, updated_at, score,
                               last_event_at, last_event_type)
            SELECT %(unit)s, 'ld_' || n, 'Name', 'api', %(now)s - n * interval '11 minutes', now(),
                   n / 3, %(now)s - n * interval '17 minutes', 'type_' || mod(n, 3)
            FROM generate_series(1, 200) n
            """,
            {"unit": scope.unit_id, "now": NOW},
        )
        leads.recount_listed(scope)
        return scope

    @given(
        hours=st.integers(-1, 60),
        field=st.sampled_from(["active_since", "created_from", "created_before"]),
        page=st.integers(1, 9),
        steps=st.sampled_from([0, 10, 100, 5_000]),
    )
    @settings(
        max_examples=examples(80),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_every_way_to_a_page_leads_to_the_same_one(self, crowd, *, hours, field, page, steps):
        wanted = {field: NOW - timedelta(hours=hours)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(queries, "STEPS", steps)
            queries._page_text.cache_clear()
            result = queries.search_leads(
                crowd, LeadFilter(**wanted), Sort(), PageRequest(page, 25)
            )
        queries._page_text.cache_clear()
        everything = list(queries.stream_leads(crowd, LeadFilter(**wanted), Sort()))

        assert result.items == everything[(page - 1) * 25 : page * 25]
        assert result.total == Total(len(everything))

    @pytest.mark.parametrize(
        "wanted",
        [
            {},
            {"min_score": 30},
            {"max_score": 30},
            {"min_score": 10, "max_score": 12},
            {"min_score": 12, "max_score": 10},
            {"score_ranges": ()},
            {"score_ranges": (ScoreRange(None, 3), ScoreRange(60, None))},
            {"event_type": "type_1"},
            {"event_type": "nobody's"},
            {"active_since": NOW - timedelta(minutes=100)},
            {"created_from": NOW - timedelta(hours=20), "created_before": NOW - timedelta(hours=3)},
            {"created_from": NOW, "created_before": NOW - timedelta(hours=3)},
            {"event_type": "type_1", "min_score": 30},
            {"search": "name", "min_score": 30},
        ],
    )
    def test_totals_are_what_counting_finds(self, crowd, wanted):
        found = queries.search_leads(
            crowd, LeadFilter(**wanted), Sort(), PageRequest(1, 2), count_cap=None
        )

        everything = list(queries.stream_leads(crowd, LeadFilter(**wanted), Sort()))
        assert found.total == Total(len(everything))

    def test_a_total_by_one_thing_reads_no_leads(self, crowd, statements):
        queries.search_leads(crowd, LeadFilter(min_score=3), Sort(), PageRequest(1, 2))

        assert len(statements) == 2
        assert not any("count(" in statement for statement in statements)
