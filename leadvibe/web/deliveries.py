"""Deliveries: what was sent to whom, how each attempt went, and sending it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.leadlist.queries import search_leads
from leadvibe.leadlist.types import LeadFilter, Sort
from leadvibe.lib.clock import utc_now
from leadvibe.lib.paging import PageRequest
from leadvibe.notifications import deliveries as sending
from leadvibe.notifications import queries
from leadvibe.notifications.types import Delivery, DeliveryFilter, DeliveryState, Transport
from leadvibe.web.delivery_cards import build_card, build_page, lead_url, state_of
from leadvibe.web.delivery_paths import DELIVERIES, delivery_path, tabs
from leadvibe.web.delivery_query import DeliveryQuery, read_delivery_query
from leadvibe.web.notice_words import HAPPENINGS, TRANSPORTS, SlackNames, place_of, slack_names
from leadvibe.web.pages.deliveries import Chip, DeliveriesPage, DeliveryRow
from leadvibe.web.pages.display import (
    Choice,
    Fact,
    Moment,
    Pager,
    Tone,
    pager_label,
    query_url,
    thousands,
)
from leadvibe.web.redirects import NOTIFICATIONS
from leadvibe.web.rendering import render

LIST_FRAGMENTS = {"delivery-list": "deliveries/_list.html"}
FRAGMENTS = {"delivery": "deliveries/_delivery.html"}
STATES = {
    DeliveryState.WAITING: "Waiting",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.FAILED: "Failed",
    DeliveryState.FOLDED: "Told with another",
}
MOST_LEADS = 500
"""Leads that a search finds whose deliveries are listed; of more, those with the highest scores."""

WITHOUT_CONTROL = ("trigger_id", "destination_id", "lead_id")
"""Filters that other pages set, and chips take away."""

pages = Blueprint("deliveries", __name__)


@pages.get("/deliveries")
def show_deliveries() -> AnyResponse:
    scope, query = require_member(Permission.READ).scope, read_delivery_query(request.args)
    wanted, note = _found_by(scope, query)
    total = 0 if query.error else queries.count_deliveries(scope, wanted)
    asked = query.request(total)
    found = [] if query.error else queries.list_deliveries(scope, wanted, asked)
    names, now = slack_names(scope), utc_now()
    page = DeliveriesPage(
        tabs=tabs(DELIVERIES),
        action_url=DELIVERIES,
        states=_choices("Any state", STATES.items(), query.params.get("state")),
        transports=_choices(
            "Any transport",
            ((it, TRANSPORTS[it][0]) for it in Transport),
            query.params.get("transport"),
        ),
        search=query.search,
        hidden=tuple(Fact(it, query.params[it]) for it in WITHOUT_CONTROL if it in query.params),
        chips=_chips(query, found, names),
        rows=tuple(_row(it, names, now=now) for it in found),
        pager=_pager(query, asked.page, asked.offset, len(found), total),
        is_filtered=bool(query.params),
        clear_url=DELIVERIES,
        channels_url=NOTIFICATIONS,
        error=query.error,
        note=note,
    )
    return render("deliveries/page.html", page=page, section=DELIVERIES, fragments=LIST_FRAGMENTS)


@pages.get("/deliveries/<uuid:delivery_id>")
def show_delivery(delivery_id: UUID) -> AnyResponse:
    principal = require_member(Permission.READ)
    delivery = queries.get_delivery(principal.scope, delivery_id)
    page = build_page(
        queries.get_notice(principal.scope, delivery.notice_id),
        build_card(principal, delivery, now=utc_now()),
        delivery,
    )
    return render("deliveries/delivery.html", page=page, section=DELIVERIES, fragments=FRAGMENTS)


@pages.post("/deliveries/<uuid:delivery_id>/resend")
def resend(delivery_id: UUID) -> AnyResponse:
    scope = require_member(Permission.WRITE_DATA).scope
    sending.resend(scope, delivery_id, now=utc_now())
    sending.ring_for_deliveries(job_queue())
    flash("It is on its way again.", Tone.OK)
    return redirect(delivery_path(delivery_id), 303)


def _found_by(scope: Scope, query: DeliveryQuery) -> tuple[DeliveryFilter, str]:
    """Return what is wanted with the leads that the search finds, and what that leaves out.

    An id is taken as it is, too: there may be deliveries about a lead that is gone.
    """
    if not query.search or query.error:
        return query.wanted, ""
    leads = search_leads(
        scope, LeadFilter(search=query.search), Sort(), PageRequest(1, MOST_LEADS), count_cap=1
    ).items
    note = (
        f"More than {MOST_LEADS:,} leads match: these are of those with the highest scores."
        " Type more of the name, address or ID."
        if len(leads) == MOST_LEADS
        else ""
    )
    lead_ids = (query.search, *(it.lead_id for it in leads))
    return replace(query.wanted, lead_ids=lead_ids), note


def _choices(
    any_label: str, known: Iterable[tuple[str, str]], chosen: str | None
) -> tuple[Choice, ...]:
    values = [("", any_label), *known]
    return tuple(Choice(label, str(value), value == (chosen or "")) for value, label in values)


def _chips(query: DeliveryQuery, found: Sequence[Delivery], names: SlackNames) -> tuple[Chip, ...]:
    """Name what is filtered by as the first delivery that was found does."""
    words: dict[str, Callable[[Delivery], str]] = {
        "trigger_id": lambda it: it.trigger_name,
        "lead_id": lambda it: it.lead_name,
        "destination_id": lambda it: place_of(it.transport, it.address, names).label,
    }
    return tuple(
        Chip(
            label=name.removesuffix("_id").capitalize(),
            value=words[name](found[0]) if found else query.params[name],
            remove_url=query.url(without=name),
        )
        for name in WITHOUT_CONTROL
        if name in query.params
    )


def _row(delivery: Delivery, names: SlackNames, *, now: datetime) -> DeliveryRow:
    trigger_id = delivery.trigger_id
    return DeliveryRow(
        url=delivery_path(delivery.delivery_id),
        event=HAPPENINGS[delivery.event],
        trigger=delivery.trigger_name,
        trigger_url=query_url(DELIVERIES, {"trigger_id": str(trigger_id or "")}),
        lead=delivery.lead_name,
        lead_url=lead_url(delivery),
        place=place_of(delivery.transport, delivery.address, names),
        recipient=delivery.recipient or "",
        state=state_of(delivery, now=now),
        problem=delivery.problem or "",
        attempts=thousands(delivery.attempts),
        created_at=Moment.of(delivery.created_at),
    )


def _pager(query: DeliveryQuery, page: int, offset: int, shown: int, total: int) -> Pager:
    return Pager(
        label=pager_label(offset + 1, offset + shown, total),
        previous_url=query.url(page=page - 1) if page > 1 else None,
        next_url=query.url(page=page + 1) if offset + shown < total else None,
    )
