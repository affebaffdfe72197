"""Accounts on their pages: lists, leads without one, and one account with all there is about it."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from leadvibe.leads import accounts
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import editing
from leadvibe.pipeline.attributes import rescore_some
from leadvibe.scoring import items
from leadvibe.scoring.settings import update_settings
from leadvibe.scoring.types import ItemKind
from leadvibe.segments import service
from leadvibe.segments.queries import count_picks
from tests.factories import make_segment
from tests.web.pages import htmx, links_in
from tests.web.test_segments import pro

ACCOUNTS = "/app/accounts"
ACME = f"{ACCOUNTS}/acme.test"


def names(page):
    return re.findall(r'class="row-name"[^>]*>([^<]+)<', page)


def flashed(browser, path=ACCOUNTS):
    return re.findall(r'class="alert alert-\w+".*?<p>([^<]*)', browser.get(path).text, re.DOTALL)


def switch(world, enabled):
    update_settings(world.principal, world.scope, {"abm_enabled": enabled}, now=utc_now())
    commit()


@pytest.fixture
def companies(world):
    """Two companies, one with two people, and a lead that belongs to none."""
    switch(world, enabled=True)
    world.add_rule("page_view", 5)
    world.happen("page_view", email="ann@acme.test")
    world.happen("page_view", email="ann@acme.test", ago=timedelta(days=2))
    world.happen("page_view", email="ben@acme.test")
    world.happen("page_view", email="cyd@other.test", ago=timedelta(days=40))
    world.happen("page_view", "dan")
    return world


def describe(world, account_id, **metadata):
    editing.patch_account(world.scope, account_id, metadata, now=utc_now())
    commit()


class TestSwitchedOff:
    def test_the_page_says_how_to_switch_accounts_on(self, browse, people, world):
        admin = browse(people.admin)

        page = admin.get(ACCOUNTS).text
        assert "Switch accounts on" in page
        assert links_in(page, ACCOUNTS) == []
        assert admin.post(ACCOUNTS, {"do": "enable"}).location == ACCOUNTS
        assert "Accounts are being sorted" in admin.get(ACCOUNTS).text
        assert ACCOUNTS in links_in(admin.get("/app/leads").text, ACCOUNTS)

    def test_who_may_not_is_told_whom_to_ask(self, browse, people, world):
        browser = browse(people.owner)

        assert "Ask an admin" in browser.get(ACCOUNTS).text
        assert browser.post(ACCOUNTS, {"do": "enable"}).status_code == 403

    def test_nothing_else_is_served(self, browse, people, companies):
        switch(companies, enabled=False)

        assert browse(people.viewer).get(ACME).status_code == 403


class TestList:
    def test_accounts_are_listed_with_what_their_people_add_up_to(self, browse, people, companies):
        page = browse(people.viewer).get(ACCOUNTS).text

        assert names(page) == ["acme.test", "other.test"]
        assert 'href="/app/accounts" aria-current="page"' in page

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("q=oth", ["other.test"]),
            ("sort=-name", ["other.test", "acme.test"]),
            ("min_score=1", []),
            ("level=Low", ["acme.test", "other.test"]),
            ("level=High", []),
            ("owner=Nobody", []),
            ("leads=none", []),
            ("surging=1", []),
            ("from=2999-01-01", []),
            ("to=2999-01-01&size=50", ["acme.test", "other.test"]),
        ],
    )
    def test_filters_and_order_are_in_the_address(self, browse, people, companies, query, expected):
        page = browse(people.viewer).get(f"{ACCOUNTS}?{query}").text

        assert names(page) == expected

    @pytest.mark.parametrize(
        "wrong", ["min_score=much", "sort=colour", "page=0", "level=None", "from=soon", "size=7000"]
    )
    def test_what_makes_no_sense_is_said(self, browse, people, companies, wrong):
        answer = browse(people.viewer).get(f"{ACCOUNTS}?{wrong}")

        assert answer.status_code == 422
        assert 'class="alert alert-bad"' in answer.text

    def test_a_page_behind_the_last_leads_to_the_last(self, browse, people, companies):
        answer = browse(people.viewer).get(f"{ACCOUNTS}?page=99&q=test")

        assert answer.location == f"{ACCOUNTS}?q=test"

    def test_another_unit_has_its_own(self, browse, people, companies, elsewhere):
        switch(elsewhere, enabled=True)
        elsewhere.happen("page_view", email="eve@else.test")
        browser = browse(people.stranger)

        assert names(browser.get(ACCOUNTS).text) == ["else.test"]
        assert browser.get(ACME).status_code == 404
        assert browser.post(ACME, {"do": "delete"}).status_code == 404

    def test_a_list_costs_the_same_at_any_number(self, browse, people, companies, statements):
        browser = browse(people.viewer)
        browser.get(ACCOUNTS)
        statements.clear()
        browser.get(ACCOUNTS)
        few = len(statements)
        for number in range(4):
            companies.happen("page_view", email=f"x@company{number}.test")
        statements.clear()
        browser.get(ACCOUNTS)

        assert len(statements) == few

    def test_an_empty_list_says_what_makes_an_account(self, browse, people, world):
        switch(world, enabled=True)
        while rescore_some(world.scope, now=utc_now()):
            commit()

        assert "No accounts yet" in browse(people.viewer).get(ACCOUNTS).text
        assert (
            "Every lead has an account"
            in browse(people.viewer).get(f"{ACCOUNTS}?tab=unresolved").text
        )


class TestFiles:
    def rows(self, answer):
        assert answer.mimetype == "text/csv"
        assert "accounts.csv" in answer.headers["Content-Disposition"]
        return list(csv.DictReader(io.StringIO(answer.text)))

    def test_all_that_match_are_exported(self, browse, people, companies):
        describe(companies, "acme.test", industry="Tools", employees=12)

        rows = self.rows(browse(people.viewer).get(f"{ACCOUNTS}?format=csv&q=acme"))

        assert [(it["account_id"], it["leads"], it["industry"]) for it in rows] == [
            ("acme.test", "2", "Tools")
        ]
        assert rows[0]["employees"] == "12"

    def test_those_chosen_are_exported(self, browse, people, companies):
        answer = browse(people.viewer).post(
            ACCOUNTS, {"do": "export", "ids": ["other.test", "unknown.test"]}
        )

        assert [it["account_id"] for it in self.rows(answer)] == ["other.test"]

    def test_a_cell_is_no_formula(self, browse, people, companies):
        describe(companies, "acme.test", name="=1+1")

        [row] = self.rows(browse(people.viewer).get(f"{ACCOUNTS}?format=csv&q=acme"))

        assert row["name"] == "'=1+1"


class TestBulk:
    def test_those_chosen_are_deleted_and_their_people_stay(self, browse, people, companies):
        browser = browse(people.operator)

        answer = browser.post(
            ACCOUNTS, {"do": "delete", "ids": ["acme.test"], "back": f"{ACCOUNTS}?q=test"}
        )

        assert answer.location == f"{ACCOUNTS}?q=test"
        assert flashed(browser) == ["1 account is deleted; 2 leads left without one."]
        assert names(browser.get(ACCOUNTS).text) == ["other.test"]

    def test_the_people_of_those_chosen_are_put_into_a_segment(
        self, browse, people, companies, world
    ):
        segment = make_segment(world.scope, [], "Partners")
        browser = browse(people.operator)
        browser.post(
            ACCOUNTS, {"do": "segment", "ids": ["acme.test"], "segment": str(segment.segment_id)}
        )

        page = browser.get(ACCOUNTS).text

        assert "2 leads added to “Partners”." in page
        assert "/undo" in page
        assert count_picks(world.scope, segment.segment_id) == (2, 0)

    def test_a_new_segment_is_made_of_them_by_its_name(self, browse, people, companies):
        browser = browse(people.owner)

        browser.post(ACCOUNTS, {"do": "segment", "ids": ["acme.test"], "new_segment": "Fairs"})

        assert "2 leads added to “Fairs”." in browser.get(ACCOUNTS).text

    def test_adding_to_no_segment_or_one_of_another_unit_is_said(
        self, browse, people, companies, elsewhere
    ):
        browser = browse(people.operator)
        foreign = str(make_segment(elsewhere.scope, [], "Theirs").segment_id)

        for segment, said in (("", "Choose a segment, or name a new one."), (foreign, "segment")):
            sent = {"do": "segment", "ids": ["acme.test"], "segment": segment}
            assert browser.post(ACCOUNTS, sent).location == ACCOUNTS
            assert said in flashed(browser)[0]

    def test_nothing_chosen_is_said(self, browse, people, companies):
        browser = browse(people.operator)

        for action in ("delete", "export", "assign", "segment"):
            browser.post(ACCOUNTS, {"do": action})
            assert flashed(browser) == ["Nothing was chosen: tick some lines first."]

    def test_a_way_back_leads_nowhere_else(self, browse, people, companies):
        answer = browse(people.operator).post(
            ACCOUNTS, {"do": "delete", "ids": ["x"], "back": "//evil.example"}
        )

        assert answer.location == ACCOUNTS

    def test_a_viewer_changes_nothing_and_is_offered_nothing(self, browse, people, companies):
        browser = browse(people.viewer)

        for action in ("delete", "assign", "segment"):
            assert browser.post(ACCOUNTS, {"do": action, "ids": ["x"]}).status_code == 403
        assert browser.post(ACME, {"do": "save"}).status_code == 403
        for path in (ACCOUNTS, f"{ACCOUNTS}?tab=unresolved", ACME):
            main = browser.get(path).text.partition("<main")[2]
            assert "Delete" not in main
            assert "Assign" not in main
            assert "Save" not in main


class TestUnresolved:
    PAGE = f"{ACCOUNTS}?tab=unresolved"

    def test_accounts_are_found_by_short_texts_too(self, browse, people, companies):
        describe(companies, "acme.test", name="X5 Retail")
        browser = browse(people.viewer)

        for text, found in (("x5", 1), ("X", 1), ("ot", 1), (".test", 2), ("zz", 0), ("%", 0)):
            page = browser.get(ACCOUNTS, query_string={"q": text}).text
            assert len(names(page)) == found, text

    def test_leads_without_an_account_are_listed_and_searched(self, browse, people, companies):
        browser = browse(people.viewer)

        assert names(browser.get(self.PAGE).text) == ["dan"]
        assert names(browser.get(f"{self.PAGE}&q=nobody").text) == []

    def test_one_is_assigned_to_an_account_that_there_is(self, browse, people, companies):
        browser = browse(people.operator)

        answer = browser.post(
            ACCOUNTS, {"do": "assign", "ids": ["dan"], "account": " acme.test ", "back": self.PAGE}
        )

        assert answer.location == self.PAGE
        assert flashed(browser, self.PAGE) == ["1 lead now belongs to acme.test."]
        assert accounts.get_account(companies.scope, "acme.test").leads_count == 3

    def test_a_domain_that_is_no_account_becomes_one(self, browse, people, companies):
        browser = browse(people.operator)

        browser.post(ACCOUNTS, {"do": "assign", "ids": ["dan"], "account": "new.test"})

        assert flashed(browser, self.PAGE) == ["1 lead now belongs to new.test, a new account."]
        assert get_lead(companies.scope, "dan").account_id == "new.test"

    def test_without_an_account_nothing_happens(self, browse, people, companies):
        browser = browse(people.operator)

        browser.post(ACCOUNTS, {"do": "assign", "ids": ["dan"], "account": " "})

        assert flashed(browser, self.PAGE) == ["Say which account: choose one, or type a domain."]

    def test_accounts_are_offered_while_typing(self, browse, people, companies):
        headers = htmx("datalist#account-options")

        page = browse(people.operator).get(f"{ACCOUNTS}?account=acm", headers=headers).text

        assert re.findall(r'value="([^"]*)"', page) == ["acme.test"]


class TestAccount:
    def test_the_page_tells_all_there_is(self, browse, people, companies):
        describe(companies, "acme.test", industry="Tools", employees=1200)

        page = browse(people.viewer).get(ACME).text

        assert "<dt>Industry</dt><dd>Tools</dd>" in page
        assert "<dt>Employees</dt><dd>1,200</dd>" in page
        assert "2 people in 30 days" in page
        assert set(names(page)) >= {"ann@acme.test", "ben@acme.test", "page_view"}
        assert links_in(page, "#why")

    def test_its_score_is_explained_by_the_rules_it_meets(self, browse, people, companies):
        ruleset = items.create_item(
            companies.principal, companies.scope, ItemKind.ACCOUNT_RULESET,
            {"name": "Fit", "enabled": True, "is_primary": True}, summary="Fit", now=utc_now(),
        )  # fmt: skip
        test = {"key": "employees", "operator": "gte", "value": 100}
        rule = {"ruleset_id": str(ruleset.item_id), "weight": 30, "order": 0, "test": test}
        items.create_item(
            companies.principal, companies.scope, ItemKind.ACCOUNT_RULE, rule, summary="Large",
            now=utc_now(),
        )  # fmt: skip
        describe(companies, "acme.test", employees=500)

        page = browse(people.viewer).get(ACME).text

        assert "Fit · primary</h3><b>30</b>" in page
        assert 'employees is at least 100</span><span class="up">+30' in page

    def test_older_events_follow_where_the_last_ones_ended(self, browse, people, companies):
        for hours in range(30):
            companies.happen("docs_view", email="ann@acme.test", ago=timedelta(hours=60 + hours))
        browser = browse(people.viewer)
        page = browser.get(ACME).text
        [older] = set(links_in(page, "before="))
        target = re.search(r'hx-target="#(events-[0-9a-f]+)"', page)[1]

        rest = browser.get(older, headers=htmx(f"div#{target}")).text

        first = names(page[page.index('id="account-events"') :])
        assert (len(first), len(names(rest))) == (25, 8)
        assert f'id="{target}"' in rest
        assert links_in(rest, "before=") == []

    def test_the_segments_of_its_people_are_shown(self, browse, people, companies):
        fields = {"name": "Fans", "description": "", "active": True}
        service.save_segment(
            companies.principal, companies.scope, None, fields, [pro()], now=utc_now()
        )
        [lead, *_] = accounts.leads_of(companies.scope, ["acme.test"])
        editing.patch_lead(companies.scope, lead, {"plan": "pro"}, now=utc_now())
        commit()
        browser, headers = browse(people.viewer), htmx("p#account-segments")

        assert "Fans" in browser.get(ACME, headers=headers).text
        other = browser.get(f"{ACCOUNTS}/other.test", headers=headers).text
        assert "None of its people" in other
        assert "Fans" in browser.get(f"{ACME}?show=segments").text

    def test_an_id_of_any_text_has_a_page(self, browse, people, companies):
        editing.move_lead(companies.scope, "dan", "a/b ü", now=utc_now())
        commit()
        browser = browse(people.operator)
        [url] = links_in(browser.get(ACCOUNTS).text, f"{ACCOUNTS}/~")

        assert "<h1>a/b ü" in browser.get(url).text
        assert browser.post(url, {"do": "delete"}).location == ACCOUNTS

    def test_a_deleted_account_is_gone(self, browse, people, companies):
        browser = browse(people.operator)

        browser.post(ACME, {"do": "delete"})

        assert flashed(browser) == ["“acme.test” is deleted; 2 leads left without one."]
        assert browser.get(ACME).status_code == 404


class TestProperties:
    def form(self, *lines):
        """Return a form of lines (key, value, was); a `was` of None is a new line."""
        sent = {"do": "save"}
        for place, (key, value, was) in enumerate(lines):
            sent |= {f"key-{place}": key, f"value-{place}": value}
            if was is not None:
                sent[f"was-{place}"] = was
        return sent

    def metadata(self, world):
        return accounts.get_account(world.scope, "acme.test").metadata

    def test_what_was_changed_is_saved_as_what_it_is(self, browse, people, companies):
        describe(companies, "acme.test", employees=10, phone="0123", plan="free")
        browser = browse(people.operator)

        form = self.form(
            ("employees", "1200", "10"), ("phone", "0456", "0123"), ("vip", "true", None)
        )
        answer = browser.post(ACME, form)

        assert answer.location == ACME
        assert self.metadata(companies) == {
            "employees": 1200, "phone": "0456", "plan": "free", "vip": True,
        }  # fmt: skip

    def test_a_line_is_removed_by_its_button_or_by_emptying_it(self, browse, people, companies):
        describe(companies, "acme.test", one="1st", two="2nd", three="3rd")

        form = self.form(("one", "1st", "1st"), ("two", "", "2nd"))
        browse(people.operator).post(ACME, {**form, "remove": "0"})

        assert self.metadata(companies) == {"three": "3rd"}

    def test_two_who_change_different_lines_do_not_undo_each_other(self, browse, people, companies):
        describe(companies, "acme.test", plan="free", city="Rome")
        mine = self.form(("plan", "pro", "free"), ("city", "Rome", "Rome"))
        describe(companies, "acme.test", city="Oslo")

        browse(people.operator).post(ACME, mine)

        assert self.metadata(companies) == {"plan": "pro", "city": "Oslo"}

    def test_a_line_that_somebody_else_has_changed_is_not_overwritten(
        self, browse, people, companies
    ):
        describe(companies, "acme.test", plan="team")
        browser = browse(people.operator)

        answer = browser.post(ACME, self.form(("plan", "pro", "free")))

        assert answer.status_code == 422
        assert "it is “team” now" in answer.text
        assert self.metadata(companies) == {"plan": "team"}
        assert 'name="was-0" value="team"' in answer.text  # sent again, it is meant

    @pytest.mark.parametrize("line", [("", "x", None), ("k" * 201, "x", None), ("plan", "x", None)])
    def test_a_wrong_line_is_said_where_it_stands(self, browse, people, companies, line):
        describe(companies, "acme.test", plan="free")

        answer = browse(people.operator).post(ACME, self.form(line))

        assert answer.status_code == 422
        assert "field-error" in answer.text
        assert self.metadata(companies) == {"plan": "free"}

    def test_what_is_too_large_is_refused(self, browse, people, companies):
        answer = browse(people.operator).post(ACME, self.form(("big", "x" * 200_000, None)))

        assert answer.status_code == 422
        assert "at most" in answer.text
        assert self.metadata(companies) == {}
