"""Event types of a unit: which there are, which are hidden, and how far each may reach.

A type exists once an event of it came in, or once a rule names it.
"""

from __future__ import annotations

from datetime import datetime

from leadvibe.engine.policies import SYSTEM_TYPES, Reach
from leadvibe.events import queries as events
from leadvibe.events import service as events_service
from leadvibe.events.errors import EventTypeNotFoundError
from leadvibe.identity.types import Principal, Scope
from leadvibe.scoring import queries
from leadvibe.scoring.errors import ProtectedEventTypeError
from leadvibe.scoring.service import lock_configuration, record_version
from leadvibe.scoring.types import KnownEventType


def list_known_types(scope: Scope) -> list[KnownEventType]:
    """Return every event type of the unit, the most frequent first, then by name."""
    protected = protected_types(scope)
    known = {
        it.name: KnownEventType(
            name=it.name,
            hidden=it.hidden,
            reach=Reach(it.max_processing_scope),
            event_count=it.event_count,
            is_protected=it.name in protected,
        )
        for it in events.list_event_types(scope)
    }
    for name in {rule.event_type for rule in queries.list_rules(scope)} - known.keys():
        known[name] = KnownEventType(name, is_protected=name in protected)
    return sorted(known.values(), key=lambda it: (-it.event_count, it.name))


def get_known_type(scope: Scope, name: str) -> KnownEventType:
    """Return an event type of the unit. Raises EventTypeNotFoundError."""
    found = next((it for it in list_known_types(scope) if it.name == name), None)
    if found is None:
        raise EventTypeNotFoundError(f"There is no event type '{name}' in this unit.")
    return found


def protected_types(scope: Scope) -> frozenset[str]:
    """Return the types whose events must stay: our own, and those that active rules score."""
    active = {it.ruleset_id for it in queries.list_rulesets(scope) if it.active}
    rules = queries.list_rules(scope)
    return SYSTEM_TYPES | {it.event_type for it in rules if it.active and it.ruleset_id in active}


def decide_event_type(
    principal: Principal,
    scope: Scope,
    name: str,
    *,
    hidden: bool | None = None,
    reach: Reach | None = None,
    now: datetime,
) -> None:
    """Hide or show an event type, or set how far its events may reach; None leaves it as it is.

    Raises EventTypeNotFoundError, and ProtectedEventTypeError for a type of our own.
    """
    lock_configuration(scope)
    known = get_known_type(scope, name)
    wanted_hidden = known.hidden if hidden is None else hidden
    wanted_reach = known.reach if reach is None else reach
    if (wanted_hidden, wanted_reach) == (known.hidden, known.reach):
        return
    if name in SYSTEM_TYPES:
        raise ProtectedEventTypeError(f"{name} is Leadvibe's own event type: it stays as it is.")
    events_service.decide_about_types(scope, {name: (wanted_hidden, wanted_reach.value)}, now=now)
    record_version(
        scope,
        summary=_summary(known, hidden=wanted_hidden, reach=wanted_reach),
        by=principal.label,
        now=now,
    )


def _summary(known: KnownEventType, *, hidden: bool, reach: Reach) -> str:
    told = []
    if hidden != known.hidden:
        told.append("is hidden and scores no more" if hidden else "is shown and scores again")
    if reach != known.reach:
        told.append(f"may {reach} at most, instead of {known.reach}")
    return f"Event type {known.name} {' and '.join(told)}"
