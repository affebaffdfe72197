"""What multipliers raised, over time: read from the ledger, bounded, and one unit's alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.engine.triggers import FireMode, Surge
from leadvibe.identity import service as identity
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from tests.factories import make_ruleset, make_trigger, make_unit

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ask(caller, unit, start=NOON, end=NOON + timedelta(hours=3), path=None, **query):
    span = {"start": start.isoformat(), "end": end.isoformat()}
    return caller.get(path or f"/api/v1/ou/{unit.unit_id}/surge/metrics", **span, **query)


@pytest.fixture
def surging(world):
    """Let a lead do five things within minutes: the third on is raised by the standard policy."""
    world.add_rule("page_view", 10)
    for number in range(5):
        channel = "email" if number == 4 else "web"
        at = NOON + timedelta(minutes=14 * number)
        world.happen("page_view", "ld_1", at=at, channel=channel)
    world.happen("page_view", "ld_2", at=NOON)
    return world


@pytest.fixture
def owner(call_as):
    return call_as("owner")


def test_boosted_events_are_summed_and_drawn(owner, people, surging):
    found = ask(owner, people.unit).json

    assert found["ou_id"] == str(people.unit.unit_id)
    assert (found["start"], found["end"]) == ("2026-03-02T12:00:00Z", "2026-03-02T15:00:00Z")
    assert found["interval"] == "1h"
    # 10 x 1.25 is 12.5 and so 13, twice; 10 x 1.5 is 15.
    assert found["totals"] == {"events": 3, "leads": 1, "boosted_points": 11}
    assert found["peak"] == {"at": "2026-03-02T12:00:00Z", "count": 3}
    assert found["channels"] == [{"channel": "web", "count": 2}, {"channel": "email", "count": 1}]
    assert found["series"] == [
        {"t": "2026-03-02T12:00:00Z", "count": 3},
        {"t": "2026-03-02T13:00:00Z", "count": 0},
        {"t": "2026-03-02T14:00:00Z", "count": 0},
    ]


@pytest.mark.parametrize(("interval", "points"), [("15m", 12), ("1h", 3), ("1d", 1)])
def test_every_interval_has_its_point(owner, people, surging, interval, points):
    found = ask(owner, people.unit, interval=interval).json

    assert len(found["series"]) == points
    assert sum(point["count"] for point in found["series"]) == 3


def test_intervals_are_those_of_the_clock_and_the_span_cuts_events(owner, people, surging):
    start = NOON + timedelta(minutes=40)

    found = ask(owner, people.unit, start, NOON + timedelta(minutes=50), interval="15m").json

    assert found["series"] == [
        {"t": "2026-03-02T12:30:00Z", "count": 1},
        {"t": "2026-03-02T12:45:00Z", "count": 0},
    ]


def test_one_channel_can_be_asked_for(owner, people, surging):
    found = ask(owner, people.unit, channel="Email").json

    assert found["totals"]["events"] == 1
    assert found["channels"] == [{"channel": "email", "count": 1}]


def test_an_event_that_two_rulesets_score_is_one_event(owner, people, world):
    world.add_rule("page_view", 10)
    world.add_rule("page_view", 20, make_ruleset(world.scope))
    for number in range(3):
        world.happen("page_view", "ld_1", at=NOON + timedelta(minutes=number))

    totals = ask(owner, people.unit).json["totals"]

    assert totals == {"events": 1, "leads": 1, "boosted_points": 3 + 5}


def test_without_surges_all_is_zero(owner, people, world):
    found = ask(owner, people.unit).json

    assert found["totals"] == {"events": 0, "leads": 0, "boosted_points": 0}
    assert found["peak"] == {"at": None, "count": 0}
    assert (found["channels"], len(found["series"])) == ([], 3)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start": ""}, "start"),
        ({"end": "yesterday"}, "end"),
        ({"end": NOON.isoformat()}, "end"),
        ({"interval": "5m"}, "interval"),
        ({"end": (NOON + timedelta(hours=1001)).isoformat()}, "interval"),
    ],
)
def test_what_cannot_be_answered_is_refused(owner, people, world, query, field):
    span = {"start": NOON.isoformat(), "end": (NOON + timedelta(hours=1)).isoformat()}

    response = owner.get(f"/surge/{people.unit.unit_id}/metrics", **{**span, **query})

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


def test_start_and_end_are_required(owner, people, world):
    response = owner.get(f"/surge/{people.unit.unit_id}/metrics")

    assert set(response.json["fields"]) == {"start", "end"}


def test_only_members_of_the_unit_may_ask(call_as, people, surging):
    closed = make_unit(people.organization, "Closed")
    commit()

    assert ask(call_as("viewer"), people.unit).status_code == 200
    assert ask(call_as("viewer"), closed).status_code == 403
    assert ask(call_as("stranger"), people.unit).status_code == 404
    assert ask(call_as("admin"), closed).json["totals"]["events"] == 0


def test_the_unit_of_the_address_counts_and_not_the_active_one(call_as, people, surging):
    other = identity.create_unit(people.organization.org_id, name="Other", now=utc_now())
    commit()
    admin = call_as("admin")
    assert admin.post("/org-units/active", {"ouId": str(other.unit_id)}).status_code == 200

    assert ask(admin, people.unit).json["totals"]["events"] == 3
    assert ask(admin, other).json["totals"]["events"] == 0


def test_events_that_fired_a_surge_trigger_count_once_whether_boosted_or_not(owner, people, world):
    make_trigger(world.scope, Surge(2, 3600), fire_mode=FireMode.ALWAYS)
    world.add_rule("page_view", 10)
    for minute in range(4):
        world.happen("page_view", "ld_1", at=NOON + timedelta(minutes=minute))

    found = ask(owner, people.unit).json

    # The second and fourth fired; the third and fourth were raised.
    assert found["totals"] == {"events": 3, "leads": 1, "boosted_points": 6}
