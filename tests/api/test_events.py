"""Events: lists, filters, exports, explanations and deletion."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from leadvibe.api.events import MOST_DELETED_AT_ONCE
from leadvibe.lib.clock import utc_now
from leadvibe.lib.spreadsheets import write_csv


def kinds(response):
    return [event["event_type"] for event in response.json]


def test_events_come_newest_first_with_the_total_in_a_header(api, world):
    for days, kind in enumerate(["newest", "middle", "oldest"]):
        world.happen(kind, "ld_1", ago=timedelta(days=days))

    first, second = (api.get("/events", page=page, limit=2) for page in (1, 2))

    assert (kinds(first), kinds(second)) == (["newest", "middle"], ["oldest"])
    assert first.headers["X-Total-Count"] == second.headers["X-Total-Count"] == "3"


def test_an_event_shows_what_was_sent_and_when_it_came(api, world):
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    event_id = world.happen("email_open", "ld_1", at=at, campaign="spring")

    [event] = api.get("/events").json

    assert event["id"] == str(event_id)
    assert event["timestamp"] == "2026-01-02T03:04:05Z"
    assert event["metadata"] == {"campaign": "spring"}
    assert (event["channel"], event["suppression_reason"]) == ("email", None)
    assert datetime.fromisoformat(event["created_at"]) > utc_now() - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"metadata": "plan:pro"}, {"pro", "pro_5"}),
        ({"metadata": "seats:5"}, {"pro_5", "text_5"}),
        ({"metadata": "trial:true"}, {"trial"}),
        ({"metadata": "seats:5.0"}, {"pro_5"}),
        ({"metadata": "url:https://acme.test/a:b"}, {"url"}),
        ({"metadata": ["plan:pro", "seats:5"]}, {"pro_5"}),
        ({"metadata": ["plan:pro", "seats:5"], "logic": "and"}, {"pro_5"}),
        ({"metadata": ["plan:pro", "trial:true"], "logic": "or"}, {"pro", "pro_5", "trial"}),
        ({"metadata": "plan:free"}, set()),
        ({"metadata": "plan:"}, set()),
        ({"metadata": "seats:Infinity"}, set()),
        ({"metadata": f"seats:1{'0' * 400}"}, set()),
        ({"event_type": "trial"}, {"trial"}),
        ({"lead_id": "ld_2"}, {"url"}),
        ({"range": "last_24h"}, {"pro", "pro_5", "text_5", "trial"}),
        ({"range": "last_24h", "metadata": "plan:pro"}, {"pro", "pro_5"}),
    ],
)
def test_events_are_narrowed_down(api, world, query, expected):
    world.happen("pro", "ld_1", plan="pro")
    world.happen("pro_5", "ld_1", plan="pro", seats=5)
    world.happen("text_5", "ld_1", seats="5")
    world.happen("trial", "ld_1", trial=True)
    world.happen("url", "ld_2", ago=timedelta(days=3), url="https://acme.test/a:b")

    response = api.get("/events", **query)

    assert set(kinds(response)) == expected
    assert response.headers["X-Total-Count"] == str(len(expected))
    exported = list(csv.DictReader(io.StringIO(api.get("/events/export", **query).text)))
    assert {row["event_type"] for row in exported} == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"metadata": "plan"}, "metadata.0"),
        ({"metadata": ["plan:pro", ":pro"]}, "metadata.1"),
        ({"metadata": ["a:b"] * 21}, "metadata"),
        ({"metadata": "a:\x00"}, "metadata.0"),
        ({"logic": "xor"}, "logic"),
        ({"range": "ever"}, "range"),
        ({"limit": 501}, "limit"),
    ],
)
def test_a_bad_query_is_refused_by_field(api, query, field):
    response = api.get("/events", **query)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_the_events_of_a_lead_are_its_own(api, world):
    world.happen("page_view", "ld_1", ago=timedelta(hours=2))
    world.happen("email_open", "ld_1", ago=timedelta(hours=1))
    world.happen("page_view", "ld_2")

    assert kinds(api.get("/events/ld_1")) == ["email_open", "page_view"]
    assert kinds(api.get("/events/ld_1", event_type="page_view")) == ["page_view"]
    assert kinds(api.get("/events/ld_1", page=2, limit=1)) == ["page_view"]
    assert api.get("/events/ld_1", limit=1).headers["X-Total-Count"] == "2"
    assert api.get("/events/nobody").json["code"] == "lead_not_found"


def test_a_fixed_path_wins_over_a_lead_of_that_name(api, world):
    world.happen("page_view", "export")

    assert api.get("/events/export").mimetype == "text/csv"


def test_the_export_is_a_file_with_a_header(api, world):
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    event_id = world.happen("page_view", "ld_1", at=at)

    response = api.get("/events/export")

    assert response.headers["Content-Disposition"] == "attachment; filename=events.csv"
    assert response.text.splitlines() == [
        "id,lead_id,event_type,timestamp",
        f"{event_id},ld_1,page_view,2026-01-02T03:04:05Z",
    ]


def test_no_cell_of_an_export_is_a_formula(api, world):
    world.happen("=1+1", "@lead")

    [row] = csv.DictReader(io.StringIO(api.get("/events/export").text))

    assert (row["event_type"], row["lead_id"]) == ("'=1+1", "'@lead")


def test_a_long_file_is_written_in_pieces():
    pieces = list(write_csv(["number"], ([number] for number in range(2_500))))

    assert len(pieces) == 3
    assert len("".join(pieces).splitlines()) == 2_501


def test_an_event_says_what_it_did_in_every_ruleset(api, world):
    second = world.add_ruleset("Experimental")
    rule = world.add_rule("page_view", 5)
    world.add_rule("page_view", -2, second)
    world.happen("page_view", "ld_1")
    event_id = world.happen("page_view", "ld_1")

    explained = api.get(f"/events/{event_id}/score-explain").json

    assert explained["event_id"] == str(event_id)
    assert explained["lead_id"] == "ld_1"
    assert explained["rulesets"][0] == {
        "ruleset_id": str(world.primary.ruleset_id),
        "ruleset_name": "Engagement",
        "rule_id": str(rule.rule_id),
        "before": 5,
        "delta": 5,
        "after": 10,
        "base_weight": 5,
        "multiplier": 1.0,
    }
    below = explained["rulesets"][1]
    assert (below["ruleset_name"], below["before"], below["delta"]) == ("Experimental", 0, 0)


@pytest.mark.parametrize("event_id", ["no-id", "00000000-0000-0000-0000-000000000000"])
def test_an_event_that_is_not_there_is_not_found(api, event_id):
    response = api.get(f"/events/{event_id}/score-explain")

    assert response.status_code == 404
    assert response.json["code"] == "event_not_found"


def test_deleting_events_takes_their_points_back(api, world):
    world.add_rule("page_view", 5)
    first = world.happen("page_view", "ld_1", ago=timedelta(hours=2))
    world.happen("page_view", "ld_1", ago=timedelta(hours=1))

    response = api.delete("/events/batch", {"ids": [str(first), str(uuid4())]})

    assert response.json == {"deleted": 1}
    assert api.get("/score/ld_1").json["score"] == 5
    [step] = api.get("/lead/ld_1/score-explain").json["waterfall"]
    assert [entry["seq"] for entry in step["entries"]] == [1]
    assert len(api.get("/events/ld_1").json) == 1


def test_a_lead_whose_events_are_all_deleted_stays_unscored(api, world):
    world.add_rule("page_view", 5)
    event_id = world.happen("page_view", "ld_1")

    api.delete("/events/batch", {"event_ids": [str(event_id)]})

    [lead] = api.get("/leads").json
    assert (lead["score"], lead["ruleset_id"], lead["last_event_at"]) == (0, "", None)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": "all"}, "ids"),
        ({"ids": ["ev_1"]}, "ids.0"),
        ({"ids": [str(uuid4())] * (MOST_DELETED_AT_ONCE + 1)}, "ids"),
    ],
)
def test_a_bad_deletion_is_refused_by_field(api, document, field):
    response = api.delete("/events/batch", document)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]
