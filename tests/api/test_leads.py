"""Leads: the list in its two shapes, single leads, search and aliases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from leadvibe.api.fields import LAST_PAGE
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from leadvibe.pipeline import process

# Every field of seed document 000, in its order.
ITEM_FIELDS = [
    "org_id",
    "lead_id",
    "score",
    "ruleset_id",
    "last_event_at",
    "created_at",
    "updated_at",
    "owner_name",
    "session_count",
    "engagement_scores",
    "profile_scores",
    "ruleset_names",
    "engagement_primary_ruleset_name",
    "profile_primary_ruleset_name",
]


def make_lead(scope, lead_id, **metadata):
    leads.create(
        scope, lead_id=lead_id, metadata=metadata, account_id=None, source="api", now=utc_now()
    )
    commit()


def ids(response):
    found = response.json["leads"] if isinstance(response.json, dict) else response.json
    return [lead["lead_id"] for lead in found]


def test_without_a_page_all_leads_come_as_a_bare_array(api, world):
    world.score_leads(a=10, b=30, c=20)

    response = api.get("/leads")

    assert ids(response) == ["b", "c", "a"]
    assert list(response.json[0]) == ITEM_FIELDS


@pytest.mark.parametrize("query", [{"page": 1}, {"limit": 50}, {"page": 1, "limit": 50}])
def test_with_a_page_or_a_limit_they_come_wrapped(api, world, query):
    world.score_leads(a=10, b=30)

    response = api.get("/leads", **query)

    assert {name: response.json[name] for name in ("total", "page", "limit")} == {
        "total": 2,
        "page": 1,
        "limit": 50,
    }
    assert ids(response) == ["b", "a"]


def test_pages_follow_one_another_and_the_total_stays(api, world):
    world.score_leads(a=10, b=30, c=20)

    pages = [api.get("/leads", page=number, limit=2) for number in (1, 2, 3)]

    assert [ids(page) for page in pages] == [["b", "c"], ["a"], []]
    assert [page.json["total"] for page in pages] == [3, 3, 3]


def test_each_ruleset_has_its_own_score_and_name(api, world):
    second = world.add_ruleset("Experimental")
    world.add_rule("page_view", 40)
    world.add_rule("page_view", 35, second)
    world.happen("page_view", "ld_1")

    [lead] = api.get("/leads").json

    assert lead["score"] == 40
    assert lead["ruleset_id"] == str(world.primary.ruleset_id)
    assert lead["engagement_scores"] == {
        str(world.primary.ruleset_id): 40,
        str(second.ruleset_id): 35,
    }
    assert lead["ruleset_names"] == {
        str(world.primary.ruleset_id): "Engagement",
        str(second.ruleset_id): "Experimental",
    }
    assert lead["engagement_primary_ruleset_name"] == "Engagement"


def test_a_lead_without_events_is_listed_unscored(api, people):
    make_lead(people.scope, "ld_1")

    [lead] = api.get("/leads").json

    assert (lead["score"], lead["ruleset_id"], lead["engagement_scores"]) == (0, "", {})
    assert lead["last_event_at"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"min_score": 20}, ["c", "b"]),
        ({"max_score": 20}, ["b", "a"]),
        ({"min_score": 15, "max_score": 25}, ["b"]),
        ({"event_type": "worth_a"}, ["a"]),
        ({"event_type": "worth_nothing"}, []),
        ({"last_active": "any"}, ["c", "b", "a"]),
        ({"last_active": "7d"}, ["c", "b", "a"]),
        ({"range": "today"}, ["c", "b", "a"]),
        ({"range": "yesterday"}, []),
        ({"range": "all", "min_score": 30}, ["c"]),
    ],
)
def test_leads_are_narrowed_down(api, world, query, expected):
    world.score_leads(a=10, b=20, c=30)

    assert ids(api.get("/leads", **query)) == expected
    paged = api.get("/leads", limit=50, **query)
    assert ids(paged) == expected
    assert paged.json["total"] == len(expected)


def test_activity_and_creation_are_counted_back_from_now(api, world):
    world.happen("page_view", "recent", ago=timedelta(days=3))
    world.happen("page_view", "older", ago=timedelta(days=20))
    world.happen("page_view", "oldest", ago=timedelta(days=60))
    session().execute(
        text("UPDATE leads SET created_at = now() - interval '10 days' WHERE lead_id <> 'recent'")
    )
    commit()

    assert ids(api.get("/leads", last_active="7d")) == ["recent"]
    assert set(ids(api.get("/leads", last_active="30d"))) == {"recent", "older"}
    assert ids(api.get("/leads", range="last_7d")) == ["recent"]
    assert len(ids(api.get("/leads", range="last_30d"))) == 3


@pytest.mark.parametrize("paging", [{}, {"limit": 9}])
def test_the_range_bounds_the_count_of_sessions(api, world, paging):
    for days in (0, 3, 20, 60):
        world.happen("page_view", "ana", ago=timedelta(days=days))

    def sessions(**query) -> list[int]:
        found = api.get("/leads", **query, **paging).json
        return [it["session_count"] for it in (found["leads"] if paging else found)]

    assert [sessions(), sessions(range="last_7d"), sessions(range="last_30d")] == [[4], [2], [3]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": 0}, "page"),
        ({"page": "two"}, "page"),
        ({"page": 10**12}, "page"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"min_score": "high"}, "min_score"),
        ({"min_score": 10**10}, "min_score"),
        ({"max_score": 1.5}, "max_score"),
        ({"range": "last_year"}, "range"),
        ({"last_active": "90d"}, "last_active"),
        ({"event_type": "\x00"}, "event_type"),
    ],
)
def test_a_bad_query_is_refused_by_field(api, query, field):
    response = api.get("/leads", **query)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_the_last_page_there_can_be_is_empty(api, world):
    world.score_leads(a=10)

    assert ids(api.get("/leads", page=LAST_PAGE, limit=500)) == []


def test_a_page_costs_the_same_however_long_it_is(api, people, world, statements):
    def cost(limit):
        del statements[:]
        assert len(ids(api.get("/leads", limit=limit))) == limit
        return len(statements)

    world.score_leads(**{f"lead_{number}": number + 1 for number in range(12)})
    api.get("/leads", limit=1)

    assert cost(10) == cost(2)


def test_a_list_too_long_for_one_piece_comes_whole_and_in_order(api, people, world):
    world.add_rule("page_view", 1)
    for start in (0, 1000):
        api.post(
            "/ingest/batch",
            {
                "events": [
                    {"event_type": "page_view", "lead_id": f"ld_{number:04}"}
                    for number in range(start, start + 600)
                ]
            },
        )
    process.drain(people.scope)

    found = ids(api.get("/leads"))

    assert len(found) == 1_200
    assert found == sorted(found)


def test_a_lead_is_made_under_the_id_that_the_client_chose(api, people):
    response = api.post("/leads", {"id": "crm/7 é", "metadata": {"plan": "pro"}})

    assert response.status_code == 201
    assert response.json["id"] == "crm/7 é"
    assert response.json["metadata"] == {"plan": "pro"}
    assert response.json["unit_id"] == str(people.unit.unit_id)
    assert api.get("/leads/crm%2F7%20%C3%A9").json["lead"] == response.json


def test_an_id_is_given_once(api):
    assert api.post("/lead", {"id": "ld_1"}).status_code == 201

    again = api.post("/leads", {"id": "ld_1"})

    assert again.status_code == 409
    assert "id" in again.json["fields"]


@pytest.mark.parametrize(
    ("document", "status", "field"),
    [
        ({}, 400, "id"),
        ({"id": ""}, 400, "id"),
        ({"id": "x" * 201}, 400, "id"),
        ({"id": "ld_1", "metadata": "pro"}, 400, "metadata"),
        ({"id": "ld_1", "metadata": {"a": "\x00"}}, 400, "metadata"),
        ({"id": "ld_1", "metadata": {"a": "x" * 103_000}}, 413, "metadata"),
        ({"id": "ld_1", "account_id": 7}, 400, "account_id"),
    ],
)
def test_a_bad_lead_is_refused_by_field(api, document, status, field):
    response = api.post("/leads", document)

    assert response.status_code == status
    assert field in response.json["fields"]


def test_one_lead_comes_with_its_account_and_under_the_singular_path_flat_as_well(api, world):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ld_1")

    plural, singular = api.get("/leads/ld_1").json, api.get("/lead/ld_1").json

    assert set(plural) == {"lead", "account"}
    assert plural["account"] is None
    assert plural["lead"]["id"] == "ld_1"
    assert singular["lead"] == plural["lead"]
    assert (singular["lead_id"], singular["score"]) == ("ld_1", 5)
    assert singular["last_event_at"] is not None


@pytest.mark.parametrize(
    "path",
    ["/leads/no", "/lead/no", "/leads/no/aliases", "/score/no", "/lead/no/score-explain"],
)
def test_a_lead_that_is_not_there_is_not_found(api, path):
    response = api.get(path)

    assert response.status_code == 404
    assert response.json["code"] == "lead_not_found"


@pytest.mark.parametrize("lead_id", ["a%00b", "%C3%28", "%2E%2E", "x" * 3000])
def test_strange_ids_are_only_not_found(api, lead_id):
    assert api.get(f"/leads/{lead_id}").status_code == 404


def test_search_finds_by_id_first_and_then_by_alias(api, world):
    world.happen("page_view", "ada_1", email="somebody@acme.test")
    world.happen("page_view", "ld_2", email="ada@acme.test")

    found = api.get("/leads/search", q="ADA").json

    assert [(it["id"], it["match_type"], it["best_alias"]) for it in found] == [
        ("ada_1", "id", "somebody@acme.test"),
        ("ld_2", "alias", "ada@acme.test"),
    ]
    assert found[0]["engagement_level"] == "Cold"


def test_search_names_the_level_of_the_score(api, world):
    world.score_leads(warm_lead=30)

    assert api.get("/leads/search", q="warm").json[0]["engagement_level"] == "Warm"


def test_search_returns_ten_at_most_and_nothing_for_a_short_text(api, people):
    for number in range(11):
        make_lead(people.scope, f"ld_{number}")

    assert len(api.get("/leads/search", q="ld_").json) == 10
    assert api.get("/leads/search", q="l").json == []
    assert len(api.get("/leads/search", q="ld").json) == 10
    assert api.get("/leads/search", q="d_").json == []
    assert api.get("/leads/search", q="%_").json == []
    assert api.get("/leads/search").status_code == 400


def test_aliases_show_how_they_were_spelled_and_how_they_are_compared(api, world):
    world.happen("page_view", "ld_1", email="Ada@Acme.test")

    [alias] = api.get("/lead/ld_1/aliases").json

    assert set(alias) == {"id", "alias_kind", "raw_value", "kind", "value", "created_at"}
    assert (alias["alias_kind"], alias["raw_value"]) == ("email", "Ada@Acme.test")
    assert (alias["kind"], alias["value"]) == ("email", "ada@acme.test")
