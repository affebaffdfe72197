"""Events: all that came in, the newest first, searched and narrowed by the page's address alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.conditions import Operator
from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.events.channels import list_channels
from leadvibe.events.exploring import (
    Look,
    Looking,
    count_by_reason,
    look,
    oldest_event,
    stream_events,
)
from leadvibe.events.queries import list_event_types, list_metadata_keys
from leadvibe.events.types import Event
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.errors import BadAliasError
from leadvibe.leads.queries import list_names, recognise
from leadvibe.leads.types import AliasKind, Identity
from leadvibe.lib.clock import utc_now
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.scoring import lead_scores
from leadvibe.scoring.condition_words import OPERATOR_LABELS
from leadvibe.scoring.wording import signed
from leadvibe.web.event_histogram import build_histogram
from leadvibe.web.event_icons import event_icon
from leadvibe.web.event_panel import DELETE, explain
from leadvibe.web.event_positions import position_of, write_position
from leadvibe.web.event_query import (
    DEFAULT_RANGE,
    EVENTS,
    MOST_CONDITIONS,
    RANGES,
    EventQuery,
    MetaRow,
    read_event_query,
)
from leadvibe.web.facts import summarize
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.pages.display import Choice, Link, Moment, thousands
from leadvibe.web.pages.events import EventFilters, EventRow, EventsPage, Histogram, MetaControls
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.leads import Chip
from leadvibe.web.redirects import IMPORTS
from leadvibe.web.rendering import render, wanted_fragment

LIST, PANEL = "event-list", "event-panel"
FRAGMENTS = {LIST: "events/_list.html", PANEL: "events/_panel.html"}
SIZE = 50
OFFERED_TYPES = 200
RANGE_LABELS = {
    "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", "12m": "12 months",
    "all": "All time",
}  # fmt: skip
REASONS = {
    "inorganic": "Too fast",
    "inorganic_grouped": "Part of a burst",
    "metadata_filter": "Attribute filter",
}
CSV_HEADER = (
    "id", "lead_id", "event_type", "timestamp", "received_at", "channel", "source",
    "suppression_reason", "metadata",
)  # fmt: skip

pages = Blueprint("events", __name__)


@pages.get("/events")
def show_events() -> AnyResponse:
    principal = require(Permission.READ)
    query = read_event_query(request.args, now=utc_now())
    if wanted_fragment() == PANEL:
        page = _page(principal, query, Looking(), Look((), has_more=False), is_panel=True)
        return render("events/page.html", page=page, section=EVENTS, fragments=FRAGMENTS)
    query, looking = _with_lead(principal.scope, query)
    found = Look((), has_more=False)
    if not query.error:
        found = look(principal.scope, looking, limit=SIZE, before=query.before)
    return render(
        "events/page.html",
        page=_page(principal, query, looking, found),
        section=EVENTS,
        fragments=FRAGMENTS,
        status=UNPROCESSABLE_ENTITY if query.error else 200,
    )


@pages.get("/events.csv")
def export() -> AnyResponse:
    scope = require(Permission.READ).scope
    query, looking = _with_lead(scope, read_event_query(request.args, now=utc_now()))
    return _file(iter(()) if query.error else _lines(scope, looking))


def events_file(scope: Scope, looking: Looking) -> AnyResponse:
    """Answer with a file of a unit's events that is read as it is sent."""
    return _file(_lines(scope, looking))


def _file(lines: Iterator[tuple[str, ...]]) -> AnyResponse:
    text = stream_with_context(write_csv(CSV_HEADER, lines))
    response = Response(text, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="events.csv")
    return response


def _lines(scope: Scope, looking: Looking) -> Iterator[tuple[str, ...]]:
    for it in stream_events(scope, looking):
        yield (
            str(it.event_id),
            it.lead_id or "",
            it.event_type,
            it.occurred_at.isoformat(),
            it.received_at.isoformat(),
            it.channel,
            it.source,
            it.suppression_reason or "",
            json.dumps(it.metadata, ensure_ascii=False),
        )


