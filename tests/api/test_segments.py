"""Segments through the API: their rules, who is in them and why, from what is stored now."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest

from leadvibe.engine.conditions import MAX_CLAUSES
from tests.api.segment_examples import add_rule, add_segment


def make_segment(api, *rules, **fields):
    made = api.post("/segments", {"name": "Fans", **fields})
    assert made.status_code == 201, made.text
    segment_id = made.json["segment_id"]
    for rule in rules:
        added = api.post(f"/segments/{segment_id}/rules", rule)
        assert added.status_code == 201, added.text
    return segment_id


def members(api, segment_id, **query):
    found = api.get(f"/segments/{segment_id}/leads", **query).json
    if not query:
        assert api.get(f"/segments/{segment_id}/count").json == {"count": len(found)}
    return [lead["lead_id"] for lead in found]


def make_lead(api, lead_id, **metadata):
    assert api.post("/leads", {"id": lead_id, "metadata": metadata}).status_code == 201


def of_lead(field, operator, value=None, **more):
    rule = {"rule_type": "lead_metadata", "field_name": field, "operator": operator, **more}
    return rule if value is None else {**rule, "value": value}


def of_event(event_type, field, operator, value=None, **more):
    rule = of_lead(field, operator, value, **more)
    return {**rule, "rule_type": "event_metadata", "event_type": event_type}


class TestMembership:
    def test_a_segment_without_rules_has_no_members(self, api):
        make_lead(api, "ana")

        assert members(api, make_segment(api)) == []

    def test_leads_are_found_by_their_metadata_the_best_first(self, api, world):
        for lead_id, plan in (("ana", "Pro"), ("bo", "pro"), ("cy", "free"), ("di", None)):
            make_lead(api, lead_id, plan=plan)
        world.score_leads(bo=5)

        assert members(api, make_segment(api, of_lead("plan", "equals", "PRO"))) == ["bo", "ana"]

    def test_who_has_no_such_property_is_not_equal_to_anything(self, api):
        make_lead(api, "ana", plan="pro")
        make_lead(api, "bo")

        assert members(api, make_segment(api, of_lead("plan", "not_equals", "pro"))) == ["bo"]

    def test_one_event_that_counts_and_meets_the_condition_is_enough(self, api, world):
        world.happen("page_view", "ana", url="/pricing")
        world.happen("page_view", "ana", url="/blog")
        world.happen("page_view", "bo", url="/blog")
        world.happen("email_opened", "cy", url="/pricing")

        rule = of_event("page_view", "url", "contains", "pricing")
        assert members(api, make_segment(api, rule)) == ["ana"]

    def test_suppressed_events_count_for_nothing(self, api, call_as, world):
        world.happen("page_view", "ana", agent="person")
        filter_ = {
            "name": "Bots",
            "conditions": [{"key": "agent", "operator": "contains", "value": "bot"}],
        }
        assert call_as("owner").post("/metadata-filters", filter_).status_code == 201
        world.happen("page_view", "ana", agent="bot", url="/pricing")

        rule = of_event("page_view", "url", "equals", "/pricing")
        assert members(api, make_segment(api, rule)) == []

    def test_what_changes_about_a_lead_changes_its_segments_at_once(self, api):
        make_lead(api, "ana", plan="free")
        segment_id = make_segment(api, of_lead("plan", "equals", "pro"))
        assert members(api, segment_id) == []

        api.send("PATCH", "/leads/ana", json={"plan": "pro"})

        assert members(api, segment_id) == ["ana"]

    def test_a_merged_lead_is_a_member_no_more(self, api, call_as):
        make_lead(api, "ana", plan="pro")
        make_lead(api, "old", plan="pro")
        segment_id = make_segment(api, of_lead("plan", "equals", "pro"))
        merged = call_as("owner").post(
            "/leads/merge", {"targetLeadId": "ana", "sourceLeadIds": ["old"]}
        )
        assert merged.status_code == 200

        assert members(api, segment_id) == ["ana"]

    def test_an_inactive_segment_keeps_its_rules_and_has_no_members(self, api):
        make_lead(api, "ana", plan="pro")
        segment_id = make_segment(api, of_lead("plan", "equals", "pro"))

        api.put(f"/segments/{segment_id}", {"active": False})

        assert members(api, segment_id) == []
        assert len(api.get(f"/segments/{segment_id}/rules").json) == 1

    def test_an_inactive_rule_is_not_asked(self, api):
        make_lead(api, "ana", plan="pro")
        segment_id = make_segment(
            api, of_lead("plan", "equals", "pro"), of_lead("plan", "equals", "x", active=False)
        )

        assert members(api, segment_id) == ["ana"]

    @pytest.mark.parametrize(
        ("rules", "expected"),
        [
            (("a", "AND b"), ["ab"]),
            (("a", "OR b"), ["a", "ab", "b"]),
            (("a", "OR b", "AND c"), []),
            (("c", "AND a", "OR b"), ["ab", "b"]),
            (("1 b", "1 AND a", "0 c"), []),
            (("1 OR b", "1 AND a", "0 c"), ["ab", "c"]),
        ],
    )
    def test_rules_are_joined_from_left_to_right_and_groups_after_them(self, api, rules, expected):
        for lead_id in ("a", "ab", "b", "c"):
            make_lead(api, lead_id, letters=list(lead_id))
        segment_id = make_segment(api)
        for rule in rules:
            *words, letter = rule.split()
            group = next((int(word) for word in words if word.isdigit()), 0)
            joiner = next((word for word in words if word.isalpha()), "AND")
            added = of_lead("letters", "equals", letter, logic_group=group, logic_op=joiner)
            api.post(f"/segments/{segment_id}/rules", added)

        assert sorted(members(api, segment_id)) == expected

    def test_pages_follow_one_another(self, api):
        for number in range(5):
            make_lead(api, f"lead{number}", plan="pro")
        segment_id = make_segment(api, of_lead("plan", "exists"))

        pages = [members(api, segment_id, page=page, limit=2) for page in (1, 2, 3, 4)]

        assert pages == [["lead0", "lead1"], ["lead2", "lead3"], ["lead4"], []]


class TestLevels:
    def level_rule(self, kind, operator, value):
        return {"rule_type": kind, "operator": operator, "value": value}

    def test_engagement_levels_are_the_ones_that_leads_show(self, api, world):
        levels = {it["name"]: it for it in api.get("/engagement-levels").json}
        world.score_leads(ana=levels["Hot"]["min_score"], bo=levels["Hot"]["min_score"] - 1)

        rule = self.level_rule("engagement_level", "equals", "hot")
        assert members(api, make_segment(api, rule)) == ["ana"]

    def test_a_gap_is_called_unclassified(self, api, call_as, world):
        for level in api.get("/engagement-levels").json:
            call_as("owner").delete(f"/engagement-levels/{level['stage_id']}")
        call_as("owner").post(
            "/engagement-levels",
            {"name": "Warm", "min_score": 10, "max_score": 20, "color": "#ff0000"},
        )
        world.score_leads(ana=9, bo=10, cy=20, di=21)

        in_gap = self.level_rule("engagement_level", "equals", "Unclassified")
        in_level = self.level_rule("engagement_level", "not_equals", "Unclassified")
        assert members(api, make_segment(api, in_gap)) == ["di", "ana"]
        assert members(api, make_segment(api, in_level, name="Others")) == ["cy", "bo"]

    def test_profile_levels_are_of_the_primary_ruleset(self, api, call_as):
        owner = call_as("owner")
        fit = owner.post("/profile-scoring/rulesets", {"name": "Fit", "is_primary": True}).json[
            "id"
        ]
        owner.post(
            f"/profile-scoring/rulesets/{fit}/rules",
            {"profile_property": "plan", "condition": "equals", "comparison_value": "pro",
             "weight": 500},
        )  # fmt: skip
        make_lead(api, "ana", plan="pro")
        make_lead(api, "bo", plan="free")
        top = max(api.get("/profile-levels").json, key=lambda it: it["min_score"])["name"]

        rule = self.level_rule("profile_level", "equals", top)
        other = self.level_rule("profile_level", "not_equals", top)
        assert members(api, make_segment(api, rule)) == ["ana"]
        assert members(api, make_segment(api, other, name="Others")) == ["bo"]


class TestAccounts:
    def test_leads_are_found_by_what_is_known_about_their_account(self, api, call_as, world):
        call_as("admin").put("/settings/scoring", {"abm_enabled": True})
        world.happen("page_view", "ana", email="ana@big.example")
        world.happen("page_view", "bo", email="bo@small.example")
        world.happen("page_view", "cy")
        accounts = {it["name"]: it for it in call_as("owner").get("/accounts").json["accounts"]}
        assert accounts

        rule = {
            "rule_type": "account_level", "operator": "equals", "value": "Unclassified"
        }  # fmt: skip
        has_account = members(api, make_segment(api, rule))
        assert "cy" not in has_account
        denied = {**rule, "operator": "not_equals"}
        assert set(members(api, make_segment(api, denied, name="Denied"))) == (
            {"ana", "bo", "cy"} - set(has_account)
        )

    @pytest.mark.parametrize("rule_type", ["account_metadata", "account_level"])
    def test_without_accounts_no_rule_about_them_is_made_changed_or_tried(
        self, api, call_as, rule_type
    ):
        rule = of_lead("industry", "equals", "Unclassified", rule_type=rule_type)
        call_as("admin").put("/settings/scoring", {"abm_enabled": True})
        segment_id = make_segment(api, rule, of_lead("plan", "exists"))
        call_as("admin").put("/settings/scoring", {"abm_enabled": False})
        kept, other = (it["rule_id"] for it in api.get(f"/segments/{segment_id}/rules").json)
        path = f"/segments/{segment_id}/rules"

        refused = [
            api.post(path, rule),
            api.put(f"{path}/{kept}", {"value": "Hot"}),
            api.put(f"{path}/{other}", {"rule_type": rule_type, "value": "Hot"}),
            api.post("/segments/preview", {"rules": [rule]}),
        ]

        assert {(it.status_code, it.json["code"]) for it in refused} == {(403, "abm_disabled")}

    def test_rules_about_accounts_keep_their_meaning_when_these_are_switched_off(
        self, api, call_as, world
    ):
        call_as("admin").put("/settings/scoring", {"abm_enabled": True})
        world.happen("page_view", "ana", email="ana@big.example")
        world.happen("page_view", "cy")
        segment_id = make_segment(
            api, {"rule_type": "account_level", "operator": "equals", "value": "Unclassified"}
        )
        before = members(api, segment_id)

        call_as("admin").put("/settings/scoring", {"abm_enabled": False})

        [rule] = api.get(f"/segments/{segment_id}/rules").json
        assert (rule["rule_type"], rule["active"]) == ("account_level", True)
        assert members(api, segment_id) == before
        path = f"/segments/{segment_id}/rules/{rule['rule_id']}"
        assert api.put(path, {"active": False}).status_code == 200
        assert members(api, segment_id) == []
        assert api.delete(path).status_code == 204


class TestReasons:
    def test_each_rule_says_whether_the_lead_meets_it(self, api):
        make_lead(api, "ana", plan="pro", size=5)
        segment_id = make_segment(
            api,
            of_lead("plan", "equals", "pro", rule_name="Paid"),
            of_lead("size", "gt", 10, rule_name="Large", logic_op="OR"),
            of_lead("size", "gt", 10, rule_name="Asleep", active=False),
        )

        found = api.get(f"/segments/{segment_id}/members/ana").json

        assert found["is_member"] is True
        assert [(it["rule_name"], it["met"]) for it in found["rules"]] == [
            ("Paid", True), ("Large", False), ("Asleep", None),
        ]  # fmt: skip

    def test_a_lead_names_the_segments_that_it_is_in(self, api):
        make_lead(api, "ana", plan="pro")
        make_segment(api, of_lead("plan", "equals", "pro"), name="B")
        make_segment(api, of_lead("plan", "exists"), name="A")
        make_segment(api, of_lead("plan", "equals", "free"), name="C")
        make_segment(api, name="D")

        assert [it["name"] for it in api.get("/leads/ana/segments").json] == ["A", "B"]

    def test_a_lead_may_be_in_more_segments_than_one_statement_asks_for(
        self, api, world, monkeypatch
    ):
        monkeypatch.setattr("leadvibe.segments.membership.ASKED_AT_ONCE", 2)
        world.happen("page_view", "ana", plan="pro")
        expected = [add_segment(world, name=f"Segment {number}") for number in range(5)]
        for segment_id in expected:
            add_rule(world, segment_id)

        found = api.get("/leads/ana/segments").json

        assert [it["segment_id"] for it in found] == [str(it) for it in expected]

    def test_rules_are_tried_without_a_segment(self, api):
        for number in range(30):
            make_lead(api, f"lead{number:02}", plan="pro")

        tried = api.post("/segments/preview", {"rules": [of_lead("plan", "equals", "pro")]}).json

        assert (tried["count"], len(tried["leads"])) == (30, 25)
        assert api.get("/segments").json == []

    def test_members_are_exported_and_no_cell_is_a_formula(self, api):
        make_lead(api, "=cmd", plan="pro")
        segment_id = make_segment(api, of_lead("plan", "equals", "pro"))

        rows = list(csv.DictReader(StringIO(api.get(f"/segments/{segment_id}/export").text)))

        assert [row["lead_id"] for row in rows] == ["'=cmd"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("rule", "field"),
        [
            ({"rule_type": "lead_metadata", "operator": "equals", "value": "x"}, "field_name"),
            (of_lead("plan", "resembles", "x"), "operator"),
            (of_lead("plan", "equals"), "value"),
            (of_lead("plan", "gt", {"a": 1}), "value"),
            (of_lead("plan", "equals", "x", rule_type="page_view"), "rule_type"),
            (of_lead("plan", "equals", "x", logic_op="XOR"), "logic_op"),
            (of_lead("plan", "equals", "x", rule_type="event_metadata"), "event_type"),
            ({"operator": "equals", "field_name": "plan", "value": "x"}, "rule_type"),
        ],
    )
    def test_a_rule_that_means_nothing_is_refused_by_its_field(self, api, rule, field):
        segment_id = make_segment(api)

        refused = api.post(f"/segments/{segment_id}/rules", rule)

        assert refused.status_code == 400
        assert list(refused.json["fields"]) == [field]
        tried = api.post("/segments/preview", {"rules": [rule]})
        assert tried.status_code == 400
        assert list(tried.json["fields"]) == [f"rules.0.{field}"]

    def test_a_change_must_fit_what_stays(self, api):
        segment_id = make_segment(api, of_lead("plan", "exists"))
        [rule] = api.get(f"/segments/{segment_id}/rules").json

        refused = api.put(f"/segments/{segment_id}/rules/{rule['rule_id']}", {"operator": "gt"})

        assert refused.status_code == 400
        assert api.get(f"/segments/{segment_id}/rules").json == [rule]

    def test_a_name_is_given_once(self, api):
        make_segment(api)

        refused = api.post("/segments", {"name": "Fans"})

        assert (refused.status_code, refused.json["code"]) == (409, "segment_exists")
        other = make_segment(api, name="Others")
        assert api.put(f"/segments/{other}", {"name": "Fans"}).status_code == 409
        assert api.put(f"/segments/{other}", {"name": "Others"}).status_code == 200

    def test_there_are_only_so_many_rules(self, api, world):
        segment_id = add_segment(world)
        for _ in range(MAX_CLAUSES):
            add_rule(world, segment_id)

        refused = api.post(f"/segments/{segment_id}/rules", of_lead("plan", "exists"))

        assert (refused.status_code, refused.json["code"]) == (409, "too_many_segment_rules")
        assert api.get(f"/segments/{segment_id}/count").status_code == 200

    def test_a_rule_belongs_to_one_segment(self, api, world):
        one, other = add_segment(world), add_segment(world)
        rule_id = add_rule(world, one)

        refused = api.delete(f"/segments/{other}/rules/{rule_id}")

        assert (refused.status_code, refused.json["code"]) == (404, "segment_rule_not_found")

    def test_a_lead_of_nobody_has_no_reasons(self, api, world):
        refused = api.get(f"/segments/{add_segment(world)}/members/nobody")

        assert (refused.status_code, refused.json["code"]) == (404, "lead_not_found")


def test_rules_take_the_last_place_of_their_group(api):
    segment_id = make_segment(
        api,
        of_lead("a", "exists"),
        of_lead("b", "exists"),
        of_lead("c", "exists", logic_group=1),
        of_lead("d", "exists", order_index=-1),
    )

    rules = api.get(f"/segments/{segment_id}/rules").json

    places = [(it["field_name"], it["logic_group"], it["order_index"]) for it in rules]
    assert places == [("d", 0, -1), ("a", 0, 0), ("b", 0, 1), ("c", 1, 0)]


def test_a_deleted_segment_takes_its_rules_and_leaves_its_leads(api):
    make_lead(api, "ana", plan="pro")
    segment_id = make_segment(api, of_lead("plan", "exists"))

    assert api.delete(f"/segments/{segment_id}").status_code == 204

    assert api.get(f"/segments/{segment_id}/rules").status_code == 404
    assert api.get("/leads/ana").status_code == 200
    assert api.get("/leads/ana/segments").json == []


def test_strangers_leads_and_events_are_nobodys_members(api, elsewhere, world):
    elsewhere.happen("page_view", "ana", url="/pricing", ago=timedelta(minutes=1))
    world.happen("page_view", "ana", url="/blog")

    rule = of_event("page_view", "url", "equals", "/pricing")
    assert members(api, make_segment(api, rule)) == []


class TestPicks:
    def test_a_lead_is_added_kept_out_and_left_to_the_rules(self, api):
        make_lead(api, "ana", plan="pro")
        segment_id = make_segment(api, of_lead("plan", "equals", "free"))
        path = f"/segments/{segment_id}/members/ana"

        added = api.put(path, {"member": True})
        assert (added.json["lead_id"], added.json["member"]) == ("ana", True)
        assert members(api, segment_id) == ["ana"]
        told = api.get(path).json
        assert (told["is_member"], told["picked"], told["rules"][0]["met"]) == (True, True, False)

        api.put(path, {"member": False})
        assert members(api, segment_id) == []
        assert [it["member"] for it in api.get(f"/segments/{segment_id}/picks").json] == [False]

        assert api.send("DELETE", path).status_code == 204
        assert api.get(path).json["picked"] is None

    def test_many_are_added_at_once_and_taken_back(self, api):
        for lead_id in ("ana", "bo", "cy"):
            make_lead(api, lead_id, plan="pro")
        segment_id = make_segment(api)
        api.put(f"/segments/{segment_id}/members/bo", {"member": False})
        api.put(f"/segments/{segment_id}/members/cy", {"member": True})
        body = {"action": "add_to_segment", "segment_id": segment_id, "criteria": {}}

        done = api.post("/leads/bulk", body).json
        assert (done["leads_changed"], done["can_be_undone"]) == (2, True)
        assert members(api, segment_id) == ["ana", "bo", "cy"]

        assert api.post(f"/leads/bulk/{done['action_id']}/undo").json["leads_changed"] == 2
        assert members(api, segment_id) == ["cy"]
        assert api.get(f"/segments/{segment_id}/members/bo").json["picked"] is False

    def test_which_segment_must_be_said(self, api):
        make_lead(api, "ana")
        body = {"action": "remove_from_segment", "lead_ids": ["ana"]}

        refused = api.post("/leads/bulk", body)

        assert (refused.status_code, list(refused.json["fields"])) == (400, ["segment_id"])
        body["segment_id"] = "0193647b-8a3e-7c52-a5ad-0d2f8e2f6c11"
        assert api.post("/leads/bulk", body).json["code"] == "segment_not_found"
