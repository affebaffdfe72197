"""Event types: which there are, how far each may reach, and deleting all events of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.policies import SYSTEM_TYPES, Reach
from leadvibe.events.days import list_days
from leadvibe.events.errors import EventTypeNotFoundError
from leadvibe.events.exploring import last_days
from leadvibe.events.type_deletion import find_type_deletion, list_unfinished_types
from leadvibe.events.types import TypeDeletion
from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.types import DeletionState
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline.type_deletion import count_type, delete_type
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.event_types import decide_event_type, get_known_type, list_known_types
from leadvibe.scoring.types import KnownEventType
from leadvibe.scoring.wording import signed
from leadvibe.web.event_query import EVENTS
from leadvibe.web.notices import say
from leadvibe.web.pages.display import (
    MONTHS,
    Choice,
    Fact,
    Link,
    Moment,
    Tone,
    counted,
    query_url,
    thousands,
)
from leadvibe.web.pages.event_types import SparkBar, TypeDeletionPage, TypeRow, TypesPage
from leadvibe.web.pages.notices import Undo
from leadvibe.web.redirects import IMPORTS, local_path
from leadvibe.web.rendering import render

TYPES = "/app/settings/events"
DELETE = f"{TYPES}/delete"
FRAGMENTS = {"type-list": "event_types/_list.html", "type-deletion": "event_types/_deletion.html"}
SPARK_DAYS, SPARK_HEIGHT = 30, 20
PATIENCE_SECONDS = 1.0
"""How long somebody who deletes a type waits before they are shown how far it is."""

REACH_LABELS = {
    Reach.OBSERVE: "Observe only",
    Reach.DECIDE: "Score",
    Reach.ACTIVATE: "Score and trigger",
}
STATES = (
    ("", "All types"),
    ("visible", "Visible"),
    ("hidden", "Hidden"),
    ("unscored", "Without a rule"),
)

pages = Blueprint("event_types", __name__)


@pages.get("/settings/events")
def show_types() -> AnyResponse:
    principal = require(Permission.READ)
    return render(
        "event_types/page.html", page=_page(principal), section=TYPES, fragments=FRAGMENTS
    )


@pages.post("/settings/events")
def decide() -> AnyResponse:
    principal, form = require(Permission.CONFIGURE), request.form
    name, visible, reach = form.get("type", ""), form.get("visible"), form.get("reach")
    if visible not in {None, "0", "1"} or (visible is None and reach not in set(Reach)):
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    decide_event_type(
        principal,
        principal.scope,
        name,
        hidden=None if visible is None else visible == "0",
        reach=Reach(reach) if reach in set(Reach) else None,
        now=utc_now(),
    )
    say(_said(name, visible, reach), undo=_switch_back(name, visible))
    return redirect(local_path(form.get("next"), otherwise=TYPES), 303)


def _switch_back(name: str, visible: str | None) -> Undo | None:
    if visible is None:
        return None
    return Undo(url=TYPES, fields={"type": name, "visible": "0" if visible == "1" else "1"})


def _said(name: str, visible: str | None, reach: str | None) -> str:
    if visible is not None:
        what = "shown, and scores" if visible == "1" else "hidden, and scores no more"
        return f"{name} is {what} from now on."
    label = REACH_LABELS[Reach(reach)].lower() if reach else ""
    return f"{name}: new events {label} from now on." if label else f"{name} is saved."


@pages.get("/settings/events/delete")
def ask() -> AnyResponse:
    principal, name = require(Permission.WRITE_DATA), request.args.get("type", "")
    page = _deletion_page(principal.scope, name)
    return render("event_types/delete.html", page=page, section=TYPES, fragments=FRAGMENTS)


@pages.post("/settings/events/delete")
def delete() -> AnyResponse:
    principal, name = require(Permission.WRITE_DATA), request.form.get("type", "")
    if request.form.get("confirm", "").strip() != name:
        flash(f"Nothing was deleted: type “{name}” to confirm.", Tone.WARN)
        return redirect(_deletion_url(name), 303)
    delete_type(
        principal,
        principal.scope,
        name,
        queue=job_queue(),
        now=utc_now(),
        patience_seconds=PATIENCE_SECONDS,
    )
    return redirect(_deletion_url(name), 303)


def _deletion_url(name: str) -> str:
    return query_url(DELETE, {"type": name})


class _History(NamedTuple):
    """What was counted lately, the last day of each type, and the deletions under way."""

    days: Mapping[tuple[date, str], int]
    last: Mapping[str, date]
    under_way: Mapping[str, TypeDeletion]


def _page(principal: Principal) -> TypesPage:
    scope = principal.scope
    q, state = request.args.get("q", "").strip(), request.args.get("state", "")
    known, rules = list_known_types(scope), _rules(scope)
    history = _History(
        _days_of_types(scope),
        last_days(scope),
        {it.event_type: it for it in list_unfinished_types(scope)},
    )
    shown = [it for it in known if _is_wanted(it, q, state, rules)]
    return TypesPage(
        rows=tuple(_row(principal, it, rules.get(it.name, ()), history) for it in shown),
        q=q,
        states=tuple(Choice(label, value, value == state) for value, label in STATES),
        url=TYPES,
        here=query_url(TYPES, {"q": q, "state": state}),
        post_url=TYPES,
        can_edit=can(principal, Permission.CONFIGURE),
        import_url=IMPORTS if can(principal, Permission.WRITE_DATA) else "",
        total=counted(len(shown), "type"),
        is_narrowed=bool(q or state),
    )


def _days_of_types(scope: Scope) -> Mapping[tuple[date, str], int]:
    """Count each type's events by day, whatever channel they came through."""
    counts: Counter[tuple[date, str]] = Counter()
    for day, events in list_days(scope, since=_first_day()).items():
        counts[day.date, day.event_type] += events
    return counts