def _with_lead(scope: Scope, query: EventQuery) -> tuple[EventQuery, Looking]:
    """Find the lead that the filter names, by its id or an alias."""
    named = query.params.get("lead", "")
    if not named or query.error:
        return query, query.looking
    lead_id = _find_lead(scope, named)
    if lead_id is None:
        error = f"No lead has the ID or e-mail “{named}”: check the spelling, or search Leads."
        return replace(query, error=error), query.looking
    return query, replace(query.looking, lead_id=lead_id)


def _find_lead(scope: Scope, named: str) -> str | None:
    source, now = "", utc_now()  # of leads that are made, and none is
    identities = [Identity(named, (), source, now)]
    for kind in AliasKind:
        try:
            identities.append(Identity(None, (make_alias(kind, named),), source, now))
        except BadAliasError:
            continue
    return next((it for it in recognise(scope, identities) if it is not None), None)


def _page(
    principal: Principal,
    query: EventQuery,
    looking: Looking,
    found: Look,
    *,
    is_panel: bool = False,
) -> EventsPage:
    """Lay out the page; with `is_panel` only what the panel needs is looked up."""
    scope, can_delete = principal.scope, can(principal, Permission.WRITE_DATA)
    is_shown = not (is_panel or query.error)
    panel = explain(principal, query)
    last = found.events[-1] if found.events else None
    return EventsPage(
        filters=_filters(scope, query, is_sparse=is_panel),
        chips=_chips(query),
        clear_url=query.clear_url(),
        histogram=_histogram(scope, query, looking) if is_shown else None,
        reasons=_reasons(scope, query, looking) if is_shown else (),
        rows=_rows(scope, query, found.events, can_delete=can_delete),
        newest_url=query.url() if query.before is not None else "",
        older_url=_older_url(query, last) if found.has_more and last else "",
        reached=Moment.of(found.reached.occurred_at).text if found.reached else "",
        continue_url=query.url(before=write_position(found.reached)) if found.reached else "",
        wider_url="" if query.range == "all" else query.url(range="all", from_="", to=""),
        has_events=bool(found.events) or is_panel or oldest_event(scope) is not None,
        can_delete=can_delete,
        delete_url=DELETE,
        export_url=query.url(path=f"{EVENTS}.csv"),
        import_url=IMPORTS if can_delete else "",
        panel=panel,
    )


def _older_url(query: EventQuery, last: Event) -> str:
    return query.url(before=write_position(position_of(last)))


def _histogram(scope: Scope, query: EventQuery, looking: Looking) -> Histogram | None:
    return build_histogram(scope, query, looking, now=utc_now())


def _rows(
    scope: Scope, query: EventQuery, events: Sequence[Event], *, can_delete: bool
) -> tuple[EventRow, ...]:
    names = list_names(scope, {it.lead_id for it in events if it.lead_id is not None})
    points = lead_scores.sum_points(scope, [it for it in events if it.lead_id is not None])
    return tuple(_row(query, it, names, points, can_delete=can_delete) for it in events)


def _row(
    query: EventQuery,
    event: Event,
    names: Mapping[str, str],
    points: Mapping[UUID, int],
    *,
    can_delete: bool,
) -> EventRow:
    lead_id, delta, reason = event.lead_id, points.get(event.event_id), event.suppression_reason
    id_ = str(event.event_id)
    return EventRow(
        id=id_,
        url=query.here(id_),
        event_type=event.event_type,
        summary=summarize(event.event_type, event.metadata),
        lead=None if lead_id is None else Link(names.get(lead_id, lead_id), lead_path(lead_id)),
        channel=event.channel,
        icon=event_icon(event.event_type, event.channel),
        at=Moment.of(event.occurred_at),
        points="" if delta is None else signed(delta),
        direction=direction(delta or 0),
        reason=REASONS.get(reason, reason) if reason else "",
        is_open=query.event_id == event.event_id,
        can_select=can_delete and event.event_type not in SYSTEM_TYPES,
    )


