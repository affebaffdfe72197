"""Segments on their pages: seen by all, built by those who may, and never saved over another's."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import editing
from leadvibe.scoring.settings import update_settings
from leadvibe.segments import queries, service
from leadvibe.segments.types import RuleDraft, RuleType
from tests.web.pages import htmx

SEGMENTS = "/app/segments"


def pro(**more):
    fields = {"rule_type": RuleType.LEAD_METADATA, "field": "plan", "operator": "equals"}
    return RuleDraft(**{**fields, "value": "pro", "order": 0, **more})


@pytest.fixture
def make_segment(world):
    def make(*rules, name="Fans", **fields):
        fields = {"name": name, "description": "", "active": True, **fields}
        made = service.save_segment(
            world.principal, world.scope, None, fields, rules, now=utc_now()
        )
        commit()
        return made

    return make


@pytest.fixture
def segment(make_segment):
    return make_segment(pro())


def path_of(segment, end=""):
    return f"{SEGMENTS}/{segment.segment_id}{end}"


def set_accounts(world, enabled):
    update_settings(world.principal, world.scope, {"abm_enabled": enabled}, now=utc_now())
    commit()


def form_of(page):
    """Return what a browser would send of the page's form, without a button."""
    form = page[page.index('id="segment-form"') :]
    sent = {"active": "y"} if 'name="active" checked' in form or " checked" in form else {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            sent[name[1]] = value[1] if value else ""
    for name, options in re.findall(
        r'<select[^>]*name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL
    ):
        sent[name] = re.search(r'value="([^"]*)" selected', options)[1]
    return sent


@pytest.fixture
def make_lead(world):
    def make(lead_id, **metadata):
        editing.create_lead(
            world.scope,
            lead_id=lead_id,
            metadata=metadata,
            account_id=None,
            source="api",
            now=utc_now(),
        )
        commit()

    return make


def rules_of(world, segment):
    return [
        (rule.field, rule.operator, rule.value, rule.group, str(rule.logic_op))
        for rule in queries.list_rules(world.scope, segment.segment_id)
    ]


def every_change(segment):
    return [
        (f"{SEGMENTS}/new", {"do": "save", "name": "New"}),
        (path_of(segment), {"active": "0"}),
        (path_of(segment, "/copy"), {}),
        (path_of(segment, "/edit"), {"do": "save", "name": "Other"}),
        (path_of(segment, "/delete"), {}),
    ]


class TestRoles:
    @pytest.mark.parametrize("name", ["admin", "owner", "operator"])
    def test_who_may_configure_sees_forms(self, browse, people, segment, name):
        browser = browse(people[name])

        assert "New segment" in browser.get(SEGMENTS).text
        assert "Edit" in browser.get(path_of(segment)).text
        assert browser.get(path_of(segment, "/edit")).status_code == 200

    def test_a_viewer_sees_everything_and_can_press_nothing(self, browse, people, world, segment):
        world.happen("page_view", "ann")
        browser = browse(people.viewer)

        for path in (SEGMENTS, path_of(segment), path_of(segment, "/members/ann")):
            page = browser.get(path).text
            main = page[page.index("<main") :]
            assert "Fans" in main
            assert len(re.findall(r"<button(?! class=\"term\"|[^>]* disabled)", main)) == 0
            assert "/edit" not in main
        assert browser.get(path_of(segment, "/export")).status_code == 200
        assert browser.get(path_of(segment, "/edit")).status_code == 403
        assert browser.get(f"{SEGMENTS}/new").status_code == 403

    def test_a_viewer_may_change_nothing(self, browse, people, world, segment):
        browser = browse(people.viewer)

        assert {browser.post(*change).status_code for change in every_change(segment)} == {403}
        assert queries.list_segments(world.scope) == [segment]

    def test_a_stranger_finds_nothing(self, browse, people, world, segment):
        browser = browse(people.stranger)

        assert ">Fans<" not in browser.get(SEGMENTS).text
        for end in ("", "/edit", "/export", "/members/ann"):
            assert browser.get(path_of(segment, end)).status_code == 404
        changes = every_change(segment)[1:]
        assert {browser.post(*change).status_code for change in changes} == {404}
        assert queries.list_segments(world.scope) == [segment]

    def test_nobody_is_led_to_the_sign_in(self, browse, segment):
        for path in (SEGMENTS, path_of(segment), path_of(segment, "/edit")):
            assert "/app/login" in browse(None).get(path).location

    def test_a_form_without_its_token_is_refused(self, browse, people, world, segment):
        client = browse(people.owner).client

        statuses = {
            client.post(path, data=data).status_code for path, data in every_change(segment)
        }

        assert statuses == {403}
        assert queries.list_segments(world.scope) == [segment]


class TestList:
    def test_without_segments_it_says_what_they_are(self, browse, people, world):
        assert "Build the first segment" in browse(people.operator).get(SEGMENTS).text
        assert "Build the first segment" not in browse(people.viewer).get(SEGMENTS).text

    def test_members_are_counted_apart_from_the_page(self, browse, people, segment, make_lead):
        make_lead("ann", plan="Pro")
        browser, target = browse(people.viewer), f"count-{segment.segment_id}"

        assert f'id="{target}"' in browser.get(SEGMENTS).text
        counted = browser.get(path_of(segment), headers=htmx(target)).text

        assert counted.strip() == f'<span class="member-count" id="{target}">1</span>'

    def test_who_is_known_to_be_nobody_is_not_counted(self, browse, people, make_segment):
        make_segment(pro(), name="Off", active=False)
        make_segment(name="Empty")

        page = browse(people.viewer).get(SEGMENTS).text

        assert page.count('">0</span>') == 2
        assert "hx-get" not in page[page.index('id="segment-list"') :]

    def test_it_takes_the_same_number_of_statements_for_many(
        self, browse, people, make_segment, statements
    ):
        browser = browse(people.viewer)
        make_segment(pro())
        browser.get(SEGMENTS)
        statements.clear()
        browser.get(SEGMENTS)
        few = len(statements)
        for number in range(5):
            make_segment(pro(), name=f"Segment {number}")
        statements.clear()

        browser.get(SEGMENTS)

        assert len(statements) == few

    def test_a_segment_is_switched_off_copied_and_deleted(self, browse, people, world, segment):
        browser = browse(people.operator)

        assert browser.post(path_of(segment), {"active": "0"}).status_code == 303
        assert queries.get_segment(world.scope, segment.segment_id).active is False
        for expected in ("Fans copy", "Fans copy 2"):
            browser.post(path_of(segment, "/copy"))
            assert expected in [it.name for it in queries.list_segments(world.scope)]
        copied = queries.list_segments(world.scope)[1]
        assert rules_of(world, copied) == rules_of(world, segment)
        browser.post(path_of(segment, "/delete"))
        assert segment.segment_id not in [
            it.segment_id for it in queries.list_segments(world.scope)
        ]
        assert browser.post(path_of(copied), {"active": "maybe"}).status_code == 400


class TestMembers:
    @pytest.fixture
    def three(self, make_lead):
        for lead_id, plan in (("ann", "pro"), ("bob", "PRO"), ("cy", "free")):
            make_lead(lead_id, plan=plan)

    def test_they_are_listed_with_the_rules_in_words(self, browse, people, segment, three):
        page = browse(people.viewer).get(path_of(segment)).text

        assert re.findall(r'class="row-name" href="/app/leads/([^"]*)"', page) == ["ann", "bob"]
        assert 'plan <span class="muted">is</span> <b>pro</b>' in page

    def test_pages_follow_one_another(self, browse, people, segment, three, monkeypatch):
        monkeypatch.setattr("leadvibe.web.segments.PAGE_SIZE", 1)
        browser = browse(people.viewer)

        first = browser.get(path_of(segment), headers=htmx("segment-members")).text
        assert "?page=2" in first
        assert "<main" not in first
        second = browser.get(path_of(segment, "?page=2")).text
        assert "/app/leads/bob" in second
        assert browser.get(path_of(segment, "?page=3")).location == path_of(segment, "?page=2")
        assert browser.get(path_of(segment, "?page=x")).status_code == 200

    def test_each_says_why_it_is_in(self, browse, people, make_segment, three):
        segment = make_segment(
            pro(name="Paid"),
            pro(field="seats", operator="gt", value=5, order=1, logic_op="OR"),
            pro(rule_type=RuleType.ENGAGEMENT_LEVEL, field="", value="Hot", order=2, active=False),
        )
        browser, path = browse(people.viewer), path_of(segment, "/members/bob")

        alone = browser.get(path).text
        fragment = browser.get(path, headers=htmx("why-7")).text

        assert fragment.strip().startswith('<div class="reasons" id="why-7">')
        for text in (alone, fragment):
            assert "the lead has PRO" in text
            assert "the lead has nothing" in text
            assert re.findall(r"(Met|Not met|Not asked):", text) == [
                "Met", "Not met", "Not asked",
            ]  # fmt: skip
        assert browser.get(path_of(segment, "/members/nobody")).status_code == 404

    def test_they_are_exported(self, browse, people, segment, three):
        answer = browse(people.viewer).get(path_of(segment, "/export"))

        assert answer.headers["Content-Disposition"] == "attachment; filename=Fans.csv"
        assert [line.split(",")[0] for line in answer.text.splitlines()] == [
            "lead_id",
            "ann",
            "bob",
        ]

    def test_a_lead_names_its_segments(self, browse, people, segment, three):
        browser = browse(people.viewer)

        assert "Show its segments" in browser.get("/app/leads/ann").text
        for found in (
            browser.get("/app/leads/ann", headers=htmx("lead-segments")).text,
            browser.get("/app/leads/ann?show=segments").text,
        ):
            assert f'href="{path_of(segment)}">Fans' in found
        of_other = browser.get("/app/leads/cy", headers=htmx("lead-segments")).text
        assert "in no segment" in of_other


class TestBuilder:
    def test_a_segment_is_built_and_saved_at_once(self, browse, people, world):
        browser = browse(people.operator)
        sent = form_of(browser.get(f"{SEGMENTS}/new").text)
        sent |= {"name": "Fans", "rules-0-field": "plan", "rules-0-value": "pro"}

        sent = form_of(browser.post(f"{SEGMENTS}/new", {**sent, "do": "add:0"}).text)
        sent |= {"rules-1-field": "seats", "rules-1-operator": "gte", "rules-1-value": "5"}
        sent = form_of(browser.post(f"{SEGMENTS}/new", {**sent, "do": "up:1"}).text)
        answer = browser.post(f"{SEGMENTS}/new", {**sent, "do": "save"})

        [segment] = queries.list_segments(world.scope)
        assert (answer.status_code, answer.location) == (303, path_of(segment))
        assert rules_of(world, segment) == [
            ("seats", "gte", "5", 0, "AND"), ("plan", "equals", "pro", 0, "AND"),
        ]  # fmt: skip
        assert segment.active

    def test_rules_keep_their_ids_and_what_is_not_touched_stays_as_it_is(
        self, browse, people, world, make_segment
    ):
        segment = make_segment(
            pro(operator="in", value=["a, b", 5]), pro(order=1, field="other"), pro(order=2)
        )
        before = queries.list_rules(world.scope, segment.segment_id)
        browser = browse(people.operator)
        sent = form_of(browser.get(path_of(segment, "/edit")).text.replace("&#34;", "'"))
        sent["rules-0-value"] = sent["rules-0-value"].replace("'", '"')
        sent = form_of(
            browser.post(path_of(segment, "/edit"), {**sent, "do": "remove:1"}).text.replace(
                "&#34;", "'"
            )
        )
        sent["rules-0-value"] = sent["rules-0-value"].replace("'", '"')
        sent["rules-1-value"] = "free"

        browser.post(path_of(segment, "/edit"), {**sent, "do": "save"})

        after = queries.list_rules(world.scope, segment.segment_id)
        assert [rule.rule_id for rule in after] == [before[0].rule_id, before[2].rule_id]
        assert after[0] == before[0]
        assert after[1].value == "free"

    def test_mistakes_are_explained_where_they_are_and_nothing_is_saved(
        self, browse, people, world
    ):
        sent = {
            "do": "save", "name": " ", "active": "y",
            "rules-0-rule_type": "lead_metadata", "rules-0-field": "", "rules-0-value": "x",
            "rules-1-rule_type": "event_metadata", "rules-1-field": "url",
            "rules-1-operator": "gt", "rules-1-value": "many",
            "rules-2-rule_type": "engagement_level",
        }  # fmt: skip

        answer = browse(people.operator).post(f"{SEGMENTS}/new", sent)

        assert answer.status_code == 422
        for complaint in (
            "Name the segment.", "Name the property.", "Choose a type of event.",
            "Give a number, such as 50.", "Choose a level.",
        ):  # fmt: skip
            assert complaint in answer.text
        assert queries.list_segments(world.scope) == []

    def test_a_name_that_is_taken_is_said_at_the_name(self, browse, people, world, segment):
        answer = browse(people.operator).post(f"{SEGMENTS}/new", {"do": "save", "name": "Fans"})

        assert answer.status_code == 422
        assert re.search(r'id="name-error">.*?exists already', answer.text, re.DOTALL)

    def test_a_stale_form_is_not_saved_over_what_somebody_else_did(
        self, browse, people, world, segment
    ):
        browser = browse(people.operator)
        sent = form_of(browser.get(path_of(segment, "/edit")).text) | {"rules-0-value": "mine"}
        theirs = form_of(browse(people.owner).get(path_of(segment, "/edit")).text)
        theirs |= {"rules-0-value": "theirs", "do": "save"}
        browse(people.owner).post(path_of(segment, "/edit"), theirs)

        refused = browser.post(path_of(segment, "/edit"), {**sent, "do": "save"})

        assert refused.status_code == 409
        assert "last by owner@acme.test" in refused.text
        assert rules_of(world, segment)[0][2] == "theirs"
        again = form_of(refused.text)
        assert again["rules-0-value"] == "mine"
        browser.post(path_of(segment, "/edit"), {**again, "do": "save"})
        assert rules_of(world, segment)[0][2] == "mine"

    def test_whom_the_rules_match_is_shown_before_they_are_saved(
        self, browse, people, world, make_lead
    ):
        make_lead("ann", plan="pro")
        sent = {
            "active": "y", "rules-0-rule_type": "lead_metadata", "rules-0-field": "plan",
            "rules-0-value": "Pro", "rules-1-rule_type": "lead_metadata",
        }  # fmt: skip
        browser = browse(people.operator)

        page = browser.post(f"{SEGMENTS}/new", {**sent, "do": "preview"}).text
        fragment = browser.post(f"{SEGMENTS}/new", sent, headers=htmx("segment-preview")).text

        for text in (page, fragment):
            assert "1 lead matches now" in text
            assert "1 rule is not complete and left out." in text
            assert 'href="/app/leads/ann"' in text
        assert "<main" not in fragment
        assert queries.list_segments(world.scope) == []
        nobody = browser.post(f"{SEGMENTS}/new", headers=htmx("segment-preview")).text
        assert "Nobody yet" in nobody

    def test_what_is_known_is_suggested(self, browse, people, world, make_lead):
        make_lead("ann", plan="pro")
        world.happen("page_view", "ann", path="/pricing")
        sent = {
            "rules-0-rule_type": "event_metadata", "rules-0-event_type": "page_view",
            "rules-1-rule_type": "engagement_level",
        }  # fmt: skip

        page = browse(people.operator).post(f"{SEGMENTS}/new", sent).text

        for value in ("plan", "page_view", "path", "Hot", "Unclassified"):
            assert f'<option value="{value}">' in page

    def test_htmx_is_sent_on_to_the_segment(self, browse, people, world):
        answer = browse(people.operator).post(
            f"{SEGMENTS}/new", {"do": "save", "name": "Fans"}, headers=htmx("segment-form")
        )

        [segment] = queries.list_segments(world.scope)
        assert answer.headers["HX-Redirect"] == path_of(segment)

    def test_a_changed_form_tells_the_preview(self, browse, people, world):
        answer = browse(people.operator).post(
            f"{SEGMENTS}/new", {"do": "add:0"}, headers=htmx("segment-form")
        )

        assert "rules-changed" in answer.headers["HX-Trigger"]


class TestAccountsSwitchedOff:
    """Rules about accounts keep what they mean, are marked, and cannot be made."""

    RULE = pro(rule_type=RuleType.ACCOUNT_LEVEL, field="", value="Unclassified")

    @pytest.fixture
    def of_accounts(self, world, make_segment):
        set_accounts(world, enabled=True)
        segment = make_segment(self.RULE)
        set_accounts(world, enabled=False)
        return segment

    def test_they_are_not_offered_and_refused_with_the_remedy(self, browse, people, world):
        browser = browse(people.operator)
        sent = {
            "do": "save", "name": "Fans", "rules-0-rule_type": "account_level",
            "rules-0-value": "Unclassified",
        }  # fmt: skip

        assert "account_level" not in browser.get(f"{SEGMENTS}/new").text
        answer = browser.post(f"{SEGMENTS}/new", sent)

        assert answer.status_code == 422
        assert "an admin can set abm_enabled" in answer.text

    def test_those_that_stand_are_marked(self, browse, people, of_accounts):
        assert "accounts are switched off" in browse(people.viewer).get(path_of(of_accounts)).text
        page = browse(people.operator).get(path_of(of_accounts, "/edit")).text
        assert "Accounts are switched off" in page

    def test_they_may_stay_while_others_change(self, browse, people, world, of_accounts):
        browser = browse(people.operator)
        sent = form_of(browser.get(path_of(of_accounts, "/edit")).text) | {"name": "Renamed"}

        answer = browser.post(path_of(of_accounts, "/edit"), {**sent, "do": "save"})

        assert answer.status_code == 303
        assert len(rules_of(world, of_accounts)) == 1
        sent = form_of(browser.get(path_of(of_accounts, "/edit")).text)
        sent |= {"rules-0-value": "Hot", "do": "save"}
        assert browser.post(path_of(of_accounts, "/edit"), sent).status_code == 422

    def test_they_are_not_copied(self, browse, people, of_accounts):
        assert browse(people.operator).post(path_of(of_accounts, "/copy")).status_code == 403


def test_a_segment_that_is_gone_is_a_lost_page(browse, people, world):
    browser = browse(people.operator)

    for end in ("", "/edit", "/export"):
        assert browser.get(f"{SEGMENTS}/{uuid4()}{end}").status_code == 404


class TestPicks:
    @pytest.fixture
    def operator(self, browse, people):
        return browse(people.operator)

    @pytest.fixture
    def viewer(self, browse, people):
        return browse(people.viewer)

    def test_a_lead_is_added_on_its_own_page_and_listed_as_picked(
        self, operator, segment, make_lead
    ):
        make_lead("ana", plan="free")
        shown = operator.get("/app/leads/ana?show=segments").text
        assert "Add to a segment" in shown

        back = "/app/leads/ana?show=segments"
        form = {"segment": str(segment.segment_id), "back": back}
        added = operator.post("/app/leads/ana/segments", form)

        assert added.location == back
        assert "in “Fans” now" in operator.get(back).text
        picks = operator.get(path_of(segment, "?view=picks")).text
        assert "1 added" in picks
        assert "Added" in picks

    def test_a_member_is_kept_out_and_left_to_the_rules_again(self, operator, segment, make_lead):
        make_lead("ana", plan="pro")
        path = path_of(segment, "/members/ana")

        operator.post(path, {"pick": "out"})
        told = operator.get(path).text
        assert "Not a member" in told
        assert "Kept out by hand" in told

        operator.post(path, {"pick": "rules"})
        assert "Kept out" not in operator.get(path).text

    def test_nonsense_is_refused_and_viewers_may_not(self, operator, viewer, segment, make_lead):
        make_lead("ana", plan="pro")
        path = path_of(segment, "/members/ana")

        assert operator.post(path, {"pick": "maybe"}).status_code == 400
        assert operator.post(path_of(segment, "/members/nobody"), {"pick": "in"}).status_code == 404
        assert operator.post("/app/leads/ana/segments", {"segment": "x"}).status_code == 400
        assert operator.post(f"{SEGMENTS}/{uuid4()}/members/ana", {"pick": "in"}).status_code == 404
        assert viewer.post(path, {"pick": "in"}).status_code == 403
        assert 'name="pick"' not in viewer.get(path).text
        assert "Add to a segment" not in viewer.get("/app/leads/ana?show=segments").text


class TestDeletion:
    def test_what_goes_with_a_segment_is_told_and_goes(self, browse, people, segment):
        def save_view(browser, name):
            form = {"name": name, "query": f"segment={segment.segment_id}"}
            assert browser.post("/app/leads/views", form).status_code in {200, 303}

        owner, viewer = browse(people.owner), browse(people.viewer)
        save_view(owner, "Fans of mine")
        save_view(viewer, "Secret")

        page = owner.get(path_of(segment)).text
        assert "“Fans of mine”, 1 view of others" in page
        assert "Secret" not in page
        assert "“Fans of mine”" in owner.get(SEGMENTS).text

        owner.post(path_of(segment, "/delete"))
        assert "Fans of mine" not in owner.get("/app/leads").text
