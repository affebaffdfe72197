"""Accounts by the API: the list, one account, finding one, and taking leads out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.engine.policies import SURGE_STANDARD
from leadvibe.engine.triggers import Surge
from leadvibe.leadlist import accounts as leadlist
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.scoring import policies
from tests.api.test_profile import Names, catch_up, enable_accounts, make_rule, make_set
from tests.factories import make_trigger

ACCOUNT = Names("account")


@pytest.fixture(autouse=True)
def _enabled(world, elsewhere):
    for each in (world, elsewhere):
        enable_accounts(each)


@pytest.fixture
def companies(world):
    """Let people of three companies be active: their best scores are 60, 30 and 5."""
    world.add_rule("demo", 30)
    world.add_rule("visit", 5)
    world.happen("demo", "ada", email="ada@acme.test", ago=timedelta(hours=3))
    world.happen("demo", "ada", ago=timedelta(hours=1))
    world.happen("visit", "bob", email="bob@acme.test")
    world.happen("demo", "eve", email="eve@globex.test", ago=timedelta(days=40))
    world.happen("visit", "dan", email="dan@initech.test")
    world.happen("visit", "fay", email="fay@gmail.com")


def listed(api, **query) -> list[str]:
    return [it["account_id"] for it in api.get("/accounts", **query).json["accounts"]]


def test_the_list_says_what_the_leads_of_each_account_add_up_to(call_as, people, companies):
    page = call_as("viewer").get("/accounts", limit=2).json

    assert (page["total"], page["page"], page["limit"]) == (3, 1, 2)
    first = page["accounts"][0]
    assert first["account_id"] == first["name"] == first["domain"] == "acme.test"
    assert (first["top_score"], first["leads_count"]) == (60, 2)
    assert first["org_id"] == str(people.organization.org_id)
    assert call_as("stranger").get("/accounts").json["accounts"] == []


def test_the_list_is_sorted_in_any_way_and_paged(api, companies):
    assert listed(api) == ["acme.test", "globex.test", "initech.test"]
    assert listed(api, sort_order="asc") == ["initech.test", "globex.test", "acme.test"]
    assert listed(api, sort_by="last_activity") == ["initech.test", "acme.test", "globex.test"]
    assert listed(api, sort_by="name", sort_order="desc")[0] == "initech.test"
    assert listed(api, sort_by="created", page=2, limit=2) == ["acme.test"]
    assert listed(api, page=2, per_page=1) == ["globex.test"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "ACME"}, ["acme.test"]),
        ({"search": "te"}, ["acme.test", "globex.test", "initech.test"]),
        ({"search": "100%"}, []),
        ({"intent_level": "high"}, ["acme.test"]),
        ({"intent_level": "medium"}, ["globex.test"]),
        ({"intent_level": "low"}, ["initech.test"]),
        ({"intent_level": "all", "min_engagement": 30}, ["acme.test", "globex.test"]),
        ({"intent_level": "medium", "min_engagement": 40}, []),
        ({"range": "today"}, ["acme.test", "globex.test", "initech.test"]),
        ({"range": "yesterday"}, []),
        ({"created_before": "2020-01-01"}, []),
        ({"created_after": "2020-01-01", "min_score": 0, "max_score": 0, "search": "glo"},
         ["globex.test"]),
        ({"min_score": 1}, []),
        ({"account_level": "low", "search": "init"}, ["initech.test"]),
        ({"account_level": "High"}, []),
    ],
)  # fmt: skip
def test_the_list_is_narrowed_by_any_condition(api, companies, query, found):
    assert listed(api, **query) == found
    assert api.get("/accounts", limit=1, **query).json["total"] == len(found)


def test_a_search_for_what_is_common_finds_the_same(api, companies, monkeypatch):
    monkeypatch.setattr(leadlist, "RARE", 1)

    assert listed(api, search="test") == ["acme.test", "globex.test", "initech.test"]
    assert listed(api, search="acme") == ["acme.test"]
    assert listed(api, search="_est") == []


def test_accounts_that_were_active_since_a_time(api, companies):
    since = (utc_now() - timedelta(days=1)).isoformat()

    assert listed(api, last_activity_after=since) == ["acme.test", "initech.test"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"intent_level": "huge"}, "intent_level"),
        ({"range": "ever"}, "range"),
        ({"sort_by": "luck"}, "sort_by"),
        ({"per_page": 101}, "per_page"),
        ({"account_level": "Titanic"}, "account_level"),
    ],
)
def test_a_bad_question_is_refused_by_field(api, query, field):
    response = api.get("/accounts", **query)

    assert (response.status_code, list(response.json["fields"])) == (400, [field])


def test_intents_are_cut_as_levels_of_those_names_are(api, companies):
    levels = {it["name"]: it["level_id"] for it in api.get("/account-levels").json}
    api.put(f"/account-levels/{levels['High']}", {"min_score": 61, "max_score": None})
    api.put(f"/account-levels/{levels['Medium']}", {"max_score": 60})

    assert listed(api, intent_level="medium") == ["acme.test", "globex.test"]


def test_an_account_surges_for_a_day_after_points_were_multiplied(api, world):
    policies.set_surge_policy(world.principal, world.scope, SURGE_STANDARD, now=utc_now())
    world.add_rule("visit", 10)
    for minute in range(4):
        world.happen("visit", "ada", email="ada@acme.test", ago=timedelta(minutes=9 - minute))
        world.happen("visit", "eve", email="eve@old.test", ago=timedelta(days=2, minutes=-minute))
    world.happen("visit", "eve")

    surging = {it["account_id"]: it["surging"] for it in api.get("/accounts").json["accounts"]}

    assert surging == {"acme.test": True, "old.test": False}
    assert listed(api, surge_status="surging") == ["acme.test"]
    assert api.get("/accounts/acme.test").json["surge_active"]


def test_an_account_surges_for_a_day_after_a_surge_trigger_fired(api, world):
    make_trigger(world.scope, Surge(1, 60))
    world.happen("visit", "ada", email="ada@acme.test", ago=timedelta(minutes=1))
    world.happen("visit", "eve", email="eve@old.test", ago=timedelta(days=2))

    assert listed(api, surge_status="surging") == ["acme.test"]


def test_one_account_with_its_leads_and_their_events(call_as, api, world, companies):
    detail = api.get("/accounts/ACME.test").json

    assert detail["account_id"] == "acme.test"
    assert [(it["lead_id"], it["score"]) for it in detail["leads"]] == [("ada", 60), ("bob", 5)]
    assert [it["event_type"] for it in detail["recent_events"]] == ["visit", "demo", "demo"]
    assert call_as("stranger").get("/accounts/acme.test").json["code"] == "account_not_found"


def test_the_metadata_of_an_account_is_scored_and_explained(api, world):
    api.post("/account-mappings", {"source_field": "size", "account_property": "employees"})
    ruleset_id = make_set(api, ACCOUNT, is_primary=True)
    make_rule(
        api, ACCOUNT, ruleset_id,
        account_property="employees", condition="gte", comparison_value=100, weight=55,
    )  # fmt: skip
    catch_up(world)

    world.happen("visit", "ada", email="ada@acme.test", size=250)

    [account] = api.get("/accounts").json["accounts"]
    assert (account["metadata"], account["account_score"]) == ({"employees": 250}, 55)
    assert account["account_level"] == "High"
    assert listed(api, account_level="High", min_score=55) == ["acme.test"]
    assert api.get("/accounts/acme.test").json["account_scores"] == {ruleset_id: 55}
    reasons = api.get("/accounts/acme.test/score-explain").json
    assert (reasons["score"], reasons["account_level"]) == (55, "High")
    assert reasons["rulesets"][0]["matched"][0]["property"] == "employees"
    assert api.get("/account-metadata/properties").json == ["employees"]


def test_a_lead_shows_its_account(api, companies):
    for path in ("/leads/ada", "/lead/ada"):
        assert api.get(path).json["account"] == {
            "account_id": "acme.test",
            "name": "acme.test",
            "domain": "acme.test",
            "metadata": {},
        }
    assert api.get("/leads/fay").json["account"] is None


def test_leads_are_taken_out_of_accounts_which_go_when_they_are_empty(call_as, api, companies):
    strangers = call_as("stranger").delete("/accounts/batch", {"ids": ["acme.test"]}).json
    assert strangers == {"unlinked": 0, "deleted": 0}

    done = api.delete("/accounts/batch", {"ids": ["acme.test", "nobody"]}).json

    assert done == {"unlinked": 2, "deleted": 1}
    assert listed(api) == ["globex.test", "initech.test"]
    assert api.get("/leads/ada").json["lead"]["account_id"] is None
    assert api.delete("/accounts/batch", {"ids": []}).status_code == 400


def test_an_account_is_found_by_its_domain_then_by_its_exact_name(call_as, companies):
    member = call_as("viewer")
    driver().execute("UPDATE accounts SET name = 'Globex Inc.' WHERE account_id = 'globex.test'")

    def found(**query):
        answer = member.get("/accounts/by-domain", **query).json
        return answer and answer["account_id"]

    assert found(domain="ACME.test", name="Globex Inc.") == "acme.test"
    assert found(domain="unknown.test", name="globex inc.") == "globex.test"
    assert found(name="Globex") is None
    assert list(member.get("/accounts/by-domain").json["fields"]) == ["domain"]
    assert call_as("stranger").get("/accounts/by-domain", domain="acme.test").json is None


def test_accounts_of_similar_names_are_found(call_as, world, api, companies):
    api.post("/account-mappings", {"source_field": "company", "account_property": "name"})
    for number, name in enumerate(
        ("Umbrella Corporation", "Umbrella Corp.", "Wayne Enterprises", "Umbra")
    ):
        world.happen("visit", f"p{number}", email=f"p@c{number}.test", company=name)
    commit()
    member = call_as("viewer")

    found = member.get("/accounts/fuzzy", name="umbrela corp").json

    assert [it["name"] for it in found] == ["Umbrella Corp.", "Umbrella Corporation"]
    assert found[0]["similarity"] > found[1]["similarity"] > 0.6
    assert member.get("/accounts/fuzzy", name="zzzz").json == []
    assert list(member.get("/accounts/fuzzy").json["fields"]) == ["name"]
    assert call_as("stranger").get("/accounts/fuzzy", name="umbrella corp").json == []


def test_a_page_costs_the_same_however_many_accounts_are_on_it(api, world, statements):
    def cost(count: int) -> int:
        for number in range(count):
            world.happen("visit", f"{count}-{number}", email=f"a@c{count}-{number}.test")
        statements.clear()
        api.get("/accounts", limit=50)
        return len(statements)

    assert cost(2) == cost(15)