def _reasons(scope: Scope, query: EventQuery, looking: Looking) -> tuple[Choice, ...]:
    """Count by reason what is suppressed; only where that is what is looked at."""
    if looking.counts is not False:
        return ()
    anyhow = Looking(
        since=looking.since,
        before=looking.before,
        event_types=looking.event_types,
        lead_id=looking.lead_id,
        counts=False,
    )
    found = count_by_reason(scope, anyhow)
    if not found:
        return ()
    chosen = query.params.get("reason", "")
    every = Choice(f"All {thousands(sum(found.values()))}", "", not chosen, query.url(reason=""))
    return (
        every,
        *(
            Choice(
                f"{REASONS.get(reason, reason)} {thousands(count)}",
                reason,
                reason == chosen,
                query.url(reason=reason),
            )
            for reason, count in found.items()
        ),
    )


def _filters(scope: Scope, query: EventQuery, *, is_sparse: bool) -> EventFilters:
    params = query.params
    types = [] if is_sparse else list_event_types(scope)
    channels = [] if is_sparse else list_channels(scope)
    # A type that nobody has sent would have all events searched for its keys.
    has_keys = query.types[:1] and any(it.name == query.types[0] for it in types)
    keys = list_metadata_keys(scope, query.types[0]) if has_keys else []
    names = [it.name for it in types if not it.hidden or it.name in query.types][:OFFERED_TYPES]
    names += [name for name in query.types if name not in names]
    more = ("channel", "lead", "from", "to")
    in_force = sum(name in params for name in more) + len(query.rows)
    has_time = any("T" in params.get(name, "") for name in ("from", "to"))
    return EventFilters(
        action_url=EVENTS,
        q=params.get("q", ""),
        types=tuple(Choice(name, name, name in query.types) for name in names),
        channels=_choices(
            [("", "Any channel"), *((it, it) for it in channels)], params.get("channel", "")
        ),
        states=_choices(
            (("", "All events"), ("counted", "Counted"), ("suppressed", "Suppressed")),
            params.get("state", ""),
        ),
        ranges=tuple(
            Choice(RANGE_LABELS[it], it, it == query.range, query.url(range=it, from_="", to=""))
            for it in RANGES
        ),
        range="" if query.range == DEFAULT_RANGE else query.range,
        lead=params.get("lead", ""),
        first=params.get("from", ""),
        last=params.get("to", ""),
        day_input="datetime-local" if has_time else "date",
        reason=params.get("reason", ""),
        rows=_controls(query),
        keys=tuple(keys),
        is_or=params.get("logic") == "or",
        more_count=str(in_force) if in_force else "",
        error=query.error,
    )


def _choices(options: Sequence[tuple[str, str]], selected: str) -> tuple[Choice, ...]:
    return tuple(Choice(label, value, value == selected) for value, label in options)


def _controls(query: EventQuery) -> tuple[MetaControls, ...]:
    """Return the conditions as controls, and an empty one behind them."""
    rows = [*query.rows, MetaRow("", Operator.EQUALS, "")][:MOST_CONDITIONS]
    return tuple(
        MetaControls(
            number=number,
            key=row.key,
            operators=_choices([(it, OPERATOR_LABELS[it]) for it in Operator], row.operator),
            value=row.value,
            remove_url=query.url(rows=_without(query, number)) if row.key else "",
        )
        for number, row in enumerate(rows)
    )


def _without(query: EventQuery, number: int) -> tuple[MetaRow, ...]:
    return tuple(row for place, row in enumerate(query.rows) if place != number)


def _chips(query: EventQuery) -> tuple[Chip, ...]:
    chips = [
        Chip(label="Type", value=name, remove_url=query.url(types=_others(query, name)))
        for name in query.types
    ]
    labels = {
        "q": "Search", "channel": "Channel", "lead": "Lead", "state": "Only", "reason": "Reason",
        "from": "From", "to": "Until",
    }  # fmt: skip
    for name, label in labels.items():
        if name in query.params:
            value = query.params[name]
            words = REASONS.get(value, value) if name == "reason" else value.replace("T", " ")
            chips.append(Chip(label=label, value=words, remove_url=query.url(**{name: ""})))
    for number, row in enumerate(query.rows):
        words = f"{OPERATOR_LABELS[row.operator]} {row.value}".strip()
        url = query.url(rows=_without(query, number))
        chips.append(Chip(label=row.key, value=words, remove_url=url))
    return tuple(chips)


def _others(query: EventQuery, name: str) -> tuple[str, ...]:
    return tuple(it for it in query.types if it != name)
