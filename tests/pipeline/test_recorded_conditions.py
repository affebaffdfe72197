"""Segments and profile rules ask about what is recorded: a value, a time, a consent, the status."""

from __future__ import annotations

import pytest

from leadvibe.leadlist import queries as leadlist
from leadvibe.leads.statuses import Status
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import recording
from leadvibe.segments.membership import Membership
from leadvibe.segments.queries import list_rules
from leadvibe.segments.types import RuleDraft, RuleType
from tests.factories import make_scope, make_segment
from tests.pipeline.describing import Describing

CONDITIONS = [
    ("value", "gte", 100),
    ("value", "gte", "100"),
    ("next_call_at", "starts_with", "2026-05-02"),
    ("next_call_at", "exists", None),
    ("next_call_at", "after", "2026-05-01"),
    ("next_call_at", "before", "2026-05-03"),
    ("ad_storage", "equals", True),
    ("ad_storage", "equals", "true"),
    ("lead_status", "equals", "qualified"),
    ("lead_status", "in", ["qualified", "converted"]),
]


@pytest.fixture
def unit(app) -> Describing:
    """Ann is worth 250, is called in May, has consented and is qualified; Bo is none of it."""
    unit = Describing(make_scope())
    for name in ("ann", "bo"):
        unit.happen(name)
    wanted = {"value": 250, "next_call_at": "2026-05-02T10:30:00.000Z", "ad_storage": True}
    _record(unit, "ann", Status.QUALIFIED, wanted)
    _record(unit, "bo", None, {"value": 99.5, "ad_storage": False})
    commit()
    return unit


def _record(unit, lead_id, status, properties):
    recording.update_lead(
        unit.scope, lead_id, properties=properties, status=status, by="x", via="app", now=utc_now()
    )


@pytest.mark.parametrize(("field", "operator", "value"), CONDITIONS)
def test_a_segment_finds_them(unit, field, operator, value):
    draft = RuleDraft(
        rule_type=RuleType.LEAD_METADATA, field=field, operator=operator, value=value, order=0
    )
    segment = make_segment(unit.scope, [draft])

    audience = Membership(unit.scope).of_rules(list_rules(unit.scope, segment.segment_id))

    found = leadlist.list_members(unit.scope, audience, PageRequest(1, 9))
    assert [it.lead_id for it in found] == ["ann"]


@pytest.mark.parametrize(("field", "operator", "value"), CONDITIONS)
def test_a_profile_rule_scores_them(unit, field, operator, value):
    unit.add_rule(unit.add_set(), field, operator, value, weight=10)

    scores = {it: sum(unit.scores(it).values()) for it in ("ann", "bo")}

    assert scores == {"ann": 10, "bo": 0}


def test_a_status_that_nobody_has_set_is_no_property(unit):
    draft = RuleDraft(
        rule_type=RuleType.LEAD_METADATA, field="lead_status", operator="not_exists", order=0
    )
    segment = make_segment(unit.scope, [draft])

    audience = Membership(unit.scope).of_rules(list_rules(unit.scope, segment.segment_id))

    found = leadlist.list_members(unit.scope, audience, PageRequest(1, 9))
    assert [it.lead_id for it in found] == ["bo"]
