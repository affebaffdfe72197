"""Applying a quick start: all of it in the caller's transaction, as one version of scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from leadvibe.engine.conditions import Joiner
from leadvibe.engine.triggers import FireMode, TriggerKind, shape_of
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.quickstart import queries
from leadvibe.quickstart.folding import fold
from leadvibe.quickstart.models import QuickStartRow
from leadvibe.quickstart.planning import plan
from leadvibe.quickstart.types import (
    MAKER,
    Answers,
    Applied,
    Body,
    Current,
    Made,
    Part,
    Plan,
    Standing,
    Step,
)
from leadvibe.scoring.applying import apply_config
from leadvibe.scoring.checks import check_config
from leadvibe.scoring.service import lock_configuration
from leadvibe.scoring.templates import find_template
from leadvibe.segments import queries as segment_queries
from leadvibe.segments import service as segments
from leadvibe.segments.types import RuleDraft, RuleType, state_of
from leadvibe.triggers import service as triggers
from leadvibe.triggers.types import Recipients, Setup


def plan_quick_start(scope: Scope, answers: Answers) -> Plan:
    """Return what applying would do now. Raises BadAnswersError."""
    return plan(answers, queries.read_current(scope))


def apply_quick_start(
    principal: Principal, scope: Scope, answers: Answers, *, now: datetime
) -> Applied:
    """Make what the answers ask for; applied again it changes nothing more.

    Raises BadAnswersError, and whatever the services of what is made raise.
    """
    lock_configuration(scope)
    current = queries.read_current(scope)
    planned = plan(answers, current)
    maker = replace(principal, label=MAKER)
    config = fold(current.config, planned, now=now)
    check_config(config)
    template = find_template(answers.industry)
    summary = f"Quick start by {principal.label}: {template.name if template else ''}"
    applied = apply_config(maker, scope, config, summary=summary, now=now)
    made = _remembered(planned, current)
    for step in planned.steps:
        if step.standing.does_something and step.item.part in _HANDS:
            before = current.made.get(step.item.key)
            made_id = _HANDS[step.item.part](maker, scope, step, before, now)
            if made_id:
                made[step.item.key] = Made(body=step.item.body, id=made_id)
    _save(
        scope,
        answers=queries.ANSWERS.dump_python(answers, mode="json"),
        made=queries.MADE.dump_python(made, mode="json"),
        applied_at=now,
        applied_by=principal.label,
    )
    return Applied(plan=planned, version=applied.version)


def dismiss(scope: Scope, *, now: datetime) -> None:
    """Stop leading the unit's members to the quick start, which stays under Settings."""
    _save(scope, dismissed_at=now)


def _remembered(planned: Plan, current: Current) -> dict[str, Made]:
    """Return what is remembered afterwards, but for what gets an id when it is made."""
    made = dict(current.made)
    for step in planned.steps:
        key = step.item.key
        if step.standing in {Standing.REMOVE, Standing.OFF}:
            made.pop(key, None)
        elif step.standing in {Standing.ADD, Standing.CHANGE} and step.item.part not in _HANDS:
            made[key] = Made(body=step.item.body)
    return made


def _make_segment(
    maker: Principal, scope: Scope, step: Step, before: Made | None, now: datetime
) -> UUID | None:
    segment_id, body = before.id if before else None, step.item.body
    if step.standing is Standing.REMOVE:
        if segment_id:
            segments.delete_segment(scope, segment_id)
        return None
    fields = {name: body[name] for name in ("name", "description", "active")}
    stored = segment_queries.list_rules(scope, segment_id) if segment_id else []
    drafts = [_rule_draft(rule, place) for place, rule in enumerate(body["rules"])]
    state = ""
    if segment_id:
        state = state_of(segment_queries.get_segment(scope, segment_id), stored)
    saved = segments.save_segment(maker, scope, segment_id, fields, drafts, state=state, now=now)
    return saved.segment_id


def _rule_draft(rule: Mapping[str, Any], place: int) -> RuleDraft:
    typed = {
        "rule_type": RuleType(rule["rule_type"]),
        "logic_op": Joiner(rule["logic_op"]),
        "order": place,
    }
    return RuleDraft(**{**rule, **typed})


def _make_trigger(
    maker: Principal, scope: Scope, step: Step, before: Made | None, now: datetime
) -> UUID | None:
    body = step.item.body
    kind, trigger_id = TriggerKind(body["kind"]), before.id if before else None
    if step.standing is Standing.REMOVE:
        if trigger_id:
            triggers.delete_trigger(scope, kind, trigger_id)
        return None
    given = triggers.fields_of(_setup(kind, body))
    if trigger_id:
        triggers.update_trigger(maker, scope, kind, trigger_id, given, now=now)
        return trigger_id
    return triggers.create_trigger(maker, scope, kind, given, now=now).trigger_id


def _setup(kind: TriggerKind, body: Body) -> Setup:
    return Setup(
        name=body["name"],
        description=body["description"],
        active=body["active"],
        fire_mode=FireMode(body["fire_mode"]),
        cooldown_seconds=body["cooldown_seconds"],
        shape=shape_of(kind, body["shape"]),
        recipients=Recipients(notify_owner=True),
    )


_HANDS = {Part.SEGMENT: _make_segment, Part.TRIGGER: _make_trigger}
"""Who makes what is no part of the scoring configuration."""


def _save(scope: Scope, **values: Any) -> None:
    statement = insert(QuickStartRow).values(unit_id=scope.unit_id, **values)
    session().execute(
        statement.on_conflict_do_update(index_elements=[QuickStartRow.unit_id], set_=values)
    )
