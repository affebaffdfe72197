"""One event explained: whose it was, whether it counts and why, and the points it gave."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from leadvibe.engine.conditions import Operator
from leadvibe.engine.policies import PLAIN_PERCENT, SYSTEM_TYPES
from leadvibe.events.types import Event
from leadvibe.explain.event_story import Effect as RuleEffect
from leadvibe.explain.event_story import EventStory, Silence, tell_event
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.queries import list_names
from leadvibe.scoring.wording import signed
from leadvibe.triggers.queries import list_caused
from leadvibe.web.event_icons import event_icon
from leadvibe.web.event_query import EVENTS, EventQuery, MetaRow
from leadvibe.web.facts import list_facts, summarize
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.pages.display import (
    Link,
    Moment,
    counted,
    duration,
    multiplied,
    query_url,
    thousands,
)
from leadvibe.web.pages.events import Effect, EventPanel
from leadvibe.web.pages.explanation import direction
from leadvibe.web.trigger_paths import history_path

DELETE = f"{EVENTS}/delete"
LATE = timedelta(seconds=1)
LONGEST_RAW = 20_000

VERDICTS = {
    Silence.OWN: "Leadvibe wrote this itself. It follows from the other events and never counts.",
    Silence.HIDDEN: "It counts as activity, but gave no points: its type was hidden.",
    Silence.OBSERVED: "It counts as activity, but gave no points: its type may only be observed.",
    Silence.NO_RULE: "It counts as activity, but gave no points: no rule scored its type.",
    Silence.RULE_AT_REST: (
        "It counts as activity, but gave no points: the rule for its type, or the ruleset, was"
        " paused or not in force at that time."
    ),
    Silence.NOTHING: "It counts, but left no points in the lead's score.",
}
HINTS = {
    Silence.HIDDEN: "Show the type under Event types to have new events scored.",
    Silence.OBSERVED: "Let the type decide or activate under Event types.",
    Silence.NO_RULE: "Add a rule for the type under Scoring: it scores what happens from then on.",
    Silence.RULE_AT_REST: "Look at the rule under Scoring.",
}


def explain(principal: Principal, query: EventQuery) -> EventPanel | None:
    """Return the panel of the event that the address names; None when it names none."""
    if query.event_id is None:
        return None
    scope, story = principal.scope, tell_event(principal.scope, query.event_id)
    event = story.event
    verdict, hint = _verdict(story)
    facts = list_facts(event.metadata)
    return EventPanel(
        id=str(event.event_id),
        event_type=event.event_type,
        summary=summarize(event.event_type, event.metadata),
        close_url=query.here(),
        lead=_lead(scope, event),
        lead_note=_lead_note(event),
        channel=event.channel,
        icon=event_icon(event.event_type, event.channel),
        happened_at=Moment.of(event.occurred_at),
        arrived_at=Moment.of(event.received_at),
        came_after=_late(event),
        source=event.source,
        scored_under=_version(story),
        counts=event.suppression_reason is None and event.event_type not in SYSTEM_TYPES,
        verdict=verdict,
        hint=hint,
        effects=tuple(map(_effect, story.effects)),
        triggers=_triggers(scope, event),
        metadata=facts,
        filters=tuple(_same(query, fact.label, event) for fact in facts),
        raw=_raw(event),
        timeline_url=_timeline_url(event),
        same_type_url=query.url(types=(event.event_type,)),
        rules_url="/app/scoring",
        delete_url=_delete_url(principal, query, event),
    )


def _lead(scope: Scope, event: Event) -> Link | None:
    if event.lead_id is None:
        return None
    name = list_names(scope, [event.lead_id]).get(event.lead_id, event.lead_id)
    return Link(name, lead_path(event.lead_id))


def _lead_note(event: Event) -> str:
    if event.lead_id is None:
        return "Nobody yet: it names nobody Leadvibe knows, and is kept until a filter lets it in."
    return f"Came in for {event.original_lead_id}, merged since." if event.original_lead_id else ""


def _late(event: Event) -> str:
    late = event.received_at - event.occurred_at
    return f"{duration(late.total_seconds())} later" if late >= LATE else ""


def _version(story: EventStory) -> str:
    version = story.version
    if version is None:
        return f"Version {story.event.version}"
    return f"Version {version.version}, from {Moment.of(version.created_at).text}"


def _verdict(story: EventStory) -> tuple[str, str]:
    if story.silence is None:
        return _points(story), ""
    if story.silence is Silence.SUPPRESSED:
        return _suppressed(story), "Filters can be changed; a rescore judges past events again."
    return VERDICTS[story.silence], HINTS.get(story.silence, "")


def _points(story: EventStory) -> str:
    rulesets = {effect.ruleset_id for effect in story.effects}
    if len(rulesets) > 1:
        return f"It counts, and changed the score in {len(rulesets)} rulesets."
    total = sum(effect.entry.delta for effect in story.effects)
    verb = "took" if total < 0 else "gave"
    return f"It counts, and {verb} {counted(abs(total), 'point')}."


def _suppressed(story: EventStory) -> str:
    if story.metadata_filters:
        names = ", ".join(f"“{it.name}”" for it in story.metadata_filters)
        return f"It does not count: the attribute filter {names} leaves it out."
    for one in story.velocity_filters:
        if one.group_events:
            return (
                f"It does not count: it is one of a burst of more than {one.count_threshold}"
                f" within {_span(one.time_window_ms)}, of which the first counts."
            )
        return (
            f"It does not count: more than {one.count_threshold} of these within"
            f" {_span(one.time_window_ms)} look like a machine's doing."
        )
    return "It does not count: a filter left it out."


def _span(milliseconds: int) -> str:
    return duration(milliseconds / 1000) if milliseconds >= 1000 else f"{milliseconds} ms"  # noqa: PLR2004


def _effect(effect: RuleEffect) -> Effect:
    entry = effect.entry
    return Effect(
        ruleset=effect.ruleset_name,
        rule=effect.rule.event_type if effect.rule else entry.kind.capitalize(),
        weight=signed(entry.weight),
        multiplier=""
        if entry.multiplier_percent == PLAIN_PERCENT
        else multiplied(entry.multiplier_percent / 100),
        before=thousands(entry.before),
        delta=signed(entry.delta),
        after=thousands(entry.after),
        direction=direction(entry.delta),
    )


def _triggers(scope: Scope, event: Event) -> tuple[Link, ...]:
    if event.lead_id is None:
        return ()
    return tuple(
        Link(
            f"{it.trigger_name}: {it.summary}",
            history_path(trigger_id=str(it.trigger_id), lead_id=it.lead_id),
        )
        for it in list_caused(scope, event.lead_id, event.event_id)
    )


def _same(query: EventQuery, key: str, event: Event) -> Link:
    """Lead to the events that say the same; nowhere for what cannot be asked for."""
    value = event.metadata.get(key)
    is_plain = isinstance(value, str | int | float) and str(value).strip() and len(str(value)) < 200  # noqa: PLR2004
    if not is_plain or len(query.rows) >= 5:  # noqa: PLR2004
        return Link(key, "")
    text = str(value).lower() if isinstance(value, bool) else str(value).strip()
    row = MetaRow(key, Operator.EQUALS, text)
    kept = tuple(it for it in query.rows if it.key != key)
    return Link(f"Only events where {key} is {text}", query.url(rows=(*kept, row)))


def _raw(event: Event) -> str:
    written = {
        "id": str(event.event_id),
        "lead_id": event.lead_id,
        "event_type": event.event_type,
        "timestamp": _written(event.occurred_at),
        "received_at": _written(event.received_at),
        "channel": event.channel,
        "source": event.source,
        "suppression_reason": event.suppression_reason,
        "metadata": event.metadata,
    }
    text = json.dumps(written, indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST_RAW else f"{text[:LONGEST_RAW]}\n…"


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _timeline_url(event: Event) -> str:
    if event.lead_id is None:
        return ""
    id_ = str(event.event_id)
    return f"{query_url(lead_path(event.lead_id), {'event': id_})}#event-{id_}"


def _delete_url(principal: Principal, query: EventQuery, event: Event) -> str:
    if event.event_type in SYSTEM_TYPES or not can(principal, Permission.WRITE_DATA):
        return ""
    return query_url(DELETE, {"id": str(event.event_id), "next": query.here()})
