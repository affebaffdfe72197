"""What triggers emitted, listed and exported."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from leadvibe.engine.triggers import TriggerKind
from tests.api.trigger_examples import add_trigger, emit

NEWEST = datetime(2026, 3, 2, 12, tzinfo=UTC)
EACH_KIND = pytest.mark.parametrize("kind", TriggerKind)


@pytest.fixture
def owner(call_as, world):
    return call_as("owner")


def ids(answer):
    return [it["id"] for it in answer.json]


def written(at):
    return at.isoformat().replace("+00:00", "Z")


def emit_some(world, kind, count=3, **fields):
    """Let a trigger fire, an hour apart; returns the trigger and the ids, the newest first."""
    trigger = add_trigger(world, kind)
    made = [
        emit(world, trigger, fired_at=NEWEST - timedelta(hours=it), **fields) for it in range(count)
    ]
    return trigger, [str(it) for it in made]


@EACH_KIND
def test_the_newest_come_first_page_by_page_with_a_total(owner, world, kind):
    _, made = emit_some(world, kind)
    path = f"/{kind}-events"

    first = owner.get(path, limit=2)

    assert ids(first) == made[:2]
    assert first.headers["X-Total-Count"] == "3"
    assert ids(owner.get(path, limit=2, page=2)) == made[2:]


@EACH_KIND
def test_each_kind_has_a_list_of_its_own(owner, world, kind):
    emit_some(world, kind)

    others = [it for it in TriggerKind if it is not kind]

    assert all(owner.get(f"/{it}-events").json == [] for it in others)


@EACH_KIND
def test_they_are_found_by_trigger_lead_and_time(owner, world, kind):
    path, by = f"/{kind}-events", "sequence_id" if kind is TriggerKind.SEQUENCE else "trigger_id"
    trigger, made = emit_some(world, kind)
    emit(world, add_trigger(world, kind), lead_id="bo", fired_at=NEWEST + timedelta(hours=1))

    assert ids(owner.get(path, **{by: trigger.trigger_id})) == made
    assert ids(owner.get(path, lead_id="ld_ada")) == made
    assert [it["lead_id"] for it in owner.get(path, lead_id="bo").json] == ["bo"]
    span = {"start": written(NEWEST - timedelta(hours=1)), "end": written(NEWEST)}
    assert ids(owner.get(path, **span)) == [made[1]]


def test_surges_are_found_by_channel(owner, world):
    emit_some(world, TriggerKind.SURGE, channel="email")

    assert len(owner.get("/surge-events", channel="Email").json) == 3
    assert owner.get("/surge-events", channel="web").json == []


@EACH_KIND
def test_a_span_that_ends_before_it_begins_is_refused(owner, kind):
    span = {"start": written(NEWEST), "end": written(NEWEST)}

    answer = owner.get(f"/{kind}-events", **span)

    assert answer.status_code == 400
    assert "end" in answer.json["fields"]


def test_a_sequence_names_the_types_that_took_part(owner, world):
    trigger = add_trigger(world, TriggerKind.SEQUENCE)
    emit(world, trigger, event_types=("pricing_view", "demo_request"))

    [event] = owner.get("/sequence-events").json

    assert event["event_types"] == ["pricing_view", "demo_request"]
    assert event["sequence_id"] == str(trigger.trigger_id)
    assert event["sequence_name"] == trigger.name


def test_a_surge_says_how_many_events_took_part(owner, world):
    trigger = add_trigger(world, TriggerKind.SURGE)
    emit(world, trigger, event_types=("page_view",) * 4)

    [event] = owner.get("/surge-events").json

    assert event["event_count"] == 4


@EACH_KIND
def test_a_file_holds_the_same_and_no_formulas(owner, world, kind):
    trigger, made = emit_some(world, kind, lead_id="=1+1")
    by = "sequence_id" if kind is TriggerKind.SEQUENCE else "trigger_id"
    emit(world, add_trigger(world, kind))

    answer = owner.get(f"/{kind}-events/export", **{by: trigger.trigger_id})

    rows = list(csv.DictReader(StringIO(answer.text)))
    assert [row["id"] for row in rows] == made
    assert rows[0]["lead_id"] == "'=1+1"
    assert rows[0]["fired_at"] == written(NEWEST)
    item = owner.get(f"/{kind}-events").json[0]
    assert set(rows[0]) == set(item)


@EACH_KIND
def test_a_stranger_sees_none_of_it(call_as, world, kind):
    trigger, _ = emit_some(world, kind)
    by = "sequence_id" if kind is TriggerKind.SEQUENCE else "trigger_id"
    stranger = call_as("stranger")

    assert stranger.get(f"/{kind}-events").json == []
    assert stranger.get(f"/{kind}-events", **{by: trigger.trigger_id}).json == []
    assert len(stranger.get(f"/{kind}-events/export").text.splitlines()) == 1


def test_a_page_takes_as_many_statements_however_long_it_is(owner, world, statements):
    emit_some(world, TriggerKind.MILESTONE, count=1)
    statements.clear()
    owner.get("/milestone-events")
    few = len(statements)
    emit_some(world, TriggerKind.MILESTONE, count=5)
    statements.clear()

    assert len(owner.get("/milestone-events").json) == 6

    assert len(statements) == few
