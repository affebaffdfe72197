"""Orders over the API."""

from __future__ import annotations

import pytest

from tests.world import World

ORDER = {"order_id": "o1", "lead_id": "ana", "amount": 49.9, "currency": "eur"}


@pytest.fixture
def lead(world: World) -> World:
    world.add_rule("page_view", 5)
    world.happen("page_view", "ana", email="ana@x.test")
    return world


def test_an_order_is_kept_with_all_that_was_said_of_it(api, lead):
    said = {"status": "paid", "ordered_at": "2025-08-15T12:00:00Z", "items": [{"sku": "a", "n": 2}]}

    response = api.post("/orders", {**ORDER, **said})

    assert response.status_code == 201
    kept = response.json
    assert {name: kept[name] for name in said} == said
    assert (kept["order_id"], kept["lead_id"], kept["amount"]) == ("o1", "ana", 49.9)
    assert kept["currency"] == "EUR"
    assert api.get("/orders").json == [kept]


def test_an_order_is_no_event_and_scores_nothing(api, lead):
    api.post("/orders", ORDER)

    assert len(api.get("/events").json) == 1
    assert api.get("/score/ana").json["score"] == 5


def test_an_order_that_is_sent_again_takes_the_place_of_the_first(api, lead):
    api.post("/orders", ORDER)

    api.post("/orders", {**ORDER, "status": "refunded", "amount": 0})

    [kept] = api.get("/orders").json
    assert (kept["status"], kept["amount"]) == ("refunded", 0)


def test_an_alias_finds_the_lead_or_makes_one(api, lead):
    def buyer(**identity) -> str:
        order = {"amount": 1, "currency": "EUR", **identity}
        return api.post("/orders", order).json["lead_id"]

    known = buyer(aliases=[{"alias_kind": "email", "raw_value": " ANA@x.test"}])
    unknown = buyer(aliases=[{"alias_kind": "email", "raw_value": "bo@x.test"}])
    named = buyer(lead_id="cy")

    assert (known, named) == ("ana", "cy")
    assert {it["lead_id"] for it in api.get("/leads").json} == {"ana", unknown, "cy"}


def test_a_visitor_whom_an_order_names_is_folded_in(api, lead):
    api.post("/ingest", {"event_type": "x", "aliases": [cookie("c1")]})
    lead.happen("page_view", "ana")

    api.post("/orders", {**ORDER, "aliases": [cookie("c1")]})

    assert len(api.get("/leads").json) == 1
    assert len(api.get("/events/ana").json) == 3


def cookie(value: str) -> dict[str, str]:
    return {"alias_kind": "cookie", "raw_value": value}


def test_orders_are_listed_by_lead_status_and_range(api, lead):
    api.post("/orders", {**ORDER, "ordered_at": "2025-08-15T12:00:00Z"})
    api.post("/orders", {**ORDER, "order_id": "o2", "status": "paid"})
    api.post("/orders", {**ORDER, "order_id": "o3", "lead_id": "bo"})

    def listed(**query) -> list[str]:
        response = api.get("/orders", **query)
        return [order["order_id"] for order in response.json]

    assert listed(lead_id="ana") == ["o2", "o1"]
    assert listed(status="paid") == ["o2"]
    assert sorted(listed(range="today")) == ["o2", "o3"]
    assert listed(limit=1, page=3) == ["o1"]
    assert api.get("/orders", limit=1).headers["X-Total-Count"] == "3"
    assert api.get("/orders", lead_id="zoe").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": None}, "amount"),
        ({"amount": "much"}, "amount"),
        ({"amount": 1e30}, "amount"),
        ({"amount": 0.00001}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "€€€"}, "currency"),
        ({"lead_id": None}, "aliases"),
        ({"aliases": [{"alias_kind": "fax", "raw_value": "1"}]}, "aliases.0.alias_kind"),
        ({"items": {"sku": 1}}, "items"),
        ({"items": [5]}, "items.0"),
        ({"ordered_at": "then"}, "ordered_at"),
        ({"order_id": ""}, "order_id"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(api, lead, change, field):
    response = api.post("/orders", {**ORDER, **change})

    assert response.status_code == 400, response.json
    assert list(response.json["fields"]) == [field]
    assert api.get("/orders").json == []


def test_a_stranger_sees_no_orders(api, call_as, lead):
    api.post("/orders", ORDER)

    assert call_as("stranger").get("/orders").json == []
    call_as("stranger").post("/orders", {**ORDER, "amount": 1})
    assert [order["amount"] for order in api.get("/orders").json] == [49.9]
