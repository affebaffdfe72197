"""Who is in a segment, against plain Python over the same leads, events and scores."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from leadvibe.engine.conditions import Clause, Joiner, Operator, fold_clauses, holds
from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import LevelKind
from leadvibe.leadlist import queries as leadlist
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.ids import new_id
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import editing, process
from leadvibe.scoring import queries as scoring
from leadvibe.segments.membership import Membership, explain
from leadvibe.segments.types import RuleType, Segment, SegmentRule
from tests.factories import make_event, make_rule, make_scope, send

LEADS = 30
PLANS = ["pro", "Pro", "free", "team plan", "", None, 10, 10.5, True, ["pro", "free"], {"a": 1}]
VALUES = ["pro", "free", "plan", "10", 10, 10.5, True, "x"]
WEIGHTS = {"small": 3, "big": 40}
ALONE = {Operator.EXISTS, Operator.NOT_EXISTS}
SEVERAL = {Operator.IN, Operator.NOT_IN}


@dataclass
class Known:
    """A lead as the test knows it."""

    lead_id: str
    metadata: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    level: str = UNCLASSIFIED

    def meets(self, rule: SegmentRule) -> bool:
        if rule.rule_type is RuleType.LEAD_METADATA:
            return holds(rule.condition, self.metadata)
        if rule.rule_type is RuleType.ENGAGEMENT_LEVEL:
            return holds(rule.condition, {"level": self.level})
        return any(
            holds(rule.condition, metadata)
            for event_type, metadata in self.events
            if event_type == rule.event_type
        )

    def is_member(self, rules: list[SegmentRule]) -> bool:
        truths = [
            Clause(self.meets(rule), rule.group, rule.order, rule.logic_op)
            for rule in rules
            if rule.active
        ]
        return fold_clauses(truths, both=bool.__and__, either=bool.__or__) or False


def some_metadata(chance):
    return {
        name: value
        for name in ("plan", "size")
        if (value := chance.choice(PLANS)) is not None or chance.random() < 0.5
    }


def some_rule(chance, levels):
    rule_type = chance.choice(
        [RuleType.LEAD_METADATA, RuleType.EVENT_METADATA, RuleType.ENGAGEMENT_LEVEL]
    )
    operator = chance.choice(list(Operator))
    values = levels if rule_type.is_level else VALUES
    value = None
    if operator in SEVERAL:
        value = chance.sample(values, 2)
    elif operator not in ALONE:
        value = chance.choice(values)
    now = utc_now()
    return SegmentRule(
        rule_id=new_id(),
        segment_id=new_id(),
        name="",
        rule_type=rule_type,
        field=chance.choice(["plan", "size", "a.b"]),
        operator=operator.value,
        value=value,
        event_type=chance.choice([*WEIGHTS, "never"]),
        group=chance.randrange(3),
        logic_op=chance.choice(list(Joiner)),
        order=chance.randrange(4),
        active=chance.random() < 0.9,
        created_at=now,
        updated_at=now,
        created_by="",
        updated_by="",
    )


def make_leads(scope, chance):
    leads = [Known(f"lead{number:02}", some_metadata(chance)) for number in range(LEADS)]
    for lead in leads:
        editing.create_lead(
            scope,
            lead_id=lead.lead_id,
            metadata=lead.metadata,
            account_id=None,
            source="test",
            now=utc_now(),
        )
        for _ in range(chance.randrange(5)):
            event = chance.choice(list(WEIGHTS)), some_metadata(chance)
            lead.events.append(event)
            send(scope, make_event(event[0], lead_id=lead.lead_id, metadata=event[1]))
    commit()
    process.drain(scope)
    cut = LevelCut(scoring.list_levels(scope, LevelKind.ENGAGEMENT))
    for lead in leads:
        lead.level = cut.name_of(sum(WEIGHTS[event_type] for event_type, _ in lead.events))
    return leads


@pytest.mark.parametrize("seed", range(8))
def test_members_are_those_that_meet_the_rules(app, seed):
    chance = random.Random(seed)
    scope = make_scope()
    for event_type, weight in WEIGHTS.items():
        make_rule(scope, event_type, weight)
    leads = make_leads(scope, chance)
    levels = [it.name for it in scoring.list_levels(scope, LevelKind.ENGAGEMENT)] + [UNCLASSIFIED]
    membership = Membership(scope)

    for _ in range(25):
        rules = [some_rule(chance, levels) for _ in range(chance.randrange(1, 6))]
        expected = {lead.lead_id for lead in leads if lead.is_member(rules)}

        audience = membership.of_rules(rules)

        page = leadlist.list_members(scope, audience, PageRequest(1, 100))
        assert {line.lead_id for line in page} == expected
        assert leadlist.count_members(scope, audience) == len(expected)
        lead = chance.choice(leads)
        segment = Segment(new_id(), "S", "", True, utc_now(), utc_now(), "", "")
        found = explain(scope, segment, rules, lead.lead_id)
        assert found.is_member is (lead.lead_id in expected)
        assert found.met == {it.rule_id: lead.meets(it) for it in rules if it.active}
