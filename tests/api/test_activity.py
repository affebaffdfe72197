"""A lead's events and orders in one stream."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.pipeline import rescore
from leadvibe.scoring import items
from leadvibe.scoring.types import ItemKind
from tests.world import World

DAY = timedelta(days=1)


@pytest.fixture
def lead(world: World) -> World:
    """Let a lead have done something on three channels, today, yesterday and a month ago."""
    world.add_rule("page_view", 5)
    world.add_rule("email_bounced", -3)
    world.happen("page_view", "ana", ago=40 * DAY)
    world.happen("page_view", "ana", ago=3 * DAY)
    world.happen("email_bounced", "ana", ago=2 * DAY)
    world.happen("chat", "ana", channel="Slack", ago=timedelta(minutes=5))
    return world


def buy(api, order_id: str, ago: timedelta = timedelta(0)) -> None:
    made = {"order_id": order_id, "lead_id": "ana", "amount": 9.5, "currency": "eur"}
    response = api.post("/orders", {**made, "ordered_at": (utc_now() - ago).isoformat()})
    assert response.status_code == 201


def stream(api, **query):
    response = api.get("/leads/ana/activity", **query)
    assert response.status_code == 200
    return response.json


def types(api, **query) -> list[str]:
    return [event["event_type"] for event in stream(api, **query)["events"]]


def test_the_last_week_is_shown_unless_somebody_asks_for_more(api, lead):
    buy(api, "new")
    buy(api, "old", ago=20 * DAY)

    week, all_time = stream(api), stream(api, range="all")

    assert len(week["events"]) == 3
    assert [order["order_id"] for order in week["orders"]] == ["new"]
    assert len(all_time["events"]) == 4
    assert [order["order_id"] for order in all_time["orders"]] == ["new", "old"]


def test_the_timeline_holds_both_the_latest_first(api, lead):
    buy(api, "o1", ago=timedelta(days=2, hours=12))

    timeline = stream(api)["timeline"]

    assert [it.get("event_type") or it["order_id"] for it in timeline] == [
        "chat", "email_bounced", "o1", "page_view",
    ]  # fmt: skip
    assert [it["type"] for it in timeline] == ["event", "event", "order", "event"]


def test_an_event_carries_its_points_and_an_order_what_it_was_worth(api, lead):
    buy(api, "o1")

    found = stream(api)

    assert [event["score_delta"] for event in found["events"]] == [None, -3, 5]
    [order] = found["orders"]
    assert (order["amount"], order["currency"], order["status"]) == (9.5, "EUR", "completed")
    assert api.get("/score/ana").json["score"] == 7


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"channel": "all"}, ["chat", "email_bounced", "page_view"]),
        ({"channel": "slack"}, ["chat"]),
        ({"channel": "email"}, ["email_bounced"]),
        ({"channel": "crm"}, []),
        ({"minScore": 1}, ["page_view"]),
        ({"minScore": 0}, ["chat", "page_view"]),
        ({"hasDelta": "1"}, ["email_bounced", "page_view"]),
        ({"hasDelta": "true"}, ["email_bounced", "page_view"]),
        ({"hasDelta": "false"}, ["chat", "email_bounced", "page_view"]),
        ({"maxLatency": 3_600_000}, ["chat"]),
        ({"maxLatency": 1}, []),
        ({"range": "last_24h"}, ["chat"]),
        ({"range": "all", "minScore": 5}, ["page_view", "page_view"]),
        ({"limit": 1}, ["chat"]),
    ],
)
def test_filters_choose_among_events(api, lead, query, expected):
    assert types(api, **query) == expected


def test_filters_leave_orders_alone_but_for_the_range(api, lead):
    buy(api, "o1")

    assert len(stream(api, channel="crm", minScore=99, hasDelta=1, maxLatency=1)["orders"]) == 1
    assert stream(api, range="yesterday")["orders"] == []


def test_a_range_of_ones_own_begins_at_its_start_and_ends_before_its_end(api, lead):
    [_, bounced, viewed] = stream(api)["events"]

    own = {"range": "custom", "start": viewed["timestamp"], "end": bounced["timestamp"]}

    assert types(api, **own) == ["page_view"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"range": "custom"}, "start"),
        ({"range": "custom", "start": "2025-01-01"}, "end"),
        ({"range": "custom", "start": "2025-01-02", "end": "2025-01-02"}, "end"),
        ({"range": "ever"}, "range"),
        ({"minScore": -1}, "minScore"),
        ({"maxLatency": 0}, "maxLatency"),
        ({"hasDelta": "maybe"}, "hasDelta"),
        ({"limit": 0}, "limit"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(api, lead, query, field):
    response = api.get("/leads/ana/activity", **query)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_what_did_not_fit_is_admitted(api, lead):
    assert stream(api)["has_more"] is False
    assert stream(api, limit=2)["has_more"] is True


def test_suppressed_events_are_shown_with_their_reason(api, lead):
    conditions = [{"key": "bot", "operator": "equals", "value": "yes"}]
    items.create_item(
        lead.principal, lead.scope, ItemKind.METADATA_FILTER,
        {"name": "Bots", "event_type": "", "conditions": conditions, "enabled": True},
        summary="More", now=utc_now(),
    )  # fmt: skip
    lead.happen("page_view", "ana", bot="yes")

    newest = stream(api)["events"][0]

    assert (newest["suppressed"], newest["suppression_reason"]) == (True, "metadata_filter")
    assert newest["score_delta"] is None


def test_decay_is_shown_on_the_system_channel_with_what_it_took(api, lead):
    made = utc_now() - 90 * DAY
    rule = {"inactive_for": 1, "unit": "days", "decrease": 2, "created_at": made.isoformat()}
    items.create_item(
        lead.principal, lead.scope, ItemKind.DECAY, rule, summary="More", now=utc_now()
    )
    rescore.rescore_leads(lead.scope, ["ana"], now=utc_now())

    [decay, *_] = stream(api, channel="system", range="all")["events"]

    assert (decay["event_type"], decay["score_delta"] < 0) == ("DECAY", True)
    assert decay["metadata"]["channel"] == "system"
    assert "system" in api.get("/channels").json


def test_channels_are_those_that_were_seen(api, call_as, lead):
    assert api.get("/channels").json == ["email", "slack", "web"]
    assert call_as("stranger").get("/channels").json == []


def test_a_merged_lead_shows_the_activity_of_the_one_it_became(api, lead):
    lead.happen("page_view", "bo")
    api.post("/leads/merge", {"targetLeadId": "ana", "sourceLeadIds": ["bo"]})

    found = api.get("/lead/bo/activity").json["events"]

    assert [event["original_lead_id"] for event in found] == [None, "bo", None, None, None]
