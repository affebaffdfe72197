"""The sample's segments and triggers: made with it, and taken out with it unless changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports.sample.audiences import NOWHERE, SAMPLE_SEGMENTS, SAMPLE_TRIGGERS, TOLD
from leadvibe.notifications.destinations import forget_unused
from leadvibe.notifications.types import Transport
from leadvibe.segments import queries as segment_queries
from leadvibe.segments import service as segments
from leadvibe.triggers import queries as trigger_queries
from leadvibe.triggers import service as triggers

_RULES = {it.name: len(it.rules) for it in SAMPLE_SEGMENTS}


def install_audiences(principal: Principal, scope: Scope, *, now: datetime) -> None:
    """Add the sample's segments and triggers, but for those whose name somebody has used."""
    by = replace(principal, label=SAMPLE_SOURCE)
    taken = {it.name for it in segment_queries.list_segments(scope)}
    for segment in SAMPLE_SEGMENTS:
        if segment.name not in taken:
            fields = {"name": segment.name, "description": segment.description, "active": True}
            segments.save_segment(by, scope, None, fields, segment.rules, now=now)
    taken = {it.name for it in trigger_queries.list_triggers(scope)}
    room = triggers.MOST_TRIGGERS - len(trigger_queries.list_triggers(scope))
    for trigger in SAMPLE_TRIGGERS[: max(room, 0)]:
        if trigger.fields["name"] not in taken:
            triggers.create_trigger(by, scope, trigger.kind, trigger.fields | TOLD, now=now)


def remove_audiences(scope: Scope) -> None:
    """Delete the sample's segments and triggers, but for those that somebody has made their own."""
    rules = segment_queries.list_rules_of_all(scope)
    for segment in segment_queries.list_segments(scope):
        own = rules.get(segment.segment_id, [])
        told = {segment.created_by, segment.updated_by, *(it.updated_by for it in own)}
        if told == {SAMPLE_SOURCE} and len(own) == _RULES.get(segment.name):
            segments.delete_segment(scope, segment.segment_id)
    for trigger in trigger_queries.list_triggers(scope):
        if trigger.created_by == trigger.updated_by == SAMPLE_SOURCE:
            triggers.delete_trigger(scope, trigger.kind, trigger.trigger_id)
    told_there = (it.recipients.webhook_url for it in trigger_queries.list_triggers(scope))
    if NOWHERE not in told_there:
        forget_unused(scope, Transport.WEBHOOK, NOWHERE)
