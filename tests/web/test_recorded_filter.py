"""The leads list by what is recorded of leads: narrowed by conditions, and shown in columns."""

from __future__ import annotations

import pytest

from leadvibe.leads.fields import FIELDS
from leadvibe.leads.statuses import Status
from leadvibe.leadviews.types import RECORDED, Column
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import recording
from leadvibe.web.recorded_filter import LABELS
from tests.web.pages import names_in

RECORDS = {
    "ann": {"utm_source": "google", "gclid": "g1", "value": 1200, "next_call_at": "2026-03-01"},
    "bob": {"utm_source": "bing", "value": "80", "ad_storage": "granted"},
    "cid": {"company": "Acme", "next_call_at": "2026-03-02T10:00:00Z"},
    "dan": {},
}


@pytest.fixture
def recorded(world):
    world.score_leads(ann=80, bob=30, cid=10)
    world.happen("unscored", "dan")
    for lead_id, properties in RECORDS.items():
        recording.update_lead(
            world.scope, lead_id, properties=properties, by="test", via="app", now=utc_now()
        )
    recording.update_lead(
        world.scope, "bob", properties={}, status=Status.QUALIFIED, by="t", via="app", now=utc_now()
    )
    commit()
    return world


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("recorded=utm_source.eq.google", ["ann"]),
        ("recorded=utm_source.exists", ["ann", "bob"]),
        ("recorded=utm_source.missing", ["cid", "dan"]),
        ("recorded=utm_source.exists~value.gte.100", ["ann"]),
        ("recorded=value.lte.80", ["bob"]),
        ("recorded=status.eq.qualified", ["bob"]),
        ("recorded=status.eq.Not+contacted&sort=name", ["ann", "cid", "dan"]),
        ("recorded=qualified_at.exists", ["bob"]),
        ("recorded=ad_storage.eq.granted", ["bob"]),
        ("recorded=company.eq.Acme", ["cid"]),
        ("recorded=next_call_at.lte.2026-03-01", ["ann"]),
        ("recorded=next_call_at.lte.2026-03-02", ["ann", "cid"]),
        ("recorded=next_call_at.gte.2026-03-02", ["cid"]),
        ("rec_field=gclid&rec_is=exists&rec_value=", ["ann"]),
        ("recorded=utm_source.exists&rec_field=value&rec_is=gte&rec_value=100", ["ann"]),
        ("recorded=utm_source.exists&q=bob", ["bob"]),
        ("recorded=utm_source.exists&min_score=50", ["ann"]),
    ],
)
def test_conditions_narrow_the_list(browse, people, recorded, query, expected):
    answer = browse(people.viewer).get(f"/app/leads?{query}")

    assert answer.status_code == 200
    assert names_in(answer.text) == expected


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("recorded=shoe_size.eq.44", "no field “shoe_size”"),
        ("recorded=value.like.4", "compares nothing"),
        ("recorded=value.gte.much", "Value: enter a number"),
        ("recorded=next_call_at.lte.soon", "Next call: enter a day"),
        ("recorded=status.eq.maybe", "no status “maybe”"),
        ("recorded=" + "~".join(["gclid.exists"] * 11), "more than 10 conditions"),
    ],
)
def test_what_says_nothing_is_refused_with_the_remedy(browse, people, recorded, query, says):
    answer = browse(people.viewer).get(f"/app/leads?{query}")

    assert answer.status_code == 422
    assert says in answer.text


def test_a_chip_takes_one_condition_away(browse, people, recorded):
    page = browse(people.viewer).get("/app/leads?recorded=utm_source.exists~status.eq.lost").text

    assert "UTM source: is set" in page
    assert "Status: Lost" in page
    assert 'href="/app/leads?recorded=utm_source.exists"' in page


def test_columns_show_what_is_recorded(browse, people, recorded):
    columns = "status,value,next_call_at,ad_storage,utm_source"
    page = browse(people.viewer).get(f"/app/leads?columns={columns}").text

    for text in ("Qualified", "1,200", "Granted", "google"):
        assert f">{text}</td>" in page
    assert '<time datetime="2026-03-01T00:00:00Z">1 Mar 2026, 00:00 UTC</time></td>' in page


def test_the_export_has_the_same_columns(browse, people, recorded):
    text = browse(people.viewer).get("/app/leads/export?columns=status,value").text

    assert text.splitlines()[0].endswith("status,value")
    assert "bob,qualified,80" in text.replace(".0", "")


def test_every_field_can_be_a_column_and_a_filter():
    names = {field.name for field in FIELDS}

    assert names <= set(LABELS)
    assert names - {"company"} <= {column.value for column in RECORDED}
    assert Column.CREATED not in RECORDED
