"""Why a lead is worth a look now: what fired for it, and what moved its score just before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from leadvibe.engine.facts import EntryKind
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.types import Lead
from leadvibe.scoring.movements import Movement, Span, list_movements
from leadvibe.scoring.wording import signed
from leadvibe.triggers import queries
from leadvibe.triggers.types import EmittedEvent
from leadvibe.web.lead_state import LeadState
from leadvibe.web.pages.display import Link, Moment, counted
from leadvibe.web.pages.explanation import KIND_LABELS as ENTRY_LABELS
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.why_now import FiredNow, Mover, WhyNow
from leadvibe.web.trigger_paths import history_path, trigger_path
from leadvibe.web.trigger_words import KIND_LABELS

FRESH = timedelta(days=30)
"""How long a firing says why now; one that a link names does so for ever."""
BEFORE = timedelta(days=7)
MOST_MOVERS = 4


def build_why_now(
    principal: Principal, lead: Lead, state: LeadState, *, fired_id: UUID | None, now: datetime
) -> WhyNow | None:
    """Return why; None for a lead that nothing fired for and whose score has not moved lately.

    `fired_id` is of the firing that somebody was told of, and so comes to see.
    """
    scope = principal.scope
    fired = _find_fired(scope, lead, fired_id, now=now)
    until = fired.occurred_at if fired else now
    movements = _movements(scope, lead, until)
    if fired is None and not movements:
        return None
    return WhyNow(
        fired=_say_fired(principal, fired, state) if fired else None,
        movers=tuple(_mover(it, state) for it in movements[:MOST_MOVERS]),
        moved=_say_moved(movements, is_fired=fired is not None),
        more=_say_more(movements[MOST_MOVERS:]),
    )


def _find_fired(
    scope: Scope, lead: Lead, fired_id: UUID | None, *, now: datetime
) -> EmittedEvent | None:
    named = queries.find_emitted(scope, fired_id) if fired_id else None
    if named and named.lead_id == lead.lead_id:
        return named
    latest = queries.list_history(scope, lead.lead_id, limit=1, since=now - FRESH)
    return latest[0] if latest else None


def _movements(scope: Scope, lead: Lead, until: datetime) -> Sequence[Movement]:
    """Return what moved the score in the days until then, what did most first."""
    if lead.ruleset_id is None:
        return ()
    since = until - BEFORE
    found = list_movements(
        scope, lead.lead_id, lead.ruleset_id, Span(since, until), start=since, step=2 * BEFORE
    )
    by_type: dict[tuple[str, str], Movement] = {}
    for it in found:  # one for each rule of a type, in order
        key = (it.kind, "" if it.kind in ENTRY_LABELS else it.event_type)
        sofar = by_type.get(key)
        by_type[key] = (
            it._replace(delta=it.delta + sofar.delta, times=it.times + sofar.times) if sofar else it
        )
    moved = (it for it in by_type.values() if it.delta)
    return sorted(moved, key=lambda it: (-abs(it.delta), it.event_type))


def _say_fired(principal: Principal, fired: EmittedEvent, state: LeadState) -> FiredNow:
    is_editable = can(principal, Permission.CONFIGURE)
    is_there = is_editable and any(
        it.trigger_id == fired.trigger_id
        for it in queries.list_triggers(principal.scope, fired.kind)
    )
    edit_url = trigger_path(fired.kind, fired.trigger_id) if is_there else ""
    cause = Link(fired.event_type, _event_url(state, fired.cause_event_id))
    return FiredNow(
        kind=KIND_LABELS[fired.kind][0],
        trigger=Link(fired.trigger_name, edit_url),
        summary=fired.summary[:1].upper() + fired.summary[1:],
        at=Moment.of(fired.occurred_at),
        cause=cause if fired.cause_event_id else None,
        history=Link("All that fired", history_path(lead_id=fired.lead_id)),
    )


def _mover(it: Movement, state: LeadState) -> Mover:
    label = ENTRY_LABELS.get(EntryKind(it.kind), it.event_type)
    return Mover(
        event=Link(label, _event_url(state, it.event_id)),
        event_id=str(it.event_id),
        times="" if it.times == 1 else f"\N{MULTIPLICATION SIGN}{it.times:,}",
        points=signed(it.delta),
        direction=direction(it.delta),
        entries_url=f"{state.url(group=f'{it.kind}:{it.event_type}')}#why",
    )


def _event_url(state: LeadState, event_id: UUID | None) -> str:
    return f"{state.url(event=str(event_id))}#event-{quote(str(event_id))}"


def _say_moved(movements: Iterable[Movement], *, is_fired: bool) -> str:
    total = sum(it.delta for it in movements)
    points = f"{signed(total)} {'point' if abs(total) == 1 else 'points'}"
    days = f"{BEFORE.days} days"
    return f"{points} in the {days} until then" if is_fired else f"{points} in the last {days}"


def _say_more(others: Sequence[Movement]) -> str:
    if not others:
        return ""
    points = signed(sum(it.delta for it in others))
    return f"and {counted(len(others), 'other type', 'other types')}, {points}"
