"""What triggers emitted: of all kinds, of one, or for one lead; and the same as a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.triggers import TriggerKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.queries import list_names
from leadvibe.lib.ids import parse_id
from leadvibe.lib.paging import PageRequest
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.triggers import queries
from leadvibe.triggers.types import EmittedEvent, EmittedFilter, Trigger
from leadvibe.web.delivery_paths import DELIVERIES
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_query import LAST_PAGE
from leadvibe.web.pages.display import Choice, Link, Moment, Pager, query_url
from leadvibe.web.pages.triggers import EmittedRow, HistoryPage
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.trigger_paths import (
    HISTORY,
    TRIGGERS,
    history_path,
    trigger_path,
)
from leadvibe.web.trigger_words import KIND_LABELS

LIST, OF_LEAD = "trigger-history", "lead-triggers"
FRAGMENTS = {LIST: "triggers/_history.html", OF_LEAD: "triggers/_of_lead.html"}
SIZE = 50
SHOWN_OF_LEAD = 10
HEADER = (
    "fired_at", "occurred_at", "kind", "trigger_id", "trigger_name", "lead_id", "score",
    "summary", "event_type", "cause_event_id", "channel",
)  # fmt: skip

pages = Blueprint("trigger-history", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the address asks for; what it asks for and cannot be is left out."""

    kind: TriggerKind | None
    trigger_id: UUID | None
    lead_id: str
    page: int

    @property
    def filter(self) -> EmittedFilter:
        return EmittedFilter(trigger_id=self.trigger_id, lead_id=self.lead_id or None)

    @property
    def params(self) -> dict[str, str]:
        return {
            "kind": self.kind or "",
            "trigger_id": str(self.trigger_id or ""),
            "lead_id": self.lead_id,
        }

    def url(self, page: int) -> str:
        return history_path(**self.params, page=str(page) if page > 1 else "")


@pages.get("/triggers/history")
def show_history() -> AnyResponse:
    principal, wanted = require(Permission.READ), _wanted()
    size = SHOWN_OF_LEAD if wanted_fragment() == OF_LEAD else SIZE
    found = queries.list_emitted(
        principal.scope, wanted.kind, wanted.filter, PageRequest(wanted.page, size)
    )
    page = _page(principal, wanted, found)
    return render("triggers/history.html", page=page, section=TRIGGERS, fragments=FRAGMENTS)


@pages.get("/triggers/history.csv")
def export() -> AnyResponse:
    scope, wanted = require(Permission.READ).scope, _wanted()
    text = stream_with_context(write_csv(HEADER, _lines(scope, wanted)))
    response = Response(text, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="trigger-history.csv")
    return response


def _wanted() -> Wanted:
    kind, number = request.args.get("kind", ""), request.args.get("page", "")
    is_page = number.isdecimal() and len(number) <= len(str(LAST_PAGE))
    return Wanted(
        kind=TriggerKind(kind) if kind in set(TriggerKind) else None,
        trigger_id=parse_id(request.args.get("trigger_id", "")),
        lead_id=request.args.get("lead_id", "").replace("\0", ""),
        page=min(max(int(number), 1), LAST_PAGE) if is_page else 1,
    )


def _lines(scope: Scope, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    for event in queries.stream_emitted(scope, wanted.kind, wanted.filter):
        yield tuple(_cell(getattr(event, name)) for name in HEADER)


def _cell(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _page(principal: Principal, wanted: Wanted, found: list[EmittedEvent]) -> HistoryPage:
    triggers = queries.list_triggers(principal.scope)
    names = list_names(principal.scope, {it.lead_id for it in found} | {wanted.lead_id})
    editable = {it.trigger_id for it in triggers if can(principal, Permission.CONFIGURE)}
    lead = None
    if wanted.lead_id:
        lead = Link(names.get(wanted.lead_id, wanted.lead_id), lead_path(wanted.lead_id))
    return HistoryPage(
        url=HISTORY,
        kinds=_kinds(wanted),
        triggers=_triggers(wanted, triggers, found),
        lead=lead,
        lead_id=wanted.lead_id,
        lead_url=wanted.url(1),
        everybody_url=query_url(HISTORY, wanted.params, lead_id=""),
        rows=tuple(_row(it, names, is_editable=it.trigger_id in editable) for it in found),
        pager=_pager(wanted, len(found)),
        export_url=query_url(f"{HISTORY}.csv", wanted.params),
        is_narrowed=any(wanted.params.values()),
        list_url=TRIGGERS,
    )


def _kinds(wanted: Wanted) -> tuple[Choice, ...]:
    kinds = (Choice(KIND_LABELS[it][1], it, it is wanted.kind) for it in TriggerKind)
    return (Choice("All kinds", "", wanted.kind is None), *kinds)


def _triggers(
    wanted: Wanted, triggers: list[Trigger], found: list[EmittedEvent]
) -> tuple[Choice, ...]:
    known = {
        it.trigger_id: it.name for it in triggers if wanted.kind is None or it.kind is wanted.kind
    }
    if wanted.trigger_id and wanted.trigger_id not in known:
        name = next((it.trigger_name for it in found), "")
        known[wanted.trigger_id] = f"{name} (deleted)" if name else "A deleted trigger"
    choices = (Choice(name, str(id_), id_ == wanted.trigger_id) for id_, name in known.items())
    return (Choice("All triggers", "", wanted.trigger_id is None), *choices)


def _row(event: EmittedEvent, names: dict[str, str], *, is_editable: bool) -> EmittedRow:
    edit_url = trigger_path(event.kind, event.trigger_id) if is_editable else ""
    lead_url = lead_path(event.lead_id)
    cause = str(event.cause_event_id or "")
    return EmittedRow(
        at=Moment.of(event.fired_at),
        lead=Link(names.get(event.lead_id, event.lead_id), lead_url),
        trigger=Link(event.trigger_name, edit_url),
        kind=KIND_LABELS[event.kind][0],
        why=event.summary,
        event_type=event.event_type,
        event_url=query_url(lead_url, {"event": cause}) if cause else "",
        deliveries_url=query_url(
            DELIVERIES, {"trigger_id": str(event.trigger_id), "lead_id": event.lead_id}
        ),
    )


def _pager(wanted: Wanted, shown: int) -> Pager | None:
    """Lead to the pages around this one; a history is not counted."""
    if wanted.page == 1 and shown < SIZE:
        return None
    first = (wanted.page - 1) * SIZE + 1
    return Pager(
        label=f"{first:,}\N{EN DASH}{first + shown - 1:,}" if shown else "No more",
        previous_url=wanted.url(wanted.page - 1) if wanted.page > 1 else None,
        next_url=wanted.url(wanted.page + 1) if shown == SIZE else None,
    )