def _is_wanted(
    known: KnownEventType, q: str, state: str, rules: Mapping[str, Sequence[Link]]
) -> bool:
    by_state = {
        "visible": not known.hidden,
        "hidden": known.hidden,
        "unscored": known.name not in rules and known.name not in SYSTEM_TYPES,
    }
    return q.lower() in known.name.lower() and by_state.get(state, True)


def _rules(scope: Scope) -> dict[str, list[Link]]:
    """Return, by event type, the rules that score it, each with its ruleset and weight."""
    names = {it.ruleset_id: it.name for it in scoring.list_rulesets(scope)}
    rules: dict[str, list[Link]] = {}
    for rule in scoring.list_rules(scope):
        paused = "" if rule.active else " (paused)"
        label = f"{names.get(rule.ruleset_id, '')} {signed(rule.weight)}{paused}"
        rules.setdefault(rule.event_type, []).append(Link(label, "/app/scoring"))
    return rules


def _first_day() -> date:
    return utc_now().astimezone(UTC).date() - timedelta(days=SPARK_DAYS - 1)


def _row(
    principal: Principal,
    known: KnownEventType,
    rules: Sequence[Link],
    history: _History,
) -> TypeRow:
    is_own, deletion = known.name in SYSTEM_TYPES, history.under_way.get(known.name)
    last, days = history.last.get(known.name), history.days
    can_delete = can(principal, Permission.WRITE_DATA)
    first = _first_day()
    counts = [days.get((first + timedelta(days=n), known.name), 0) for n in range(SPARK_DAYS)]
    return TypeRow(
        name=known.name,
        events=thousands(known.event_count),
        events_url=query_url(EVENTS, {"type": known.name, "range": "all"}),
        last=f"{last.day} {MONTHS[last.month - 1]} {last.year}" if last else "",
        spark=_spark(counts),
        spark_label=f"{counted(sum(counts), 'counted event')} in 30 days",
        rules=tuple(rules),
        is_visible=not known.hidden,
        reaches=tuple(Choice(REACH_LABELS[it], it, it is known.reach) for it in Reach),
        is_own=is_own,
        delete_url=_deletion_url(known.name)
        if can_delete and not known.is_protected and known.event_count
        else "",
        kept=_kept(known),
        deletion=f"Deleting: {thousands(deletion.events_deleted)} so far" if deletion else "",
        deletion_url=_deletion_url(known.name) if can_delete else "",
    )


def _kept(known: KnownEventType) -> str:
    if known.name in SYSTEM_TYPES:
        return "Leadvibe writes it"
    return "An active rule scores it" if known.is_protected else ""


def _spark(counts: Sequence[int]) -> tuple[SparkBar, ...]:
    top = max(counts, default=0)
    return tuple(
        SparkBar(place, round(SPARK_HEIGHT - height, 2), height)
        for place, height in enumerate(
            max(round(count * SPARK_HEIGHT / top, 2), 1.0) if count else 0 for count in counts
        )
        if height
    )


def _deletion_page(scope: Scope, name: str) -> TypeDeletionPage:
    """Tell what would go, or how far the deletion is that was asked for."""
    asked = find_type_deletion(scope, name)
    is_under_way = asked is not None and asked.state is DeletionState.IN_PROGRESS
    known = _find_known(scope, name)
    if known is None and asked is None:
        raise EventTypeNotFoundError(f"There is no event type '{name}' in this unit.")
    is_open = known is not None and known.event_count > 0 and not is_under_way
    return TypeDeletionPage(
        name=name,
        would=_would(scope, name) if is_open and known and not known.is_protected else (),
        refusal=_refusal(known) if is_open and known and known.is_protected else "",
        state=_state(asked) if asked else "",
        done=_done(asked) if asked else (),
        is_under_way=is_under_way,
        post_url=DELETE,
        url=_deletion_url(name),
        back_url=TYPES,
    )


def _find_known(scope: Scope, name: str) -> KnownEventType | None:
    try:
        return get_known_type(scope, name)
    except EventTypeNotFoundError:
        return None


def _would(scope: Scope, name: str) -> tuple[Fact, ...]:
    would = count_type(scope, name)
    return (
        Fact("Events", thousands(would.events)),
        Fact("Leads", thousands(would.leads)),
        Fact("Ledger entries", thousands(would.entries)),
        Fact("Points they gave", signed(would.points)),
    )


def _refusal(known: KnownEventType) -> str:
    if known.name in SYSTEM_TYPES:
        return "Leadvibe writes these events itself: they follow from the others and stay."
    return (
        "An active rule scores this type, so its events stay. Pause or delete the rule under"
        " Scoring first; hiding the type is enough to have new events give no points."
    )


def _state(asked: TypeDeletion) -> str:
    if asked.state is DeletionState.IN_PROGRESS:
        return "Its events are being deleted. You can leave this page; it goes on."
    if asked.state is DeletionState.FAILED:
        return "The deletion stopped before its end. Delete again to go on."
    ended = f" on {Moment.of(_ended(asked)).text}"
    return f"Its events were deleted{ended}, asked for by {asked.requested_by}."


def _ended(asked: TypeDeletion) -> datetime:
    return asked.finished_at or asked.requested_at


def _done(asked: TypeDeletion) -> tuple[Fact, ...]:
    return (
        Fact("Events deleted", thousands(asked.events_deleted)),
        Fact("Ledger entries deleted", thousands(asked.entries_deleted)),
    )
