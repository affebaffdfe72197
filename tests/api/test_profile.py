"""Profile and account scoring by the API: rulesets, rules, mappings, and why a score is what it is.

Both sides are tested alike, for they differ in their names alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from leadvibe.engine.rules import LevelKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline.attributes import rescore_some
from leadvibe.scoring import settings
from leadvibe.scoring.levels import list_stored_levels
from leadvibe.scoring.queries import current_version

NOBODYS = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Names:
    """What one side is called."""

    noun: str

    @property
    def sets(self) -> str:
        return f"/{self.noun}-scoring/rulesets"

    @property
    def mappings(self) -> str:
        return f"/{self.noun}-mappings"

    @property
    def key(self) -> str:
        return f"{self.noun}_property"


@pytest.fixture(params=["profile", "account"])
def names(request, world, elsewhere) -> Names:
    for each in (world, elsewhere):
        enable_accounts(each)
    return Names(request.param)


@pytest.fixture
def profile(world) -> Names:
    return Names("profile")


def enable_accounts(world, *, on: bool = True) -> None:
    settings.update_settings(world.principal, world.scope, {"abm_enabled": on}, now=utc_now())
    commit()


def catch_up(world) -> None:
    while rescore_some(world.scope, now=utc_now()):
        commit()
    commit()


def make_set(api, names, name="Fit", **fields) -> str:
    return api.post(names.sets, {"name": name, **fields}).json["id"]


def make_rule(api, names, ruleset_id, **changes):
    document = {
        names.key: "industry",
        "condition": "equals",
        "comparison_value": "tech",
        "weight": 20,
        **changes,
    }
    return api.post(f"{names.sets}/{ruleset_id}/rules", document)


class TestRulesets:
    def test_one_is_made_with_the_contracts_fields(self, call_as, people, names):
        response = call_as("operator").post(names.sets, {"name": "Fit", "is_primary": True})

        made = response.json
        assert response.status_code == 201
        assert {"id", "org_id", "name", "enabled", "is_primary", "created_at"} <= set(made)
        assert (made["enabled"], made["is_primary"]) == (True, True)
        assert made["created_by"] == people.operator.email
        assert call_as("viewer").get(names.sets).json == [made]
        assert call_as("stranger").get(names.sets).json == []

    def test_a_new_primary_takes_the_place_of_the_old(self, api, names):
        make_set(api, names, "First", is_primary=True)
        second = make_set(api, names, "Second")

        api.put(f"{names.sets}/{second}", {"is_primary": True})
        third = make_set(api, names, "Third", is_primary=True)

        primary = {it["id"]: it["is_primary"] for it in api.get(names.sets).json}
        assert [ruleset_id for ruleset_id, is_primary in primary.items() if is_primary] == [third]

    def test_a_name_is_given_once(self, api, names):
        make_set(api, names)
        other = make_set(api, names, "Other")

        for response in (
            api.post(names.sets, {"name": "Fit"}),
            api.put(f"{names.sets}/{other}", {"name": "Fit"}),
        ):
            assert response.status_code == 409
            assert list(response.json["fields"]) == ["name"]
        assert api.put(f"{names.sets}/{other}", {"name": "Other"}).status_code == 200

    @pytest.mark.parametrize(
        ("document", "field"),
        [({}, "name"), ({"name": ""}, "name"), ({"name": "x", "enabled": "yes"}, "enabled")],
    )
    def test_a_bad_one_is_refused_by_field(self, api, names, document, field):
        response = api.post(names.sets, document)

        assert (response.status_code, list(response.json["fields"])) == (400, [field])

    def test_deleting_one_deletes_its_rules_and_no_others(self, api, names):
        first, second = make_set(api, names), make_set(api, names, "Other")
        make_rule(api, names, first)
        make_rule(api, names, second)

        assert api.delete(f"{names.sets}/{first}").status_code == 204

        assert api.get(f"{names.sets}/{first}/rules").status_code == 404
        assert len(api.get(f"{names.sets}/{second}/rules").json) == 1

    def test_a_change_of_nothing_makes_no_version(self, api, world, names):
        ruleset_id = make_set(api, names)
        before = current_version(world.scope)

        api.put(f"{names.sets}/{ruleset_id}", {"name": "Fit", "enabled": True})

        assert current_version(world.scope) == before


class TestRules:
    def test_one_is_made_with_the_contracts_fields(self, api, names):
        ruleset_id = make_set(api, names)

        response = make_rule(api, names, ruleset_id, ui_order=3)

        assert response.status_code == 201
        assert (
            response.json.items()
            >= {
                names.key: "industry",
                "condition": "equals",
                "comparison_value": "tech",
                "weight": 20,
                "ui_order": 3,
                "ruleset_id": ruleset_id,
            }.items()
        )
        assert api.get(f"{names.sets}/{ruleset_id}/rules").json == [response.json]

    def test_they_are_listed_as_people_arranged_them(self, api, names):
        ruleset_id = make_set(api, names)
        last, first = (
            make_rule(api, names, ruleset_id, ui_order=order).json["id"] for order in (2, 1)
        )

        listed = [it["id"] for it in api.get(f"{names.sets}/{ruleset_id}/rules").json]

        assert listed == [first, last]

    def test_the_names_of_older_clients_are_read_too(self, api, names):
        ruleset_id = make_set(api, names)
        older = {
            f"{names.noun}_field": "size", "operator": "greater_than", "value": "10", "weight": -5
        }  # fmt: skip

        made = api.post(f"{names.sets}/{ruleset_id}/rules", older).json

        assert (made[names.key], made["condition"], made["comparison_value"]) == (
            "size",
            "greater_than",
            "10",
        )

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"condition": "resembles"}, "condition"),
            ({"comparison_value": None}, "comparison_value"),
            ({"comparison_value": {"a": 1}}, "comparison_value"),
            ({"comparison_value": "x" * 4_000}, "comparison_value"),
            ({"weight": 5.5}, "weight"),
            ({"weight": None}, "weight"),
            ({"ui_order": "first"}, "ui_order"),
            ({"property": " "}, "property"),
            ({"property": ".".join("a" * 40)}, "property"),
        ],
    )
    def test_a_bad_one_is_refused_by_field(self, api, names, changes, field):
        ruleset_id = make_set(api, names)
        named = {names.key if key == "property" else key: it for key, it in changes.items()}

        response = make_rule(api, names, ruleset_id, **named)

        assert response.status_code == 400
        assert list(response.json["fields"]) == [names.key if field == "property" else field]
        assert api.get(f"{names.sets}/{ruleset_id}/rules").json == []

    def test_a_change_leaves_the_rest_and_is_checked_with_it(self, api, names):
        ruleset_id = make_set(api, names)
        path = f"{names.sets}/{ruleset_id}/rules/{make_rule(api, names, ruleset_id).json['id']}"

        assert api.put(path, {"condition": "exists", "comparison_value": None}).json["weight"] == 20
        refused = api.put(path, {"condition": "gt"})

        assert list(refused.json["fields"]) == ["comparison_value"]
        assert api.get(f"{names.sets}/{ruleset_id}/rules").json[0]["condition"] == "exists"

    def test_one_of_another_set_is_not_there(self, api, names):
        first, second = make_set(api, names), make_set(api, names, "Other")
        rule_id = make_rule(api, names, first).json["id"]

        for ruleset_id, rule in ((second, rule_id), (first, NOBODYS), (NOBODYS, rule_id)):
            path = f"{names.sets}/{ruleset_id}/rules/{rule}"
            for response in (api.put(path, {"weight": 1}), api.delete(path)):
                assert response.status_code == 404
                assert response.json["code"].startswith(f"{names.noun}_rule")


class TestMappings:
    def test_one_is_made_with_the_contracts_fields(self, api, names):
        document = {"source_field": "utm_source", names.key: "acquisition_source"}

        made = api.post(names.mappings, document)

        assert made.status_code == 201
        assert made.json.items() >= {**document, "update_behavior": "always_latest"}.items()
        assert api.get(names.mappings).json == [made.json]

    def test_a_property_has_one_way_to_be_filled(self, api, names):
        def make(source, target, behavior="always_latest"):
            return api.post(
                names.mappings,
                {"source_field": source, names.key: target, "update_behavior": behavior},
            )

        assert make("plan", "tier").status_code == 201
        assert make("package", "tier").status_code == 201
        assert make("page", "page", "append").status_code == 201

        assert list(make("plan", "tier").json["fields"]) == ["source_field"]
        assert list(make("offer", "tier", "set_once").json["fields"]) == ["update_behavior"]
        refused = make("pages", "page_list")
        assert (refused.status_code, list(refused.json["fields"])) == (409, [names.key])

    @pytest.mark.parametrize(
        ("document", "field"),
        [
            ({"source_field": "plan"}, "target"),
            ({"target": "tier"}, "source_field"),
            ({"source_field": "plan", "target": "tier", "update_behavior": "x"}, "update_behavior"),
        ],
    )
    def test_a_bad_one_is_refused_by_field(self, api, names, document, field):
        named = {names.key if key == "target" else key: it for key, it in document.items()}

        response = api.post(names.mappings, named)

        assert response.status_code == 400
        assert list(response.json["fields"]) == [names.key if field == "target" else field]

    def test_a_change_and_an_end(self, api, names):
        made = api.post(names.mappings, {"source_field": "plan", names.key: "tier"}).json
        path = f"{names.mappings}/{made['id']}"

        changed = api.put(path, {"update_behavior": "set_once"}).json

        assert (changed["source_field"], changed["update_behavior"]) == ("plan", "set_once")
        assert api.delete(path).status_code == 204
        assert api.put(path, {"source_field": "x"}).status_code == 404


class TestScores:
    def test_a_score_is_shown_wherever_leads_are(self, api, world, profile):
        ruleset_id = make_set(api, profile, is_primary=True)
        make_rule(api, profile, ruleset_id, weight=60)
        catch_up(world)
        api.post("/leads", {"id": "ada", "metadata": {"industry": "Tech"}})
        api.post("/leads", {"id": "bob"})

        assert api.get("/score/ada").json["profile_scores"] == {ruleset_id: 60}
        [ada, bob] = sorted(api.get("/leads").json, key=lambda it: it["lead_id"])
        assert (ada["profile_scores"], bob["profile_scores"]) == (
            {ruleset_id: 60},
            {ruleset_id: 0},
        )
        assert ada["ruleset_names"][ruleset_id] == "Fit"
        assert ada["profile_primary_ruleset_name"] == "Fit"
        levels = list_stored_levels(world.scope, LevelKind.PROFILE)
        found = {it["id"]: it["profile_level"] for it in api.get("/leads/search", q="ada").json}
        assert found == {"ada": next(it.level.name for it in levels if it.level.holds(60))}

    def test_leads_without_profile_rulesets_have_no_profile_scores(self, api):
        api.post("/leads", {"id": "ada"})

        assert api.get("/score/ada").json["profile_scores"] == {}

    def test_rules_that_are_met_explain_the_score(self, call_as, api, world, profile):
        ruleset_id = make_set(api, profile, is_primary=True)
        rule_id = make_rule(api, profile, ruleset_id, weight=30).json["id"]
        make_rule(api, profile, ruleset_id, comparison_value="banking", weight=99)
        catch_up(world)
        api.post("/leads", {"id": "ada", "metadata": {"industry": "tech"}})
        api.put(f"{profile.sets}/{ruleset_id}/rules/{rule_id}", {"weight": 1})

        reasons = call_as("viewer").get("/lead/ada/profile-explain").json

        assert (reasons["lead_id"], reasons["score"]) == ("ada", 30)
        [explained] = reasons["rulesets"]
        assert explained["matched"] == [
            {
                "rule_id": rule_id,
                "property": "industry",
                "condition": "equals",
                "comparison_value": "tech",
                "weight": 30,
            }
        ]
        assert call_as("stranger").get("/lead/ada/profile-explain").status_code == 404

    def test_a_deleted_set_keeps_its_scores_and_their_reasons(self, api, world, profile):
        ruleset_id = make_set(api, profile)
        make_rule(api, profile, ruleset_id)
        catch_up(world)
        api.post("/leads", {"id": "ada", "metadata": {"industry": "tech"}})

        api.delete(f"{profile.sets}/{ruleset_id}")
        catch_up(world)

        assert api.get("/score/ada").json["profile_scores"] == {ruleset_id: 20}
        [explained] = api.get("/lead/ada/profile-explain").json["rulesets"]
        assert (explained["ruleset_name"], explained["is_live"]) == ("Fit", False)

    def test_a_list_of_leads_costs_the_same_however_many_have_profile_scores(
        self, api, world, profile, statements
    ):
        ruleset_id = make_set(api, profile)
        make_rule(api, profile, ruleset_id)
        catch_up(world)

        def cost(count: int) -> int:
            for number in range(count):
                api.post("/leads", {"id": f"{count}-{number}", "metadata": {"industry": "tech"}})
            statements.clear()
            api.get("/leads", limit=50)
            return len(statements)

        assert cost(2) == cost(20)


def test_properties_are_those_that_were_ever_seen(call_as, api, world):
    assert api.get("/lead-metadata/properties").json == []
    api.post("/leads", {"id": "ada", "metadata": {"plan": "pro", "industry": "tech"}})

    assert api.get("/lead-metadata/properties").json == ["industry", "plan"]
    assert api.get("/leads/metadata-properties").json == ["industry", "plan"]
    assert call_as("stranger").get("/lead-metadata/properties").json == []


def test_account_scoring_is_refused_where_accounts_are_not_scored(api, world):
    for method, path in (
        ("GET", "/account-scoring/rulesets"),
        ("POST", "/account-scoring/rulesets"),
        ("GET", f"/account-scoring/rulesets/{NOBODYS}/rules"),
        ("GET", "/account-metadata/properties"),
        ("GET", "/account-mappings"),
        ("DELETE", f"/account-mappings/{NOBODYS}"),
        ("GET", "/accounts"),
        ("GET", "/accounts/acme.test"),
        ("DELETE", "/accounts/batch"),
    ):
        response = api.send(method, path, json={"name": "Fit", "ids": ["acme.test"]})
        assert (response.status_code, response.json["code"]) == (403, "abm_disabled"), path
