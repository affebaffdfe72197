"""Files that are sent while they are read, over a database where commits are real."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from leadvibe.engine.triggers import TriggerKind
from leadvibe.lib.db import commit
from leadvibe.segments.types import RuleDraft, RuleType
from tests.api.trigger_examples import add_trigger, emit
from tests.factories import make_segment


@pytest.fixture
def filled(fresh_database, world):
    """One lead with one event that made a trigger fire, in a segment of everybody cold."""
    world.happen("page_view", "ann", email="ann@acme.test")
    emit(world, add_trigger(world, TriggerKind.MILESTONE), lead_id="ann")
    rule = RuleDraft(rule_type=RuleType.ENGAGEMENT_LEVEL, operator="equals", value="Cold", order=0)
    segment = make_segment(world.scope, [rule])
    commit()
    return {"segment": segment.segment_id}


@pytest.mark.parametrize(
    "path",
    ["/app/leads/export", "/app/segments/{segment}/export", "/app/events.csv",
     "/app/settings/audit.csv", "/app/triggers/history.csv"],
)  # fmt: skip
def test_a_file_outlives_the_transaction_of_its_request(browse, people, filled, path):
    answer = browse(people.owner).get(path.format(**filled))

    assert answer.status_code == 200
    assert len(list(csv.reader(StringIO(answer.text)))) >= 2
